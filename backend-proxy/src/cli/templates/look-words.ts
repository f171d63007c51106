/** What lies at a template's source, as lines for a person who is asked whether to use it. */
import type { TemplateLook } from '@hitch/contract';
import type { Io, Styled } from '../screen/io.ts';
import { detailLines } from './words.ts';

/** Who vouches for it, in a sentence. */
export function signatureWords({ shared: { signedBy }, unknownKey }: TemplateLook): string {
  if (signedBy !== null) {
    return `Signed by ${signedBy}.`;
  }
  return unknownKey === null
    ? 'Not signed: nothing says who wrote it.'
    : `Signed by a key that you know nothing of (${unknownKey}): that says no more than that its files belong together.`;
}

export function sourceWords({ source, kind, commit }: TemplateLook['shared']): string {
  switch (kind) {
    case 'tag':
    case 'commit':
      return `From ${source}${kind === 'tag' ? `, commit ${commit ?? ''}` : ''}.`;
    case 'branch':
      return `From ${source}, commit ${commit ?? ''}. That is a branch, which moves on; a tag stays.`;
    case 'folder':
      return `From the folder ${source}, as it is now.`;
  }
}

export const lookLines = (look: TemplateLook): readonly string[] => [
  ...detailLines(look.details),
  '',
  sourceWords(look.shared),
  signatureWords(look),
  // Not all that it does stands in its file.
  'What it runs runs with the secrets that you give it, on machines that you pay for.',
];

/** What is different, by its parts; what allows more than before is bold and marked. */
export function changeLines(
  { before, changes, details, shared }: TemplateLook,
  io: Io,
): readonly (readonly (string | Styled)[])[] {
  if (before === null) {
    return [];
  }
  const lines: (readonly (string | Styled)[])[] = [
    [`It was ${before.version}, from ${before.shared.source}; this is ${details.info.version}.`],
  ];
  if (before.shared.signedBy !== shared.signedBy) {
    const was = before.shared.signedBy === null ? 'nobody that you know' : before.shared.signedBy;
    lines.push([io.style('bold', `! It was signed by ${was}.`)]);
  }
  let part = '';
  for (const change of changes) {
    if (change.part !== part) {
      part = change.part;
      lines.push([part]);
    }
    lines.push([change.rises ? io.style('bold', `! ${change.words}`) : `  ${change.words}`]);
  }
  return lines;
}
