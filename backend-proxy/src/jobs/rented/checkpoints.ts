/**
 * Keeps the newest checkpoint of a job on this computer while it is awake. What counts is complete: a file or a folder of the
 * checkpoint folder that nobody has changed for ten seconds, by the machine's own list before and after it was copied, and that
 * has what its framework writes last (`whole-checkpoint.ts`). Each is copied into a folder of its own, and is the job's only once that is whole.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterId, type CopyRequest, type FileEntry, shownName } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { jobs } from '../../ledger/kinds/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { checkpointsFolder } from './files.ts';
import { changeAt, isRented, type RentedJob } from './transitions.ts';
import { wholeness } from '../../templates/whole-checkpoint.ts';

export interface CheckpointsOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Pick<Ledger, 'transact'>;
  readonly folder: string;
  /** What lies in a folder of the work folder; empty where it is not there. @throws HitchError UNREACHABLE */
  readonly list: (clusterId: ClusterId, path: string) => Promise<readonly FileEntry[]>;
  readonly copy: (request: CopyRequest, signal: AbortSignal) => Promise<unknown>;
}

/** Unchanged for so long, it is complete where nothing of its framework is missing. */
const QUIET_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
/** A copy that takes long is not followed by the next at once: the job has the line to itself for as long as this many of it. */
const REST = 3;
/** More files and folders than this are not looked through, and the job says so. */
const MOST_ENTRIES = 20_000;

/** Of those that were written in one moment, the one with the highest number comes first. */
const newestFirst = (one: Found, other: Found): number =>
  other.newestMs - one.newestMs || other.entry.name.localeCompare(one.entry.name, 'en', { numeric: true });

interface Found {
  readonly entry: FileEntry;
  readonly files: number;
  readonly bytes: number;
  readonly newestMs: number;
  /** Differs where anything in it does. */
  readonly mark: string;
  /** Its framework has written what it writes last, or is none that is known. */
  readonly whole: boolean;
}

/** For all of one look: a machine could show folders in folders without end. */
interface Room {
  left: number;
  readonly folder: string;
}

