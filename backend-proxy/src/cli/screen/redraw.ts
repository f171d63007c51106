/** A few lines that are written again in their place, as long as a command looks on. For terminals alone. */
import { shownLine } from '@hitch/contract';
import type { Io } from './io.ts';
import { fit } from './table.ts';

const TO_LINE_ABOVE = '\u001b[A';
const ERASE_BELOW = '\r\u001b[J';

export class Redraw {
  readonly #io: Io;
  #height = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** In the place of those before. What the terminal has no room for is left out, and counted in the last line. */
  show(lines: readonly string[]): void {
    const { stdout } = this.#io;
    const width = Math.max(10, (stdout.columns ?? 80) - 1);
    const room = Math.max(2, (stdout.rows ?? 24) - 1);
    const left = lines.length - room;
    const shown = left <= 0 ? lines : [...lines.slice(0, room - 1), `… ${(left + 1).toString()} more lines`];
    // One write: the picture never stands half.
    stdout.write(
      TO_LINE_ABOVE.repeat(this.#height) +
        ERASE_BELOW +
        shown.map(line => `${fit(shownLine(line), width)}\n`).join(''),
    );
    this.#height = shown.length;
  }
}
