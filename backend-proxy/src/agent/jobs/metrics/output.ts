/** Figures in what a run printed, out of its log (job-log.ts), read on from where the last look ended. */
import { metricsOfLine, plainLine } from '@hitch/contract/src/metrics/lines.ts';
import { readLog } from '../job-log.ts';
import type { Patterns } from './patterns.ts';
import type { Looked, Take } from './source.ts';

const LOOK_BYTES = 256 * 1024;
/** A longer line holds no figures. */
const LONGEST_LINE_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface OutputState {
  readonly from: number;
}

export class Output {
  readonly #folder: string;
  readonly #patterns: Patterns;
  #from: number;

  constructor(folder: string, patterns: Patterns, { from }: OutputState = { from: 0 }) {
    this.#folder = folder;
    this.#patterns = patterns;
    this.#from = from;
  }

  get state(): OutputState {
    return { from: this.#from };
  }

  /** @param isOver the last line may end without a newline. */
  async look(
    { line, pattern }: { readonly line: Take; readonly pattern: Take },
    nowMs: number,
    isOver: boolean,
  ): Promise<Looked> {
    const part = await readLog(this.#folder, this.#from, LOOK_BYTES);
    if (part.data.length === 0) {
      return 'end';
    }
    const last = part.data.lastIndexOf(NEWLINE) + 1;
    const isEnd = part.data.length < LOOK_BYTES;
    const whole =
      last > 0 && !(isOver && isEnd)
        ? last
        : (isOver && isEnd) || part.data.length > LONGEST_LINE_BYTES
          ? part.data.length
          : 0;
    this.#from = part.from + whole;
    const others: string[] = [];
    for (const raw of part.data.toString('utf8', 0, whole).split('\n')) {
      // A progress bar writes over its line; what stands there at last counts.
      const text = raw.replace(/\r+$/, '').split('\r').at(-1) ?? '';
      const row = metricsOfLine(text);
      if (row === null) {
        others.push(plainLine(text));
      }
      row?.values.forEach((value, name) => line(name, row.step ?? Number.NaN, nowMs, value));
    }
    for (const { name, step, value } of this.#patterns.find(others)) {
      pattern(name, step ?? Number.NaN, nowMs, value);
    }
    return whole > 0 && !isEnd ? 'more' : 'end';
  }
}
