/**
 * The points of one run on the node: a file of them, and beside it what they mean and how far every source was read. Both are
 * written together, the second last, so that an agent that is killed loses none and takes none twice.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { cutText } from '@hitch/contract';
import {
  LONGEST_SERIES_NAME,
  MOST_POINTS,
  MOST_SERIES,
  POINT_BYTES,
  PointWriter,
} from '@hitch/contract/src/metrics/points.ts';
import {
  metricSourceSchema,
  MOST_METRIC_NOTES,
  type MetricPoints,
  type MetricPointsQuery,
  type MetricSource,
} from '@hitch/contract/src/metrics/wire.ts';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Take } from './source.ts';

const seriesSchema = z.object({ name: z.string(), source: metricSourceSchema, origin: z.string() });
const stateSchema = z.object({
  series: z.array(seriesSchema),
  end: z.number().int(),
  leftOut: z.number().int(),
  notes: z.array(z.string()),
  isOver: z.boolean(),
  /** Of the readers: each knows its own. */
  read: z.unknown(),
});
type State = z.infer<typeof stateSchema>;

const EMPTY: State = { series: [], end: 0, leftOut: 0, notes: [], isOver: false, read: null };
const LONGEST_NOTE = 300;
/** While the disk is full. */
const MOST_UNWRITTEN = 100_000;

export class PointsFile {
  readonly run: number;
  readonly #path: string;
  readonly #writer = new PointWriter();
  readonly #byName = new Map<string, number>();
  readonly #state: State;
  /** So many names are on the disk: an agent that is killed forgets the others. */
  #savedSeries: number;
  #changed = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(folder: string, run: number) {
    this.run = run;
    this.#path = join(folder, run.toString());
    this.#state = readState(`${this.#path}.json`) ?? structuredClone(EMPTY);
    this.#state.series.forEach(({ name }, at) => this.#byName.set(name, at));
    this.#savedSeries = this.#state.series.length;
  }

  static exists(folder: string, run: number): boolean {
    return existsSync(join(folder, `${run.toString()}.json`));
  }

  get read(): unknown {
    return this.#state.read;
  }

  get isOver(): boolean {
    return this.#state.isOver;
  }

  /** Those that are on the disk. */
  get end(): number {
    return this.#state.end;
  }

  /** @param origin which folder or run of the source it is: the same name of another one gets it in front. */
  takerOf(source: MetricSource, origin = ''): Take {
    return (name, step, atMs, value) => this.#add(source, origin, name, step, atMs, value);
  }

  note(note: string): void {
    const cut = cutText(note, LONGEST_NOTE);
    const { notes } = this.#state;
    if (!notes.includes(cut) && notes.length < MOST_METRIC_NOTES - 1) {
      notes.push(cut);
      this.#changed = true;
    }
  }

  #add(source: MetricSource, origin: string, named: string, step: number, atMs: number, value: number): void {
    const { count } = this.#writer;
    if (this.#state.end + count >= MOST_POINTS || count >= MOST_UNWRITTEN) {
      this.#state.leftOut += 1;
      this.#changed = true;
      return;
    }
    const at = this.#seriesOf(source, origin, named.slice(0, LONGEST_SERIES_NAME));
    if (at !== null) {
      this.#writer.add(at, step, atMs, value);
    }
  }

  #seriesOf(source: MetricSource, origin: string, name: string): number | null {
    const known = this.#byName.get(name);
    if (known === undefined) {
      return this.#newSeries(source, origin, name);
    }
    const of = this.#state.series[known];
    if (of?.source !== source) {
      // Another source told of it first, and keeps it.
      return null;
    }
    if (of.origin === origin) {
      return known;
    }
    const own = `${origin}/${name}`.slice(0, LONGEST_SERIES_NAME);
    const second = this.#byName.get(own);
    const isSame = second !== undefined && this.#state.series[second]?.origin === origin;
    return second === undefined ? this.#newSeries(source, origin, own) : isSame ? second : null;
  }

  #newSeries(source: MetricSource, origin: string, name: string): number | null {
    const { series } = this.#state;
    if (series.length >= MOST_SERIES) {
      this.note(`There are figures of more than ${MOST_SERIES.toString()} names; the others are not kept.`);
      return null;
    }
    series.push({ name, source, origin });
    this.#byName.set(name, series.length - 1);
    return series.length - 1;
  }

  /** Writes what was taken since, with how far the readers are. @throws Error where there is no room: it is kept for the next try. */
  save(readers: () => unknown, isOver = false): Promise<void> {
    const saved = this.#saving.then(() => this.#save(readers(), isOver));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  async #save(read: unknown, isOver: boolean): Promise<void> {
    const { count } = this.#writer;
    const state = this.#state;
    const isSame = JSON.stringify(read) === JSON.stringify(state.read) && isOver === state.isOver;
    if (count === 0 && !this.#changed && isSame) {
      return;
    }
    // Together: what is taken while this is written is written next.
    const bytes = this.#writer.bytes();
    mkdirSync(join(this.#path, '..'), { recursive: true, mode: 0o700 });
    if (count > 0) {
      const file = await open(`${this.#path}.points`, this.#state.end === 0 ? 'w' : 'r+', 0o600);
      try {
        let at = 0;
        while (at < bytes.length) {
          const position = state.end * POINT_BYTES + at;
          at += (await file.write(bytes, at, bytes.length - at, position)).bytesWritten;
        }
      } finally {
        await file.close();
      }
    }
    const next = { ...state, end: state.end + count, read, isOver };
    writeFileAtomic(`${this.#path}.json`, JSON.stringify(next));
    this.#savedSeries = state.series.length;
    this.#writer.drop(count);
    this.#changed = false;
    Object.assign(state, { end: next.end, read, isOver });
  }

  async page({ from, most, names }: Omit<MetricPointsQuery, 'run'>): Promise<MetricPoints> {
    const { end, series, notes, leftOut, isOver } = this.#state;
    const count = Math.max(0, Math.min(most, end - from));
    const data = Buffer.alloc(count * POINT_BYTES);
    let read = 0;
    if (count > 0) {
      const file = await open(`${this.#path}.points`, 'r');
      try {
        read = (await file.read(data, 0, data.length, from * POINT_BYTES)).bytesRead;
      } finally {
        await file.close();
      }
    }
    const points = Math.floor(read / POINT_BYTES);
    return {
      run: this.run,
      series: series.slice(names, this.#savedSeries).map(({ name, source }) => ({ name, source })),
      from,
      data: data.toString('base64', 0, points * POINT_BYTES),
      next: from + points,
      end,
      notes: [
        ...notes,
        ...(leftOut === 0
          ? []
          : [
              `${leftOut.toString()} values are not kept: of one run the first ${MOST_POINTS.toString()} are, while there is room on the disk.`,
            ]),
      ],
      isOver,
    };
  }
}

function readState(path: string): State | null {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
