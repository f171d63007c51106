/**
 * Samples of a machine's use on the disk: lines of JSON in files that are only appended to. A line is the names of the series from
 * there on (an object), or a moment and a value for each of them (a list). What a killed agent leaves is read as far as it goes: a
 * line that is torn is left out. Files begin anew after a while, and those that are older than what is kept go as a whole.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  MOST_USE_FIGURES,
  type UseName,
  useKey,
  useNameSchema,
  type UsePage,
  type UseQuery,
  type UseSeries,
} from '@hitch/contract/src/use/wire.ts';
import * as z from 'zod';

export interface UseSample {
  readonly atMs: number;
  readonly names: readonly UseName[];
  /** One for each name. */
  readonly values: readonly (number | null)[];
}

export interface UseLogOptions {
  readonly folder: string;
  /** Begins the names of its files. */
  readonly name: string;
  /** A file holds so long. */
  readonly fileMs: number;
  readonly keptMs: number;
}

const namesSchema = z.object({ series: z.array(useNameSchema) });
const valuesSchema = z.array(z.number().nullable()).min(1);

export class UseLog {
  readonly #options: UseLogOptions;
  /** The first moment of each file, the oldest first. */
  #files: number[];
  /** The names that stand last in the file. */
  #names = '';
  #lastMs = 0;

  constructor(options: UseLogOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const pattern = new RegExp(`^${options.name}-(\\d+)\\.jsonl$`);
    this.#files = readdirSync(options.folder)
      .flatMap(file => pattern.exec(file)?.[1] ?? [])
      .map(Number)
      .toSorted((a, b) => a - b);
    const last = this.#files.at(-1);
    if (last !== undefined) {
      this.#lastMs = this.#read(last).at(-1)?.atMs ?? last;
    }
  }

  /** The moment of the latest sample; 0: there is none. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** A clock that was put back adds no sample before those there are. @throws Error where there is no room. */
  add({ atMs: measuredMs, names: series, values }: UseSample): void {
    const { fileMs } = this.#options;
    const atMs = Math.max(Math.round(measuredMs), this.#lastMs + 1);
    const last = this.#files.at(-1);
    if (last === undefined || atMs - last >= fileMs) {
      this.#begin(atMs);
    }
    const names = JSON.stringify({ series });
    const line = JSON.stringify([atMs, ...values.map(rounded)]);
    const file = this.#path(this.#files.at(-1) ?? atMs);
    // Another program's last line may be torn: names begin a line of their own.
    appendFileSync(file, names === this.#names ? `${line}\n` : `\n${names}\n${line}\n`, { mode: 0o600 });
    this.#names = names;
    this.#lastMs = atMs;
  }

  /** All samples after a moment, the oldest first. */
  *after(afterMs: number): Generator<UseSample> {
    for (const [at, file] of this.#files.entries()) {
      const nextMs = this.#files[at + 1];
      if (nextMs === undefined || nextMs > afterMs) {
        yield* this.#read(file, afterMs);
      }
    }
  }

  page({ afterMs, most }: Pick<UseQuery, 'afterMs' | 'most'>): UsePage {
    const timesMs: number[] = [];
    const all = new Map<string, UseSeries>();
    let names: readonly UseName[] | null = null;
    let columns: readonly UseSeries[] = [];
    for (const sample of this.after(afterMs)) {
      if (sample.names !== names) {
        names = sample.names;
        columns = columnsOf(names, all, timesMs.length);
      }
      if (timesMs.length >= most || (timesMs.length + 1) * all.size > MOST_USE_FIGURES) {
        return { timesMs, series: evened(all, timesMs.length), more: true };
      }
      columns.forEach((column, at) => column.values.push(sample.values[at] ?? null));
      timesMs.push(sample.atMs);
    }
    return { timesMs, series: evened(all, timesMs.length), more: false };
  }

  #begin(atMs: number): void {
    this.#files.push(atMs);
    this.#names = '';
    const oldestMs = atMs - this.#options.keptMs;
    const old = this.#files.filter((_, at) => (this.#files[at + 1] ?? Number.POSITIVE_INFINITY) <= oldestMs);
    old.forEach(file => rmSync(this.#path(file), { force: true }));
    this.#files = this.#files.filter(file => !old.includes(file));
  }

  #read(file: number, afterMs = 0): UseSample[] {
    let names: readonly UseName[] = [];
    const samples: UseSample[] = [];
    for (const line of textOf(this.#path(file)).split('\n')) {
      if (line.startsWith('{')) {
        names = namesSchema.safeParse(parsed(line)).data?.series ?? [];
      } else if (Number.parseInt(line.slice(1, 20), 10) > afterMs) {
        // Most lines of a file are older than what is asked for: their first number says so.
        const [atMs, ...values] = valuesSchema.safeParse(parsed(line)).data ?? [];
        if (typeof atMs === 'number' && values.length === names.length) {
          samples.push({ atMs, names, values });
        }
      }
    }
    return samples;
  }

  #path(file: number): string {
    return join(this.#options.folder, `${this.#options.name}-${file.toString()}.jsonl`);
  }
}

/** Where the values of a sample go, among all series of the page; one that begins has none before. */
function columnsOf(names: readonly UseName[], all: Map<string, UseSeries>, count: number): UseSeries[] {
  return names.map(name => {
    const key = useKey(name);
    const column = { ...name, values: padded(all.get(key)?.values ?? [], count) };
    all.set(key, column);
    return column;
  });
}

/** Of series that ended before the page does, the rest is not known. */
const evened = (all: ReadonlyMap<string, UseSeries>, count: number): UseSeries[] =>
  [...all.values()].map(series => ({ ...series, values: padded(series.values, count) }));

function padded(values: (number | null)[], count: number): (number | null)[] {
  while (values.length < count) {
    values.push(null);
  }
  return values;
}

/** Three digits are more than anybody sees. */
const rounded = (value: number | null): number | null =>
  value === null || !Number.isFinite(value) || value < 0
    ? null
    : value < 100
      ? Math.round(value * 10) / 10
      : Math.round(value);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