class TooMany extends Error {
  constructor(folder: string) {
    super(
      `Its checkpoints are not kept here: ~/work/${shownName(folder)} has more than ${MOST_ENTRIES.toString()} files and folders. Remove old ones there.`,
    );
  }
}

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #notBefore = new Map<string, number>();
  readonly #kept = new Map<string, string>();
  /** What was there at the last look, and since when by this computer's clock: machines' clocks may be wrong. */
  readonly #seen = new Map<
    string,
    ReadonlyMap<string, { readonly mark: string; readonly sinceMs: number }>
  >();
  /** Jobs whose leftovers of an earlier daemon are gone. */
  readonly #tidy = new Set<string>();

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  async keep(job: RentedJob, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const from = job.rental.checkpointFolder;
    if (from === null || clock.monotonic() < (this.#notBefore.get(job.id) ?? 0)) {
      return;
    }
    this.#notBefore.set(job.id, clock.monotonic() + LOOK_EVERY_MS);
    await this.#removeLeftovers(job);
    const found = await this.#found(job, from);
    const [newest] = found;
    if (newest === undefined) {
      return;
    }
    const mark = found.map(each => each.mark).join('\n');
    if (this.#kept.get(job.id) === mark) {
      return;
    }
    const beganMs = clock.monotonic();
    const to = join(checkpointsFolder(this.#options.folder, job.id), this.#options.ids.secret(8));
    let isKept = false;
    try {
      isKept = await this.#bring(job, { found, newest, from, to }, signal);
    } finally {
      if (isKept) {
        this.#kept.set(job.id, mark);
      } else {
        await rm(to, { recursive: true, force: true });
      }
      const tookMs = clock.monotonic() - beganMs;
      this.#notBefore.set(job.id, clock.monotonic() + Math.max(LOOK_EVERY_MS, REST * tookMs));
    }
  }

  /** A daemon that died in the middle of a copy leaves a part of one, which may be large. */
  async #removeLeftovers(job: RentedJob): Promise<void> {
    if (this.#tidy.has(job.id)) {
      return;
    }
    const root = checkpointsFolder(this.#options.folder, job.id);
    const names = await readdir(root).catch(() => []);
    const left = names.map(name => join(root, name)).filter(path => path !== job.rental.checkpoint?.folder);
    await Promise.all(left.map(path => rm(path, { recursive: true, force: true })));
    this.#tidy.add(job.id);
  }

  /** What is complete; where there is too much to look through the job says that, until it is otherwise. */
  async #found(job: RentedJob, from: string): Promise<readonly Found[]> {
    let message = '';
    try {
      return await this.#complete(job, from);
    } catch (error) {
      if (!(error instanceof TooMany)) {
        throw error;
      }
      message = error.message;
      return [];
    } finally {
      if (job.rental.message !== message) {
        await this.#options.ledger.transact(tx => {
          const now = tx.get(jobs, job.id);
          if (isRented(now) && !now.rental.stopAsked) {
            changeAt(tx, job.id, 'running', { rental: { message } });
          }
        });
      }
    }
  }

  /** @returns whether it is the job's newest checkpoint now. */
  async #bring(
    job: RentedJob,
    { found, newest, from, to }: { found: readonly Found[]; newest: Found; from: string; to: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, ledger, copy } = this.#options;
    await mkdir(to, { recursive: true, mode: 0o700 });
    await copy(
      {
        clusterId: job.clusterId,
        direction: 'fetch',
        sources: found.map(({ entry }) => entry.path),
        target: to,
        intoFolder: true,
        conflict: 'replace',
        all: true,
      },
      signal,
    );
    const now = new Map((await this.#look(job.clusterId, from)).map(each => [each.entry.path, each.mark]));
    // What changed meanwhile may be half of one and half of another; what was removed was whole while it was read.
    if (found.some(({ entry, mark }) => now.has(entry.path) && now.get(entry.path) !== mark)) {
      return false;
    }
    const before = job.rental.checkpoint?.folder ?? null;
    const isKept = await ledger.transact(tx =>
      changeAt(tx, job.id, 'running', {
        rental: {
          checkpoint: {
            name: newest.entry.name,
            files: found.reduce((sum, { files }) => sum + files, 0),
            bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
            writtenAtMs: newest.newestMs,
            keptAtMs: clock.now(),
            folder: to,
          },
        },
      }),
    );
    if (isKept && before !== null) {
      await rm(before, { recursive: true, force: true });
    }
    return isKept;
  }

  /** What is whole and nobody has changed for a while, the newest first. */
  async #complete(job: RentedJob, from: string): Promise<readonly Found[]> {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const found = await this.#look(job.clusterId, from);
    const before = this.#seen.get(job.id);
    const seen = new Map(
      found.map(({ entry: { path }, mark }) => {
        const known = before?.get(path);
        return [path, { mark, sinceMs: known?.mark === mark ? known.sinceMs : nowMs }] as const;
      }),
    );
    this.#seen.set(job.id, seen);
    const quiet = found.filter(
      ({ entry: { path }, whole }) => whole && nowMs - (seen.get(path)?.sinceMs ?? nowMs) >= QUIET_MS,
    );
    return quiet.toSorted(newestFirst);
  }

  async #look(clusterId: ClusterId, from: string): Promise<readonly Found[]> {
    const { list } = this.#options;
    const top = await list(clusterId, from);
    const room = { left: MOST_ENTRIES - top.length, folder: from };
    const found: Found[] = [];
    for (const entry of top) {
      const inside = entry.kind === 'folder' ? await this.#below(clusterId, entry.path, room) : [entry];
      const files = inside.filter(({ kind }) => kind === 'file');
      if (files.length > 0) {
        found.push({
          entry,
          files: files.length,
          bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
          newestMs: Math.max(...files.map(({ modifiedAtMs }) => modifiedAtMs)),
          mark: files
            .map(({ path, sizeBytes, modifiedAtMs }) => `${path} ${sizeBytes} ${modifiedAtMs}`)
            .join('\n'),
          whole: wholeness(files) !== 'open',
        });
      }
    }
    return found;
  }

  async #below(clusterId: ClusterId, path: string, room: Room): Promise<readonly FileEntry[]> {
    const files: FileEntry[] = [];
    const open = [path];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      const entries = await this.#options.list(clusterId, folder);
      room.left -= entries.length;
      if (room.left < 0) {
        throw new TooMany(room.folder);
      }
      for (const entry of entries) {
        if (entry.kind === 'folder') {
          open.push(entry.path);
        } else {
          files.push(entry);
        }
      }
    }
    return files;
  }
}
