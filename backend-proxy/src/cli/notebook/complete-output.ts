/**
 * Whether all of a cell's output has come. The kernel says `idle` after all that the cell printed; its reply comes by
 * another way, and may come long before much output does. Only where `idle` itself was lost is the cell over without it.
 */
import { decodeMessage, type KernelMessage, noticeFrame } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';

/** So long after its reply a cell's kernel is asked a question: what it publishes about that comes after the cell's output. */
const ASK_AFTER_MS = 10_000;
/** A kernel whose output thread has died publishes nothing more; a message of many megabytes on a thin line takes minutes. */
const SILENT_MS = 300_000;

const NEVER_SAID =
  '[Hitch] The kernel answered, and said nothing for 5 minutes of whether its output is complete: what it printed last may be missing here.\n';

/** Said in the cell, where output may be missing, of which nobody knows how much. */
export function neverSaid(notice: { messageId: string; cell: string; atMs: number }): KernelMessage {
  return decodeMessage(
    noticeFrame({
      text: NEVER_SAID,
      lostBytes: 0,
      messageId: notice.messageId,
      parentId: notice.cell,
      parentSession: '',
      date: new Date(notice.atMs).toISOString(),
    }),
  );
}

interface Waiting {
  readonly over: (isComplete: boolean) => void;
  timer: Timer;
}

export class CompleteOutput {
  readonly #clock: Clock;
  readonly #ask: () => string;
  /** By the id of the cell's message. */
  readonly #waiting = new Map<string, Waiting>();
  /** Which cell a question is about. */
  readonly #questions = new Map<string, string>();
  #heard = 0;

  /** @param ask puts a question to the kernel, in line with its cells. @returns the id of its message */
  constructor(clock: Clock, ask: () => string) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** The cell's reply has come, and `idle` has not. @param over is told once, unless {@link forget} comes first */
  await(cell: string, over: (isComplete: boolean) => void): void {
    const timer = this.#clock.setTimer(() => {
      this.#questions.set(this.#ask(), cell);
      this.#untilSilent(cell);
    }, ASK_AFTER_MS);
    this.#waiting.set(cell, { over, timer });
  }

  forget(cell: string): void {
    this.#waiting.get(cell)?.timer.cancel();
    this.#waiting.delete(cell);
  }

  /** Everything that comes. */
  take({ header, parentHeader, content }: KernelMessage): void {
    this.#heard += 1;
    const cell = this.#questions.get(parentHeader.msg_id ?? '');
    if (cell !== undefined && header.msg_type === 'status' && content['execution_state'] === 'idle') {
      this.#over(cell, true);
    }
  }

  #untilSilent(cell: string): void {
    const waiting = this.#waiting.get(cell);
    if (waiting === undefined) {
      return;
    }
    const heard = this.#heard;
    waiting.timer = this.#clock.setTimer(() => {
      if (this.#heard === heard) {
        this.#over(cell, false);
      } else {
        this.#untilSilent(cell);
      }
    }, SILENT_MS);
  }

  #over(cell: string, isComplete: boolean): void {
    const waiting = this.#waiting.get(cell);
    this.forget(cell);
    waiting?.over(isComplete);
  }
}
