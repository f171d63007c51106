/** Something on its way, as a notification with its progress and a way to end it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { actionsOf, type NextStep } from '../actions/report.ts';
import { type Action, dismiss, notify, renotify } from '../ui/notify.ts';

const DONE_FOR_MS = 8_000;

export interface NoteEnding {
  readonly type: 'success' | 'warning' | 'error';
  readonly message: string;
  /** It waits for the person. */
  readonly stays: boolean;
  readonly steps: readonly NextStep[];
}

export class ProgressNote {
  readonly #ended = new AbortController();
  readonly #actions: Action[];
  readonly #id: string;

  constructor(trans: TranslationBundle, message: string) {
    // It stays, to say how the thing ended.
    this.#actions = actionsOf([{ label: trans.__('Cancel'), run: () => this.#ended.abort(), keeps: true }]);
    const options = { progress: 0, autoClose: false as const, actions: this.#actions };
    this.#id = notify('in-progress', message, options);
  }

  /** Aborted when the person pressed Cancel. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** @param progress 0 … 1. */
  show(message: string, progress: number): void {
    renotify(this.#id, message, { progress, autoClose: false, actions: this.#actions });
  }

  end({ type, message, stays, steps }: NoteEnding): void {
    const actions = actionsOf(steps);
    const autoClose = stays ? (false as const) : DONE_FOR_MS;
    // The person may have closed it meanwhile; how it ended is told all the same.
    if (!renotify(this.#id, message, { kind: type, progress: 1, autoClose, actions })) {
      notify(type, message, { autoClose, actions });
    }
  }

  dismiss(): void {
    dismiss(this.#id);
  }
}
