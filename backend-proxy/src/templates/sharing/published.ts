/** A version that was published is never another: what it was when a person saw it is held against what it is now. */
import { HitchError } from '@hitch/contract';
import { gitSourceText, readGitSource } from '@hitch/contract/src/templates/git-source.ts';
import type { Pin, Seen } from './pins.ts';

/** A repository and the folder in it, whatever its tag or branch. */
export function place(source: string): string {
  const read = readGitSource(source);
  return read.ok ? gitSourceText({ ...read.source, ref: null }) : source;
}

/**
 * Of a folder of one's own nothing is published, and it may change at any time.
 * @throws HitchError CONFLICT where a tag or a version shows other files than before.
 */
export function checkNotMoved(pin: Pin, before: Pin | null, seen: readonly Seen[]): void {
  if (pin.kind === 'folder') {
    return;
  }
  const where = place(pin.source);
  const same = seen.find(each => each.place === where && each.version === pin.version);
  if (same !== undefined && same.digest !== pin.digest) {
    throw moved(`${pin.name} ${pin.version}`, same, pin, 'Someone changed a published version.');
  }
  if (before?.kind === 'tag' && before.source === pin.source && before.digest !== pin.digest) {
    const was = { digest: before.digest, atMs: before.addedAtMs };
    throw moved(`The tag of ${pin.source}`, was, pin, 'Someone moved it.');
  }
}

const moved = (
  what: string,
  was: { readonly digest: string; readonly atMs: number },
  { digest, name }: Pin,
  who: string,
): HitchError =>
  new HitchError(
    'CONFLICT',
    `${what} was ${short(was.digest)} on ${new Date(was.atMs).toISOString().slice(0, 10)} and is now ${short(digest)}. ${who}`,
    {
      next: `Ask its author. To take it as it is now: hitch template remove ${name}, then add it again.`,
    },
  );

const short = (digest: string): string => `${digest.slice(0, 19)}…`;
