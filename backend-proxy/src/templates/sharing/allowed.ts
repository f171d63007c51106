/** Holds a template against the team's policies: where it comes from, who signed it, what it runs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TemplateSource } from '@hitch/contract/src/templates/wire.ts';
import type { Template } from '@hitch/contract/src/templates/schema.ts';
import { SIGNATURE_FILE } from '../folder.ts';
import { refusedBy, type TeamPolicy } from '../team-policy.ts';
import { type Verdict, verify } from './signature.ts';

export interface Judged {
  /** How it is called in a sentence: a name, or a source. */
  readonly called: string;
  /** `hitch`, `user`, `folder`, or as its source is written down. */
  readonly from: string;
  readonly template: Template;
  readonly digest: string;
  readonly signature: Uint8Array | null;
}

/** How policies call where a template comes from. */
export const fromOf = (source: TemplateSource, shared: string | undefined): string =>
  shared === undefined ? source : shared.startsWith('git+') ? shared : 'folder';

/** @throws HitchError BAD_INPUT that names the policy and its rule. */
export async function checkAllowed(
  policies: readonly TeamPolicy[],
  judged: Judged,
  signal: AbortSignal,
): Promise<void> {
  const { called, from, template, digest, signature } = judged;
  for (const policy of policies) {
    const { sources, signers, revoked, scripts } = policy;
    if (sources !== null && !sources.some(each => isFrom(from, each))) {
      throw refusedBy(
        policy,
        'templates.sources',
        `Your team takes no templates from where ${called} comes from (${from}).`,
        'template',
      );
    }
    const script = (['prepare', 'run'] as const).find(what => template[what]?.script !== undefined);
    if (scripts === 'never' && script !== undefined) {
      throw refusedBy(
        policy,
        'templates.scripts',
        `${called} runs a text for a shell (“${script}.script”), and your team’s templates run programs alone.`,
        'template',
      );
    }
    // What came with Hitch is as much to be believed as Hitch itself.
    if (signers !== null && from !== 'hitch') {
      const verdict = await verify(digest, signature, { signers: [signers], revoked }, signal);
      if (verdict.kind !== 'signed') {
        throw refusedBy(policy, 'templates.signers', `${called} ${whyNot(verdict)}`, 'template');
      }
    }
  }
}

function whyNot(verdict: Exclude<Verdict, { kind: 'signed' }>): string {
  switch (verdict.kind) {
    case 'unsigned':
      return 'is not signed, and your team’s templates are.';
    case 'unknown':
      return `was signed by the key ${verdict.key}, which is none of your team’s.`;
    case 'refused':
      return `is refused. ${verdict.sentence}`;
  }
}

/** A beginning ends at a part's border, so that `…/our-team` does not stand for `…/our-team-of-thieves`. */
const isFrom = (from: string, allowed: string): boolean =>
  from === allowed ||
  (allowed.startsWith('git+') &&
    from.startsWith(allowed) &&
    (allowed.endsWith('/') || /^[/#]/.test(from.slice(allowed.length))));

/** Null: it is not signed. */
export const signatureIn = (folder: string): Promise<Uint8Array | null> =>
  readFile(join(folder, SIGNATURE_FILE)).catch(() => null);
