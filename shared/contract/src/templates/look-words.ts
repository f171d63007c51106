/** What lies at a template's source, in the sentences that all clients show before they ask whether to use it. */
import type { TemplateLook } from './wire.ts';

/** Who vouches for it. */
export function signatureWords({ shared: { signedBy }, unknownKey }: TemplateLook): string {
  if (signedBy !== null) {
    return `Signed by ${signedBy}.`;
  }
  return unknownKey === null
    ? 'Not signed: nothing says who wrote it.'
    : `Signed by a key that you know nothing of (${unknownKey}): that says no more than that its files belong together.`;
}

function sourceWords({ source, kind, commit }: TemplateLook['shared']): string {
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

export const trustLines = (look: TemplateLook): readonly string[] => [
  sourceWords(look.shared),
  signatureWords(look),
  // Not all that it does stands in its file.
  'What it runs runs with the secrets that you give it, on machines that you pay for.',
];

/** There is nothing to agree to. */
export const isAsBefore = ({ before, shared }: TemplateLook): boolean =>
  before !== null && before.shared.digest === shared.digest && before.shared.source === shared.source;

export interface ChangeLine {
  readonly text: string;
  /** It allows more than before, and is shown in bold where that can be. */
  readonly rises: boolean;
}

/** What is different from what was agreed to, by its parts; none where it is not there yet. */
export function changeLines({ before, changes, details, shared }: TemplateLook): readonly ChangeLine[] {
  if (before === null) {
    return [];
  }
  const lines: ChangeLine[] = [
    {
      text: `It was ${before.version}, from ${before.shared.source}; this is ${details.info.version}.`,
      rises: false,
    },
  ];
  if (before.shared.signedBy !== shared.signedBy) {
    lines.push({
      text: `! It was signed by ${before.shared.signedBy ?? 'nobody that you know'}.`,
      rises: true,
    });
  }
  let part = '';
  for (const change of changes) {
    if (change.part !== part) {
      part = change.part;
      lines.push({ text: part, rises: false });
    }
    lines.push({ text: `${change.rises ? '! ' : '  '}${change.words}`, rises: change.rises });
  }
  return lines;
}

export const lookQuestion = ({ before, details: { info } }: TemplateLook): string =>
  before === null ? `Add ${info.title} ${info.version}?` : `Use ${info.title} ${info.version} from now on?`;
