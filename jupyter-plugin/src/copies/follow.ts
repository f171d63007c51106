/** A copy that runs in the daemon, followed in a notification: how far it is, what it asks, how it ended. */
import { type Conflict, type Copy, type HitchApi, isCopyOver, runCopy } from '@hitch/contract';
import { ask, LinesBody } from '../actions/ask.ts';
import { type NextStep, sentenceOf } from '../actions/report.ts';
import { pause } from '../ui/pause.ts';
import { showNames } from './names-dialog.ts';
import { ProgressNote } from './note.ts';
import { type CopyWords, endingOf, inTheWayLines, outcomesIn, progressMessage, progressOf } from './words.ts';

export interface Following extends CopyWords {
  readonly api: Pick<HitchApi, 'copies'>;
  /** Asks for the copy; asked again, it goes on where it stopped. */
  readonly start: () => Promise<Copy>;
  /** It is over, however it ended. */
  readonly ended?: (copy: Copy) => Promise<void>;
}

/** Resolves when it is over and told. */
export async function followCopy(following: Following): Promise<void> {
  const { api, start, trans, doing, ended } = following;
  const note = new ProgressNote(trans, trans.__('%1…', doing));
  const answers: (Conflict | null)[] = [];
  let copy: Copy;
  try {
    copy = await runCopy({
      api,
      start,
      ask: async asking => {
        const answer = await askInTheWay(following, asking);
        answers.push(answer);
        return answer;
      },
      onState: news => {
        // Shown and taken away in the same moment, a notification would stay for good.
        if (!isCopyOver(news)) {
          note.show(progressMessage(following, news), progressOf(news));
        }
      },
      signal: note.signal,
      sleep: pause,
    });
  } catch (error) {
    note.end({
      type: 'error',
      message: trans.__('%1 failed. %2', doing, sentenceOf(error)),
      stays: true,
      steps: [tryAgain(following)],
    });
    return;
  }
  if (answers.includes(null)) {
    note.dismiss();
  } else {
    tellEnd(following, copy, note);
  }
  await ended?.(copy);
}

const tryAgain = (following: Following): NextStep => ({
  label: following.trans.__('Try again'),
  run: () => void followCopy(following),
});

function tellEnd(following: Following, copy: Copy, note: ProgressNote): void {
  const { api, trans, doing, done } = following;
  const { kind, message } = endingOf(following, copy);
  const showAll: NextStep = {
    label: trans.__('Show all'),
    run: () => void showNames({ api, trans, title: kind === 'whole' ? done : doing, copy }),
    keeps: true,
  };
  const isMissing = kind === 'missing' || kind === 'failed';
  note.end({
    type: kind === 'whole' ? 'success' : kind === 'failed' ? 'error' : 'warning',
    message,
    stays: isMissing,
    steps: [
      ...(isMissing ? [tryAgain(following)] : []),
      ...(outcomesIn(copy).length > 0 || copy.kind === 'save' ? [showAll] : []),
    ],
  });
}

/** The same choices in the same order in all clients; null: nothing is to be copied. */
function askInTheWay(words: CopyWords, copy: Copy): Promise<Conflict | null> {
  const { trans } = words;
  return ask<Conflict>(trans, {
    title: trans.__('Files already exist'),
    body: new LinesBody(inTheWayLines(words, copy)),
    choices: [
      { value: 'keep-both', label: trans.__('Keep both') },
      { value: 'skip', label: trans.__('Skip') },
      { value: 'replace', label: trans.__('Replace'), warn: true },
    ],
    usual: 'keep-both',
  });
}
