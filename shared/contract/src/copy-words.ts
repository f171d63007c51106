/** A copy in words: the same sentences in all clients. */
import { type Account, type Copy, MISSING_OUTCOMES, missingCount, type Outcome, OUTCOMES } from './copies.ts';
import { bytes, clock } from './format.ts';
import type { Saving } from './clusters.ts';
import { shownName } from './shown/text.ts';

const filesWords = (count: number): string => `${count} ${count === 1 ? 'file' : 'files'}`;

/** What each outcome is called after a count: `2 changed while copied`. */
export const OUTCOME_WORDS = {
  changed: 'changed while copied',
  gone: 'not found',
  unreadable: 'unreadable',
  leftOut: 'left out',
  ignored: 'excluded by ignore rules',
  renamed: 'stored under another name',
  keptBeside: 'kept, renamed with the date',
  skipped: 'skipped, a different one is there',
  outsideLink: 'kept as links to other places',
  notCopied: 'not copied',
} as const satisfies Record<Outcome, string>;

/** `3 files, 1.2 GB`. */
export const amountWords = (files: number, sizeBytes: number): string =>
  `${filesWords(files)}, ${bytes(sizeBytes)}`;

/** `1.2 of 4 GB`: the unit once where both share it. */
export function partWords(doneBytes: number, totalBytes: number): string {
  const [done = '', doneUnit = ''] = bytes(Math.min(doneBytes, totalBytes)).split(' ');
  const [total = '', totalUnit = ''] = bytes(totalBytes).split(' ');
  return doneUnit === totalUnit
    ? `${done} of ${total} ${totalUnit}`
    : `${done} ${doneUnit} of ${total} ${totalUnit}`;
}

/** How far a copy is, without its verb: `3 of 10 files, 1.2 of 4 GB`. */
export function progressWords(
  copy: Pick<Copy, 'state' | 'files' | 'bytes' | 'doneFiles' | 'doneBytes'>,
): string {
  switch (copy.state) {
    case 'waiting':
      return 'waiting for another copy';
    case 'listing':
      return copy.files === 0 ? 'looking at the files' : `looking at the files, ${copy.files} so far`;
    default:
      return `${copy.doneFiles} of ${filesWords(copy.files)}, ${partWords(copy.doneBytes, copy.bytes)}`;
  }
}

/** `Saving 3 of 10 files, 1.2 of 4 GB, by 18:20 at the latest`. */
export function savingWords(saving: Saving, nowMs: number): string {
  const far =
    saving.files === 0
      ? 'Saving'
      : `Saving ${saving.doneFiles} of ${filesWords(saving.files)}, ${partWords(saving.doneBytes, saving.bytes)}`;
  const until = saving.untilMs === null ? '' : `, by ${clock(saving.untilMs, nowMs)} at the latest`;
  return saving.problem === null ? `${far}${until}` : `${far}${until}: ${saving.problem.replace(/\.$/, '')}`;
}

/** So many names stand in a sentence. */
const NAMED = 3;

/** `12 copied, 3 the same already; 1 unreadable: secret.pem (permission denied)`, a line for each kind of outcome. */
export function accountLines(account: Account, most = NAMED): string[] {
  const { copiedFiles, copiedBytes, sameFiles, outcomes } = account;
  const same = sameFiles === 0 ? '' : `, ${sameFiles} there already`;
  return [
    `${amountWords(copiedFiles, copiedBytes)} copied${same}`,
    ...outcomeLines(outcomes, OUTCOMES, most),
  ];
}

function outcomeLines(outcomes: Account['outcomes'], wanted: readonly Outcome[], most: number): string[] {
  return wanted.flatMap(outcome => {
    const found = outcomes[outcome];
    if (found === undefined || found.count === 0) {
      return [];
    }
    const names = found.names
      .slice(0, most)
      .map(({ path, detail }) =>
        detail === ''
          ? shownName(path)
          : outcome === 'renamed' || outcome === 'keptBeside'
            ? `${shownName(path)} as ${shownName(detail)}`
            : `${shownName(path)} (${shownName(detail)})`,
      );
    const more = found.count > names.length ? [`${found.count - names.length} more`] : [];
    return [`${found.count} ${OUTCOME_WORDS[outcome]}: ${[...names, ...more].join(', ')}`];
  });
}

/** What is missing after a copy, as a sentence; null: nothing is. */
export function missingWords(account: Account, problem: Copy['problem'] = null): string | null {
  if (missingCount(account) === 0 && problem === null) {
    return null;
  }
  const why = problem === null ? [] : [problem.message.replace(/\.$/, '')];
  const kinds = outcomeLines(account.outcomes, MISSING_OUTCOMES, NAMED);
  return `Not everything was copied: ${[...kinds, ...why].join('; ')}.`;
}

/** Those that were asked for and are not there. */
export function absentSources({ account, sources }: Pick<Copy, 'account' | 'sources'>): readonly string[] {
  const named = new Set(sources.map(path => path.replace(/\/+$/, '')));
  return (account.outcomes.gone?.names ?? []).map(({ path }) => path).filter(path => named.has(path));
}

/** What a save did not bring of the cluster `name`, as a sentence; null: it brought everything. */
export function notSavedSentence(
  { account, problem, sources }: Pick<Copy, 'account' | 'problem' | 'sources'>,
  name: string,
): string | null {
  const missing = missingWords(account, problem);
  if (missing === null) {
    return null;
  }
  const absent = absentSources({ account, sources });
  return problem === null && absent.length > 0 && absent.length === missingCount(account)
    ? `Could not save ${absent.map(path => `“${shownName(path)}”`).join(', ')}: no such file or folder in ~/work.`
    : missing.replace(/^Not everything was copied/, `Not everything of ${name} was saved`);
}
