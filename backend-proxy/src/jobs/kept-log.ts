/**
 * What this computer holds of the logs of jobs, so that they can be read when the machine is gone: the same files as on
 * the machine (agent/jobs/job-log.ts), a folder a run. Bytes keep their numbers.
 */
import { mkdirSync } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobId, JobLogExtent, JobLogPage } from '@hitch/contract';
import { logExtent, openStretch, readLog, searchLog } from '../agent/jobs/job-log.ts';

/** Of one run; what is more goes from its middle, as on the machine. */
export const KEPT_BYTES_A_RUN = 64 * 1024 * 1024;
const PIECE_BYTES = 4 * 1024 * 1024;

const nameOf = (first: number): string => `${first.toString().padStart(16, '0')}.log`;

export class KeptLog {
  readonly #folder: string;
  readonly #mostBytes: number;

  constructor(root: string, jobId: JobId, mostBytes = KEPT_BYTES_A_RUN) {
    this.#folder = join(root, jobId);
    this.#mostBytes = mostBytes;
  }

  extent(run: number): Promise<JobLogExtent> {
    return logExtent(this.#of(run));
  }

  async bytes(run: number): Promise<number> {
    const { endByte, droppedBytes } = await this.extent(run);
    return endByte - droppedBytes;
  }

  read(run: number, from: number, most: number): ReturnType<typeof readLog> {
    return readLog(this.#of(run), from, most);
  }

  open(run: number, from: number, most: number): ReturnType<typeof openStretch> {
    return openStretch(this.#of(run), from, most);
  }

  search(run: number, text: string, from: number): ReturnType<typeof searchLog> {
    return searchLog(this.#of(run), text, from);
  }

  /** Adds a page as the machine gave it; what is here already is not written twice. */
  async add({ run, from, data }: Pick<JobLogPage, 'run' | 'from' | 'data'>): Promise<void> {
    const folder = this.#of(run);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const pieces = (await readdir(folder)).filter(name => /^\d{16}\.log$/.test(name)).sort();
    const last = pieces.at(-1);
    const lastFirst = last === undefined ? 0 : Number(last.slice(0, 16));
    const lastBytes = last === undefined ? 0 : (await stat(join(folder, last))).size;
    const end = lastFirst + lastBytes;
    const bytes = Buffer.from(data, 'base64').subarray(Math.max(0, end - from));
    if (bytes.length === 0) {
      return;
    }
    const at = Math.max(from, end);
    const goesOn = last !== undefined && at === end && lastBytes < PIECE_BYTES;
    if (!goesOn) {
      // The first and the newest stay.
      const most = Math.max(2, Math.floor(this.#mostBytes / PIECE_BYTES) - 1);
      for (const name of pieces.slice(1, Math.max(1, pieces.length - most + 1))) {
        await rm(join(folder, name), { force: true });
      }
    }
    const file = await open(join(folder, goesOn ? last : nameOf(at)), 'a', 0o600);
    try {
      await file.appendFile(bytes);
    } finally {
      await file.close();
    }
  }

  #of(run: number): string {
    return join(this.#folder, run.toString());
  }
}

/** Removes the logs of jobs that no record speaks of any more. */
export async function removeOthers(root: string, isKnown: (id: string) => boolean): Promise<void> {
  const names = await readdir(root).catch(() => []);
  await Promise.all(
    names.filter(name => !isKnown(name)).map(name => rm(join(root, name), { recursive: true, force: true })),
  );
}
