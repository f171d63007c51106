/** The line that says what is going on: rewritten in place on a terminal, a new line for each change elsewhere. */
import { shownLine } from '@hitch/contract';
import { fit } from './table.ts';
import type { Io } from './io.ts';

const ERASE_LINE = '\r\u001b[2K';

export class LiveLine {
  readonly #io: Io;
  #shown = '';
  #lastChange = '';

  constructor(io: Io) {
    this.#io = io;
  }

  /**
   * Shows `text` with `elapsed` before it. `change` says what counts as news where lines cannot be rewritten:
   * a new line is written only when it differs from the last one's.
   */
  show(elapsed: string, text: string, change = text): void {
    if (this.#io.stderr.isTTY === true) {
      const line = fit(shownLine(`${elapsed}  ${text}`), Math.max(10, (this.#io.stderr.columns ?? 80) - 1));
      if (line !== this.#shown) {
        this.#io.stderr.write(ERASE_LINE + line);
        this.#shown = line;
      }
    } else if (change !== this.#lastChange) {
      this.#io.note(`${elapsed}  ${text}`);
    }
    this.#lastChange = change;
  }

  /** Takes the line away, so that something lasting can be written in its place. */
  clear(): void {
    if (this.#shown !== '') {
      this.#io.stderr.write(ERASE_LINE);
      this.#shown = '';
    }
  }
}
