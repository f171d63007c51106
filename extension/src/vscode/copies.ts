/** Follows a copy that the daemon does: how far it is, the question it has, and what became of it. */
import type { Conflict, Copy } from '@hitch/contract';
import { runCopy } from '@hitch/contract/src/copy-run.ts';
import { progressWords } from '@hitch/contract/src/copy-words.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { HitchModel } from '../daemon/model.ts';
import { allNames } from '../files/all-names.ts';
import {
  accountText,
  cancelledWords,
  conflictQuestion,
  type CopyEnd,
  type CopyWords,
  endOf,
  percentOf,
} from '../files/copy-texts.ts';
import { isAbort, sentence } from '../sentence.ts';
import { ask, fail, inform, warn } from './messages.ts';
import type { ReportsApi } from './reports.ts';
import { withProgress } from './screen.ts';

export interface CopyDeps {
  readonly model: HitchModel;
  /** Null where documents cannot be shown. */
  readonly reports: ReportsApi | null;
}

export interface CopyTask extends CopyWords {
  readonly question: string;
  /** Asks the daemon for it. Asked again, it goes on where it stopped. */
  readonly start: () => Promise<Copy>;
  /** It has ended, one way or another. */
  readonly over?: () => void;
}

const AGAIN = 'Try Again';
const GO_ON = 'Go On';
const SHOW_ALL = 'Show All';

type Answer = 'again' | null;

/** Does not wait for what a person answers at the end. @returns whether all of it arrived. */
export async function followCopy(deps: CopyDeps, task: CopyTask): Promise<boolean> {
  try {
    const copy = await shown(deps, task);
    if (copy === null) {
      return false;
    }
    const end = endOf(copy, task);
    finish(deps, task, tellEnd(deps, task, copy, end));
    return end.kind === 'all' || end.kind === 'nothing';
  } catch (error) {
    finish(deps, task, tellFailure(task, error));
    return false;
  } finally {
    task.over?.();
  }
}

/** @returns the copy as it ended; null when its question was answered with no. */
function shown({ model }: CopyDeps, task: CopyTask): Thenable<Copy | null> {
  return withProgress('notification', task.doing, async ({ cancelled, report }) => {
    const given = new AbortController();
    const stop = cancelled.onCancellationRequested(() => given.abort());
    const answers: (Conflict | null)[] = [];
    let shownPercent = 0;
    try {
      const copy = await runCopy({
        api: model.client.api,
        start: task.start,
        ask: async asking => {
          const answer = await askConflict(task.question, asking);
          answers.push(answer);
          return answer;
        },
        onState: news => {
          const percent = percentOf(news);
          const more = Math.max(0, (percent ?? 0) - shownPercent);
          shownPercent += more;
          report(progressWords(news), percent === null ? undefined : more);
        },
        // Not the window's end: the daemon goes on without it.
        signal: given.signal,
        sleep: (ms, signal) => systemClock.sleep(ms, signal),
      });
      return answers.includes(null) ? null : copy;
    } finally {
      stop.dispose();
    }
  });
}

async function askConflict(question: string, copy: Copy): Promise<Conflict | null> {
  const { detail, choices } = conflictQuestion(copy);
  const said = await ask(question, detail, ...choices.map(({ label }) => label));
  return choices.find(({ label }) => label === said)?.conflict ?? null;
}

/** Does it again where that was the answer to how it ended. */
function finish(deps: CopyDeps, task: CopyTask, answer: Promise<Answer>): void {
  answer
    .then(said => (said === 'again' ? followCopy(deps, task) : null))
    .catch((error: unknown) => fail(sentence(error)));
}

async function tellFailure({ doing }: CopyTask, error: unknown): Promise<Answer> {
  const said = isAbort(error)
    ? await inform(cancelledWords(doing), GO_ON)
    : await fail(`${doing} failed. ${sentence(error)}`, AGAIN);
  return said === undefined ? null : 'again';
}

async function tellEnd(deps: CopyDeps, task: CopyTask, copy: Copy, end: CopyEnd): Promise<Answer> {
  const { model, reports } = deps;
  const said = await sayEnd(end, reports === null || !end.hasNames ? [] : [SHOW_ALL]);
  if (said !== SHOW_ALL) {
    return said === undefined ? null : 'again';
  }
  const names = await allNames(model.client.api, copy);
  await reports?.show(`${task.done} account.log`, accountText(task.done, copy.account, names));
  // The message went with its button; what is missing can still be tried again.
  return end.kind === 'all' ? null : tellEnd(deps, task, copy, end);
}

function sayEnd({ kind, text }: CopyEnd, more: readonly string[]): Thenable<string | undefined> {
  switch (kind) {
    case 'all':
      return inform(text, ...more);
    case 'nothing':
      return warn(text);
    case 'missing':
      return warn(text, AGAIN, ...more);
    case 'failed':
      return fail(text, AGAIN, ...more);
    case 'cancelled':
      return inform(text, GO_ON);
  }
}
