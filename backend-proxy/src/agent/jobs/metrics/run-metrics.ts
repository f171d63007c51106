/** Gathers the figures of one run of a job from all that it may write to, until the run is over and all is read. */
import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { JobSpec, Signals } from '@hitch/contract';
import * as z from 'zod';
import { errorText } from '@hitch/platform/src/log.ts';
import { findMetricFiles, type MetricFile } from './find-files.ts';
import { Output } from './output.ts';
import { Patterns } from './patterns.ts';
import type { PointsFile } from './points-file.ts';
import type { Take } from './source.ts';
import { EventFile } from './tensorboard.ts';
import { TrackioFolder } from './trackio.ts';
import { WandbFile } from './wandb.ts';

export interface RunPlace {
  /** Of the job's program; absolute. */
  readonly folder: string;
  readonly trackioFolder: string;
  /** Of the run. */
  readonly logFolder: string;
  readonly startedAtMs: number;
  readonly patterns: JobSpec['metricPatterns'];
  readonly now: () => number;
  /** How the machine does; null: not known. */
  readonly signals: () => Promise<Signals | null>;
  /** Whether the file is this job's, where another job runs in the same folder. */
  readonly isOurs: (path: string) => Promise<boolean>;
}

const FIND_EVERY_MS = 2_000;
/** Looking for files takes at most this part of the time. */
const FIND_SHARE = 20;
const TRACKIO_EVERY_MS = 3_000;
const SIGNALS_EVERY_MS = 15_000;
/** A file that was written on last before the run began is of an earlier one. */
const BEFORE_MS = 2_000;

const fileSchema = z.object({
  kind: z.enum(['tensorboard', 'wandb']),
  offset: z.number(),
  wrong: z.number(),
  passes: z.boolean().default(false),
});
const readSchema = z.object({
  files: z.record(z.string(), fileSchema),
  output: z.object({ from: z.number() }),
  trackio: z.object({ after: z.record(z.string(), z.number()) }),
});
type Read = z.infer<typeof readSchema>;

interface Followed extends MetricFile {
  readonly file: EventFile | WandbFile;
  readonly take: Take;
  isDamaged: boolean;
}

export class RunMetrics {
  readonly #place: RunPlace;
  readonly #points: PointsFile;
  readonly #files = new Map<string, Followed>();
  readonly #output: Output;
  readonly #trackio: TrackioFolder;
  #findAgainAtMs = 0;
  #trackioAtMs = 0;
  #signalsAtMs = 0;

  /** @param before how far files were read by the run before this one. */
  constructor(place: RunPlace, points: PointsFile, before: unknown) {
    this.#place = place;
    this.#points = points;
    const read = readSchema.safeParse(points.read).data;
    const known = read ?? readSchema.safeParse(before).data;
    Object.entries(known?.files ?? {}).forEach(([path, state]) =>
      this.#follow({ path, kind: state.kind }, state),
    );
    const patterns = new Patterns(place.patterns, note => points.note(note));
    this.#output = new Output(place.logFolder, patterns, read?.output);
    this.#trackio = new TrackioFolder(place.trackioFolder, known?.trackio);
  }

