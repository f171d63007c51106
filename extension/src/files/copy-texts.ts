/** What is said about a copy: the question about what stands in the way, how it ended, and its full account. */
import type { Account, Conflict, Copy, Outcome, OutcomeName } from '@hitch/contract';
import { OUTCOMES } from '@hitch/contract/src/copies.ts';
import { accountLines, amountWords, missingWords, OUTCOME_WORDS } from '@hitch/contract/src/copy-words.ts';
import { shownName } from '@hitch/contract/src/shown/text.ts';

/** So many names stand in a question. */
const NAMED = 3;

export interface ConflictQuestion {
  readonly detail: string;
  /** The first has the focus: Enter out of habit loses nothing. */
  readonly choices: readonly { readonly label: string; readonly conflict: Conflict }[];
}

export function conflictQuestion({
  files,
  bytes,
  inTheWay: { count, names },
}: Pick<Copy, 'files' | 'bytes' | 'inTheWay'>): ConflictQuestion {
  const shown = names.slice(0, NAMED).map(shownName);
  const more = count - shown.length;
  const named = [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return {
    detail: [
      `${amountWords(files, bytes)}.`,
      count === 1
        ? `${named} already exists there and differs.`
        : `${count} of them already exist there and differ: ${named}.`,
      'Keep Both: the existing file is kept under a name with the date.',
    ].join('\n'),
    choices: [
      { label: 'Keep Both', conflict: 'keep-both' },
      { label: count === 1 ? 'Skip It' : 'Skip Them', conflict: 'skip' },
      { label: 'Replace', conflict: 'replace' },
    ],
  };
}

/** How far it is in percent of its bytes; null while that cannot be said. */
export const percentOf = ({
  state,
  bytes,
  doneBytes,
}: Pick<Copy, 'state' | 'bytes' | 'doneBytes'>): number | null =>
  state === 'copying' && bytes > 0 ? Math.min(100, (doneBytes / bytes) * 100) : null;

/** `Sending to llm-dev`, `Sent to llm-dev`. */
export interface CopyWords {
  readonly doing: string;
  readonly done: string;
}

export interface CopyEnd {
  /** `nothing`: there was nothing to copy. */
  readonly kind: 'all' | 'nothing' | 'missing' | 'failed' | 'cancelled';
  readonly text: string;
  /** The account names things, more than the text may. */
  readonly hasNames: boolean;
}

export const cancelledWords = (doing: string): string => `${doing}: cancelled. Start it again to resume.`;

const countOf = ({ outcomes }: Account, outcome: Outcome): number => outcomes[outcome]?.count ?? 0;

export function endOf(copy: Copy, { doing, done }: CopyWords): CopyEnd {
  const { account, problem, state } = copy;
  const hasNames = OUTCOMES.some(outcome => countOf(account, outcome) > 0);
  const [copied = '', ...others] = accountLines(account);
  const missing = missingWords(account, problem);
  if (state === 'cancelled') {
    return { kind: 'cancelled', text: cancelledWords(doing), hasNames };
  }
  if (state === 'failed') {
    const why = [missing, problem?.next].filter(each => each !== null && each !== undefined);
    const text = [`${doing} failed.`, ...why, ...placeOf(copy, 'Saved so far')].join(' ');
    return { kind: 'failed', text, hasNames };
  }
  if (missing !== null) {
    const text = [`${done}: ${copied}.`, missing, ...placeOf(copy, 'Saved so far')].join(' ');
    return { kind: 'missing', text, hasNames };
  }
  if (!isThere(account) && !hasNames) {
    return { kind: 'nothing', text: `${doing}: there was nothing to copy.`, hasNames };
  }
  const text = [`${done}: ${[copied, ...others].join('; ')}.`, ...placeOf(copy, 'Saved')].join(' ');
  return { kind: 'all', text, hasNames };
}

const isThere = ({ copiedFiles, sameFiles }: Account): boolean => copiedFiles + sameFiles > 0;

/** Of a save, whose folder nobody has chosen. */
const placeOf = ({ kind, target, account }: Copy, what: string): string[] =>
  kind === 'save' && isThere(account) ? [`${what} in ${shownName(target)}.`] : [];

/** @param names what is known of each outcome, which may be less than its count. */
export function accountText(
  title: string,
  account: Account,
  names: ReadonlyMap<Outcome, readonly OutcomeName[]>,
): string {
  const [copied = ''] = accountLines(account);
  const parts = [...names].map(([outcome, known]) => {
    const count = countOf(account, outcome);
    const left = count - known.length;
    return [
      `${count} ${OUTCOME_WORDS[outcome]}`,
      ...known.map(name => `  ${nameLine(outcome, name)}`),
      ...(left > 0 ? [`  and ${left} more`] : []),
    ].join('\n');
  });
  return `${[`${title}: ${copied}`, ...parts].join('\n\n')}\n`;
}

function nameLine(outcome: Outcome, { path, detail }: OutcomeName): string {
  if (detail === '') {
    return shownName(path);
  }
  return outcome === 'renamed' || outcome === 'keptBeside'
    ? `${shownName(path)} as ${shownName(detail)}`
    : `${shownName(path)} (${shownName(detail)})`;
}
