/** A copy on its way, as a notification with its progress and a way to end it. */
import { format, HitchError } from '@hitch/contract';
import type { Moved } from '@hitch/contract/src/copying.ts';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Plan } from './plan.ts';

const SHOW_EVERY_MS = 250;
const DONE_FOR_MS = 5_000;

export interface Copying {
  readonly trans: TranslationBundle;
  readonly plan: Pick<Plan, 'files' | 'sizeBytes'>;
  /** Such as `Sending to llm-dev`. */
  readonly doing: string;
  /** Such as `Sent to llm-dev`. */
  readonly done: string;
  readonly run: (signal: AbortSignal, onMoved: (moved: Moved) => void) => Promise<void>;
}

/** `3 files, 1.2 GB`. */
export function amount(trans: TranslationBundle, files: number, sizeBytes: number): string {
  return trans._n('%1 file, %2', '%1 files, %2', files, format.bytes(sizeBytes));
}

/** One sentence, and what to do, of whatever went wrong. */
export function sentenceOf(error: unknown): string {
  if (error instanceof HitchError && error.next !== undefined) {
    return `${error.message} ${error.next}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** @returns whether all of it arrived. A person who wants the rest later asks again: what has arrived stays. */
export async function copyWithProgress(copying: Copying): Promise<boolean> {
  const { trans, plan, doing, done, run } = copying;
  const ended = new AbortController();
  const cancel = {
    label: trans.__('Cancel'),
    callback: () => {
      ended.abort();
    },
  };
  const say = ({ doneFiles, doneBytes }: Moved): { message: string; progress: number } => ({
    message: trans._n(
      '%2: %3 of %4',
      '%2: %3 of %4, %5 of %1 files',
      plan.files.length,
      doing,
      format.bytes(doneBytes),
      format.bytes(plan.sizeBytes),
      doneFiles,
    ),
    progress: plan.sizeBytes === 0 ? 0 : Math.min(1, doneBytes / plan.sizeBytes),
  });
  const { message, progress } = say({ doneFiles: 0, doneBytes: 0 });
  const id = Notification.emit(message, 'in-progress', { progress, autoClose: false, actions: [cancel] });
  let shownAt = 0;
  try {
    await run(ended.signal, moved => {
      if (Date.now() - shownAt >= SHOW_EVERY_MS) {
        shownAt = Date.now();
        Notification.update({ id, ...say(moved), type: 'in-progress', autoClose: false, actions: [cancel] });
      }
    });
    Notification.update({
      id,
      message: trans.__('%1: %2', done, amount(trans, plan.files.length, plan.sizeBytes)),
      type: 'success',
      progress: 1,
      autoClose: DONE_FOR_MS,
      actions: [],
    });
    return true;
  } catch (error) {
    const wanted = ended.signal.aborted;
    Notification.update({
      id,
      message: wanted
        ? trans.__('%1: cancelled. Done again, it goes on where it stopped.', doing)
        : trans.__('%1 failed. %2', doing, sentenceOf(error)),
      type: wanted ? 'warning' : 'error',
      autoClose: wanted ? DONE_FOR_MS : false,
      actions: wanted
        ? []
        : [{ label: trans.__('Try again'), callback: () => void copyWithProgress(copying) }],
    });
    return false;
  }
}