  /** @param isOver the run has ended: all is read that there is. @returns whether there is more to read now. */
  async look(isOver: boolean): Promise<boolean> {
    const nowMs = this.#place.now();
    await this.#find(nowMs, isOver);
    let more = false;
    for (const followed of this.#files.values()) {
      more = (await this.#lookAt(followed)) || more;
    }
    more = (await this.#lookAtTrackio(nowMs, isOver)) || more;
    // Last: a figure that a file has too is as exact there as it was logged.
    const printed = await this.#output.look(
      { line: this.#points.takerOf('output'), pattern: this.#points.takerOf('pattern') },
      nowMs,
      isOver,
    );
    await this.#signals(nowMs, isOver);
    return more || printed === 'more';
  }

  get read(): Read {
    return {
      files: Object.fromEntries(
        [...this.#files].map(([path, { kind, file }]) => [path, { kind, passes: false, ...file.state }]),
      ),
      output: this.#output.state,
      trackio: this.#trackio.state,
    };
  }

  async #find(nowMs: number, isOver: boolean): Promise<void> {
    if (nowMs < this.#findAgainAtMs && !isOver) {
      return;
    }
    const { files, isCut } = await findMetricFiles(this.#place.folder);
    const tookMs = Math.max(0, this.#place.now() - nowMs);
    this.#findAgainAtMs = nowMs + Math.max(FIND_EVERY_MS, tookMs * FIND_SHARE);
    if (isCut) {
      this.#points.note(
        'The job’s folder holds more files than are looked through for figures; those of TensorBoard and W&B may be missing.',
      );
    }
    for (const file of files.filter(({ path }) => !this.#files.has(path))) {
      if (await this.#place.isOurs(file.path)) {
        const now = await stat(file.path).catch(() => null);
        const isOld = now !== null && now.mtimeMs < this.#place.startedAtMs - BEFORE_MS;
        this.#follow(file, { offset: isOld ? now.size : 0, wrong: 0, passes: false });
      }
    }
  }

  #follow({ path, kind }: MetricFile, state: { offset: number; wrong: number; passes: boolean }): void {
    const folder = relative(this.#place.folder, dirname(path)) || '.';
    const isEvents = kind === 'tensorboard';
    this.#files.set(path, {
      path,
      kind,
      file: isEvents ? new EventFile(path, state) : new WandbFile(path, state),
      take: this.#clean(this.#points.takerOf(kind, folder.replaceAll('\\', '/'))),
      isDamaged: false,
    });
  }

  /** What is no time is taken for now. */
  #clean(take: Take): Take {
    return (name, step, atMs, value) =>
      take(name, step, Number.isFinite(atMs) && atMs > 0 && atMs < 8.64e15 ? atMs : this.#place.now(), value);
  }

  async #lookAt(followed: Followed): Promise<boolean> {
    if (followed.isDamaged) {
      return false;
    }
    const { file, path, take } = followed;
    const before = file.state.wrong;
    const looked = await file.look(take);
    const name = relative(this.#place.folder, path);
    if (looked === 'damaged') {
      followed.isDamaged = true;
      this.#points.note(
        `${name} is damaged at byte ${file.state.offset.toString()}; figures after that are not read.`,
      );
    } else if (file.state.wrong > before) {
      this.#points.note(`${name} has damaged records, whose figures are left out.`);
    }
    return looked === 'more';
  }

  async #lookAtTrackio(nowMs: number, isOver: boolean): Promise<boolean> {
    if (nowMs < this.#trackioAtMs && !isOver) {
      return false;
    }
    this.#trackioAtMs = nowMs + TRACKIO_EVERY_MS;
    try {
      return (await this.#trackio.look(run => this.#clean(this.#points.takerOf('trackio', run)))) === 'more';
    } catch (error) {
      this.#points.note(errorText(error));
      return false;
    }
  }

  async #signals(nowMs: number, isOver: boolean): Promise<void> {
    if (nowMs < this.#signalsAtMs || isOver) {
      return;
    }
    this.#signalsAtMs = nowMs + SIGNALS_EVERY_MS;
    const signals = await this.#place.signals();
    if (signals === null) {
      return;
    }
    const take = this.#points.takerOf('machine');
    const say = (name: string, value: number | null): void => {
      if (value !== null) {
        take(name, Number.NaN, signals.atMs, value);
      }
    };
    say('cpu %', signals.cpuPercent);
    say('memory MiB', signals.memoryUsedMiB);
    for (const { index, utilizationPercent, vramUsedMiB } of signals.gpus) {
      say(`gpu ${index.toString()} %`, utilizationPercent);
      say(`gpu ${index.toString()} memory MiB`, vramUsedMiB);
    }
  }
}

/** Where a job's program has Trackio write: in the work folder, so that a person can fetch it and look at it with Trackio. */
export const trackioFolderOf = (workFolder: string, jobName: string): string =>
  join(workFolder, '.trackio', jobName);
