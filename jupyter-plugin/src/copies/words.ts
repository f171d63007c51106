/** What is said of a copy in notifications and dialogs. Pure, so that it is tested without a page. */
import {
  type Account,
  accountLines,
  amountWords,
  type Copy,
  missingWords,
  OUTCOME_WORDS,
  type Outcome,
  type OutcomeName,
  OUTCOMES,
  progressWords,
  shownName,
} from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';

export interface CopyWords {
  readonly trans: TranslationBundle;
  /** The cluster's name. */
  readonly name: string;
  /** Such as `Sending to llm-dev`. */
  readonly doing: string;
  /** Such as `Sent to llm-dev`. */
  readonly done: string;
}

/** So many names stand in a question. */
const NAMED = 3;

export const progressMessage = ({ trans, doing }: CopyWords, copy: Copy): string =>
  trans.__('%1: %2', doing, progressWords(copy));

/** 0 … 1. */
export function progressOf({ files, bytes, doneFiles, doneBytes }: Copy): number {
  const part = bytes > 0 ? doneBytes / bytes : files > 0 ? doneFiles / files : 0;
  return Math.min(1, part);
}

/** What stands in the way, and what each answer does. */
export function inTheWayLines({ trans, doing }: CopyWords, { files, bytes, inTheWay }: Copy): string[] {
  const { count, names } = inTheWay;
  const named = names.slice(0, NAMED).map(shownName);
  const more = count > named.length ? [trans.__('%1 more', count - named.length)] : [];
  return [
    trans.__('%1: %2.', doing, amountWords(files, bytes)),
    trans._n(
      '%1 of them already exists there and differs: %2.',
      '%1 of them already exist there and differ: %2.',
      count,
      [...named, ...more].join(', '),
    ),
    trans.__('Keep both: the existing file is kept under a name with the date.'),
    trans.__('Skip: the existing file is kept, and the new one is not copied.'),
    trans.__('Replace: the existing file is lost.'),
  ];
}

export const cancelledWords = (trans: TranslationBundle, doing: string): string =>
  trans.__('%1: cancelled. Start it again to resume.', doing);

export interface Ending {
  /** `nothing`: there was nothing to copy · `missing`: something that was asked for is not there. */
  readonly kind: 'whole' | 'nothing' | 'missing' | 'failed' | 'cancelled';
  readonly message: string;
}

/** How a copy went, in sentences of which a notification shows as many as fit. */
export function endingOf({ trans, name, doing, done }: CopyWords, copy: Copy): Ending {
  const { state, account, problem } = copy;
  if (state === 'cancelled') {
    return { kind: 'cancelled', message: cancelledWords(trans, doing) };
  }
  const missing = missingWords(account, problem);
  if (missing !== null || state === 'failed') {
    const sentences = [
      trans.__('%1: %2', name, missing ?? doing),
      ...(problem?.next === undefined ? [] : [problem.next]),
      ...placeOf(trans, copy),
    ];
    return { kind: state === 'failed' ? 'failed' : 'missing', message: sentences.join(' ') };
  }
  if (!isThere(account) && outcomesIn(copy).length === 0) {
    return { kind: 'nothing', message: trans.__('%1: there was nothing to copy.', doing) };
  }
  const [copied = '', ...outcomes] = accountLines(account);
  const sentences = [
    trans.__('%1: %2.', done, copied),
    ...placeOf(trans, copy),
    ...outcomes.map(line => `${line}.`),
  ];
  return { kind: 'whole', message: sentences.join(' ') };
}

const isThere = ({ copiedFiles, sameFiles }: Account): boolean => copiedFiles + sameFiles > 0;

/** Of a save, whose folder nobody has chosen. */
export const placeOf = (trans: TranslationBundle, { kind, target, account }: Copy): string[] =>
  kind === 'save' && isThere(account) ? [trans.__('Saved in %1.', shownName(target))] : [];

/** The kinds of outcome that a copy has, with how many of each. */
export const outcomesIn = ({ account }: Copy): { readonly outcome: Outcome; readonly count: number }[] =>
  OUTCOMES.map(outcome => ({ outcome, count: account.outcomes[outcome]?.count ?? 0 })).filter(
    ({ count }) => count > 0,
  );

export const outcomeTitle = (outcome: Outcome, count: number): string => `${count} ${OUTCOME_WORDS[outcome]}`;

/** A name with what the account says of it. */
export function nameLine(outcome: Outcome, { path, detail }: OutcomeName, trans: TranslationBundle): string {
  const name = shownName(path);
  if (detail === '') {
    return name;
  }
  return outcome === 'renamed' || outcome === 'keptBeside'
    ? trans.__('%1 as %2', name, shownName(detail))
    : trans.__('%1 (%2)', name, shownName(detail));
}
