/**
 * Keeps the newest checkpoint of a job on this computer while it is awake. What counts is complete: a file or a folder of the
 * checkpoint folder that nobody has changed for ten seconds, by the machine's own list before and after it was copied. Each
 * is copied into a folder of its own, and is the job's only once that is whole.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterId, CopyRequest, FileEntry } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { checkpointsFolder } from './files.ts';
import { changeAt, type RentedJob } from './transitions.ts';

export interface CheckpointsOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Pick<Ledger, 'transact'>;
  readonly folder: string;
  /** What lies in a folder of the work folder; empty where it is not there. @throws HitchError UNREACHABLE */
  readonly list: (clusterId: ClusterId, path: string) => Promise<readonly FileEntry[]>;
  readonly copy: (request: CopyRequest, signal: AbortSignal) => Promise<unknown>;
  /** Unchanged for so long, it is complete. Left out: ten seconds. */
  readonly quietMs?: number;
}

const QUIET_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
/** A copy that takes long is not followed by the next at once: the job has the line to itself for as long as this many of it. */
const REST = 3;
/** A folder of a checkpoint with more files than this is not looked through. */
const MOST_FILES = 20_000;

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
}

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #notBefore = new Map<string, number>();
  readonly #kept = new Map<string, string>();
  /** What was there at the last look, and since when by this computer's clock: machines' clocks may be wrong. */
  readonly #seen = new Map<string, { readonly mark: string; readonly sinceMs: number }>();

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
    const found = await this.#complete(job, from);
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
    if (await this.#bring(job, { found, newest, from, to }, signal)) {
      this.#kept.set(job.id, mark);
    } else {
      await rm(to, { recursive: true, force: true });
    }
    const tookMs = clock.monotonic() - beganMs;
    this.#notBefore.set(job.id, clock.monotonic() + Math.max(LOOK_EVERY_MS, REST * tookMs));
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

  /** What nobody has changed for a while, the newest first. */
  async #complete(job: RentedJob, from: string): Promise<readonly Found[]> {
    const { clock, quietMs = QUIET_MS } = this.#options;
    const nowMs = clock.monotonic();
    const found = await this.#look(job.clusterId, from);
    const quiet = found.filter(({ entry, mark }) => {
      const key = `${job.id} ${entry.path}`;
      const before = this.#seen.get(key);
      const sinceMs = before?.mark === mark ? before.sinceMs : nowMs;
      this.#seen.set(key, { mark, sinceMs });
      return nowMs - sinceMs >= quietMs;
    });
    return quiet.toSorted(newestFirst);
  }

  async #look(clusterId: ClusterId, from: string): Promise<readonly Found[]> {
    const { list } = this.#options;
    const top = await list(clusterId, from);
    const found: Found[] = [];
    for (const entry of top) {
      const inside = entry.kind === 'folder' ? await this.#below(clusterId, entry.path) : [entry];
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
        });
      }
    }
    return found;
  }

  async #below(clusterId: ClusterId, path: string): Promise<readonly FileEntry[]> {
    const files: FileEntry[] = [];
    const open = [path];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      for (const entry of await this.#options.list(clusterId, folder)) {
        if (entry.kind === 'folder') {
          open.push(entry.path);
        } else {
          files.push(entry);
        }
        if (files.length + open.length > MOST_FILES) {
          throw new RangeError(
            `A checkpoint in ${path} has more than ${MOST_FILES} files, and is not kept here.`,
          );
        }
      }
    }
    return files;
  }
}
