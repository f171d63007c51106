/** What this computer holds of the figures of jobs: the points of each run, in a file beside one that names their series. */
import { mkdirSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobId } from '@hitch/contract';
import { POINT_BYTES } from '@hitch/contract/src/metrics/points.ts';
import {
  type MetricGlance,
  type MetricPoints,
  type MetricPointsQuery,
  metricPointsSchema,
} from '@hitch/contract/src/metrics/wire.ts';
import type * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { glanceAfter, keptGlanceSchema, shownGlance } from './glance.ts';
import { Columns } from './metric-columns.ts';

const aboutSchema = metricPointsSchema
  .pick({ series: true, end: true, notes: true, isOver: true })
  .extend({ glance: keptGlanceSchema.nullable() });
type About = z.infer<typeof aboutSchema>;

const NONE: About = { series: [], end: 0, notes: [], isOver: false, glance: null };
/** Runs whose columns stay in memory, since they are looked at: a million points are 24 MB. */
const MOST_IN_MEMORY = 2;
/** Runs of which it stays in memory what they are about. */
const MOST_ABOUTS = 100;

interface Held {
  readonly columns: Columns;
  /** So many points are in them. */
  count: number;
}

export class KeptMetrics {
  readonly #root: string;
  readonly #abouts = new Map<string, About>();
  /** Of every run that was listed. */
  readonly #glances = new Map<string, MetricGlance | null>();
  readonly #held = new Map<string, Held>();
  readonly #doing = new Map<string, Promise<unknown>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** What is known of a run's figures; the same as of none where nothing is kept. */
  async about(id: JobId, run: number): Promise<About> {
    const path = this.#path(id, run);
    const known = this.#abouts.get(path);
    if (known !== undefined) {
      return known;
    }
    const about = await readAbout(`${path}.json`);
    this.#remember(path, about);
    return about;
  }

  async glance(id: JobId, run: number): Promise<MetricGlance | null> {
    const path = this.#path(id, run);
    if (!this.#glances.has(path)) {
      await this.about(id, run);
    }
    return this.#glances.get(path) ?? null;
  }

  /**
   * Adds a page as the machine gave it. One that does not begin where what is kept ends is left out: another was first.
   * @param names so many were known when it was asked for.
   */
  add(id: JobId, run: number, page: MetricPoints, names: number): Promise<void> {
    return this.#inTurn(this.#path(id, run), async path => {
      const before = await this.about(id, run);
      if (page.from !== before.end || names !== before.series.length) {
        return;
      }
      const bytes = Buffer.from(page.data, 'base64');
      const series = [...before.series, ...page.series];
      if (bytes.length > 0) {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(`${path}.points`, before.end === 0 ? 'w' : 'r+', 0o600);
        try {
          await file.write(bytes, 0, bytes.length, before.end * POINT_BYTES);
        } finally {
          await file.close();
        }
      }
      const { notes, isOver } = page;
      const end = before.end + bytes.length / POINT_BYTES;
      const glance = glanceAfter(before.glance, series, bytes);
      const about = { series, end, notes, isOver: isOver && end >= page.end, glance };
      if (JSON.stringify(about) !== JSON.stringify(before)) {
        writeFileAtomic(`${path}.json`, JSON.stringify(about));
        this.#remember(path, about);
      }
    });
  }

  async columns(id: JobId, run: number): Promise<Columns> {
    return this.#inTurn(this.#path(id, run), async path => this.#columns(path, await this.about(id, run)));
  }

  async page(id: JobId, run: number, query: Omit<MetricPointsQuery, 'run'>): Promise<MetricPoints> {
    const { series, end, notes, isOver } = await this.about(id, run);
    const { from, most, names } = query;
    const data = await readPoints(this.#path(id, run), from, Math.max(0, Math.min(most, end - from)));
    return {
      ...{ run, series: series.slice(names), from, data: data.toString('base64') },
      ...{ next: from + data.length / POINT_BYTES, end, notes, isOver },
    };
  }

  #path(id: JobId, run: number): string {
    return join(this.#root, id, 'metrics', run.toString());
  }

  #remember(path: string, about: About): void {
    this.#abouts.delete(path);
    this.#abouts.set(path, about);
    this.#glances.set(path, about.glance === null ? null : shownGlance(about.glance));
    forgetOldest(this.#abouts, MOST_ABOUTS);
  }

  /** From the memory, and from the disk what is not there. */
  async #columns(path: string, { series, end }: About): Promise<Columns> {
    const held = this.#held.get(path) ?? { columns: new Columns(), count: 0 };
    this.#held.delete(path);
    const bytes = await readPoints(path, held.count, end - held.count);
    held.columns.add(series, bytes);
    held.count += bytes.length / POINT_BYTES;
    this.#held.set(path, held);
    forgetOldest(this.#held, MOST_IN_MEMORY);
    return held.columns;
  }

  async #inTurn<T>(path: string, run: (path: string) => Promise<T>): Promise<T> {
    const before = this.#doing.get(path) ?? Promise.resolve();
    const turn = before.then(() => run(path));
    const settled = turn.catch(() => undefined);
    this.#doing.set(path, settled);
    try {
      return await turn;
    } finally {
      if (this.#doing.get(path) === settled) {
        this.#doing.delete(path);
      }
    }
  }
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) {
    map.delete(oldest);
  }
}

async function readAbout(path: string): Promise<About> {
  try {
    return aboutSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return NONE;
  }
}

/** Whole points; fewer where the file has fewer. */
async function readPoints(path: string, from: number, count: number): Promise<Buffer> {
  const size = count === 0 ? 0 : ((await stat(`${path}.points`).catch(() => null))?.size ?? 0);
  const points = Math.max(0, Math.min(count, Math.floor(size / POINT_BYTES) - from));
  const data = Buffer.alloc(points * POINT_BYTES);
  if (points > 0) {
    const file = await open(`${path}.points`, 'r');
    try {
      await file.read(data, 0, data.length, from * POINT_BYTES);
    } finally {
      await file.close();
    }
  }
  return data;
}
