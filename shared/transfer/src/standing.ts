/** Comparing what is to be copied with what is there. */
import type { CopyPlan } from './copy-plan.ts';
import type { Entry, Standing } from './entry.ts';

/** What stands at the place of each; where only the content can tell, both sides are asked for its checksum. */
export async function standingOf(
  { source, target, roots, to }: CopyPlan,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<Standing[]> {
  if (entries.length === 0) {
    return [];
  }
  const standing = [...(await target.look(to, entries, signal))];
  const unsure = entries.flatMap((entry, index) => (standing[index] === 'maybe' ? [{ entry, index }] : []));
  if (unsure.length > 0) {
    const asked = unsure.map(({ entry }) => entry);
    const upTo = asked.map(({ sizeBytes }) => sizeBytes);
    const [here, there] = await Promise.all([
      source.hash(roots, asked, upTo, signal),
      target.hash(to, asked, upTo, signal),
    ]);
    for (const [place, { index }] of unsure.entries()) {
      const hash = here[place] ?? null;
      standing[index] = hash !== null && hash === there[place] ? 'touch' : 'differs';
    }
  }
  return standing;
}
