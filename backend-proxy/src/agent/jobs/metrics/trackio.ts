/**
 * Rows out of Trackio's databases (`<TRACKIO_DIR>/<project>.db`, table `metrics`: trackio/sqlite_storage.py, init_db). A database
 * that a job wrote may hold a view that never ends, or be broken so that SQLite falls: it is read by a program of its own,
 * which is ended when it takes long.
 */
import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { Looked, Take } from './source.ts';
import { flatten } from './wandb.ts';

const READ_WITHIN_MS = 10_000;
const MOST_ROWS = 2_000;
const LONGEST_ROW = 20_000;
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
const MOST_DATABASES = 20;
const DEEPEST = 4;
/** What the program says where its Node has no SQLite. */
const NO_SQLITE = 3;

const PROGRAM = `
let DatabaseSync;
try {
  ({ DatabaseSync } = require('node:sqlite'));
} catch {
  process.exit(${NO_SQLITE.toString()});
}
const [path, after] = process.argv.slice(1);
const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
const rows = database
  .prepare(
    "SELECT id, run_name AS run, step, timestamp, substr(CAST(metrics AS TEXT), 1, ${(LONGEST_ROW + 1).toString()}) AS metrics FROM metrics WHERE id > ? ORDER BY id LIMIT ${MOST_ROWS.toString()}",
  )
  .all(Number(after));
process.stdout.write(JSON.stringify(rows));
`;

const rowsSchema = z
  .array(
    z.object({
      id: z.number(),
      run: z.string(),
      step: z.number(),
      timestamp: z.string(),
      metrics: z.string(),
    }),
  )
  .max(MOST_ROWS);

export interface TrackioState {
  /** The last row that was read, by the database's name. */
  readonly after: Readonly<Record<string, number>>;
}

export class TrackioFolder {
  readonly #folder: string;
  readonly #withinMs: number;
  readonly #after: Map<string, number>;
  /** As it was when all of it was read. */
  readonly #seen = new Map<string, string>();

  constructor(folder: string, { after }: TrackioState = { after: {} }, withinMs = READ_WITHIN_MS) {
    this.#folder = folder;
    this.#withinMs = withinMs;
    this.#after = new Map(Object.entries(after));
  }

  get state(): TrackioState {
    return { after: Object.fromEntries(this.#after) };
  }

  /** @param takeOf for each run of each project. @throws Error with a sentence where a database cannot be read. */
  async look(takeOf: (run: string) => Take): Promise<Looked> {
    const names = (await readdir(this.#folder).catch(() => [])).filter(name => name.endsWith('.db'));
    let more = false;
    for (const name of names.sort().slice(0, MOST_DATABASES)) {
      const path = join(this.#folder, name);
      const now = await stateOf(path);
      if (now === null || this.#seen.get(name) === now) {
        continue;
      }
      const rows = await rowsOf(path, this.#after.get(name) ?? 0, this.#withinMs);
      for (const row of rows) {
        this.#after.set(name, row.id);
        takeRow(row, takeOf(row.run));
      }
      if (rows.length === MOST_ROWS) {
        more = true;
      } else {
        this.#seen.set(name, now);
      }
    }
    return more ? 'more' : 'end';
  }
}

/** Of the database and what is written beside it first; null: it is no plain file. */
async function stateOf(path: string): Promise<string | null> {
  const [main, log] = await Promise.all([path, `${path}-wal`].map(each => stat(each).catch(() => null)));
  return main?.isFile() === true
    ? [main.size, main.mtimeMs, log?.size ?? 0, log?.mtimeMs ?? 0].join(' ')
    : null;
}

async function rowsOf(path: string, after: number, withinMs: number): Promise<z.infer<typeof rowsSchema>> {
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', '-e', PROGRAM, path, after.toString()],
      {
        timeout: withinMs,
        killSignal: 'SIGKILL',
        maxBuffer: MOST_ANSWER_BYTES,
        windowsHide: true,
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      },
    );
    return rowsSchema.parse(JSON.parse(stdout));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    throw new Error(
      code === NO_SQLITE
        ? 'Trackio’s figures are not read: the Node of this machine has no SQLite.'
        : `Trackio’s database ${path.split(/[\\/]/).at(-1) ?? ''} cannot be read.`,
      { cause },
    );
  }
}

function takeRow({ step, timestamp, metrics }: z.infer<typeof rowsSchema>[number], take: Take): void {
  if (metrics.length > LONGEST_ROW) {
    return;
  }
  try {
    flatten('', JSON.parse(metrics), DEEPEST, (name, value) =>
      take(name, step, Date.parse(timestamp), value),
    );
  } catch {
    // A row that is no JSON holds no figures.
  }
}
