/** What a view holds of a job's log: the newest part, as text, and a line about what stands before it. */
import { format, type JobLogPart } from '@hitch/contract';

/** A page bears so much text; all of it can be searched, fetched, or read on the command line. */
const MOST_CHARACTERS = 1_000_000;

export class LogTail {
  /** Null: the latest. */
  run: number | null = null;
  /** Number of the byte to ask for next. */
  from = 0;
  text = '';
  #leftOut = 0;
  #decoder = new TextDecoder();

  /** Begins anew, at a byte of a run. */
  begin(run: number, from = 0): void {
    this.run = run;
    this.from = from;
    this.text = '';
    this.#leftOut = from;
    this.#decoder = new TextDecoder();
  }

  /** @returns whether there is anything new. */
  add({ run, from, next, bytes }: JobLogPart): boolean {
    this.run ??= run;
    if (bytes.length === 0) {
      return false;
    }
    if (from > this.from) {
      this.text += `\n… ${format.bytes(from - this.from)} are not kept …\n`;
    }
    this.text += this.#decoder.decode(bytes, { stream: true });
    this.from = next;
    if (this.text.length > MOST_CHARACTERS) {
      const cut = this.text.indexOf('\n', this.text.length - MOST_CHARACTERS / 2) + 1;
      this.#leftOut += cut;
      this.text = this.text.slice(cut);
    }
    return true;
  }

  /** What stands before the text; '' where nothing does. */
  get note(): string {
    return this.#leftOut === 0
      ? ''
      : `… about ${format.bytes(this.#leftOut)} before this; search finds them …\n`;
  }
}
