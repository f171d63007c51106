/**
 * Checkpoints of a job in a bucket. A small program beside the job writes them, by addresses that are signed here for a week and
 * signed again after half of it; so they are kept while this computer sleeps. What is there is read from the bucket itself, and
 * a machine in the place of a lost one goes on from the newest that is whole, here or there.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BUCKET_PIECE_BYTES,
  HitchError,
  type JobBucket,
  type JobCheckpoint,
  type JobId,
  type JobSpec,
  jobSpecSchema,
  MOST_BUCKET_PIECES,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { type JobBucketRecord, jobs } from '../../../ledger/kinds/job.ts';
import type { Ledger } from '../../../ledger/ledger.ts';
import { checkpointsFolder } from '../files.ts';
import { changeAt, type RentedJob } from '../transitions.ts';
import { Bucket, bucketKeys, type Fetch, LONGEST_ADDRESS_S, tryBucket } from './bucket.ts';
import { KEEPER } from './keeper-texts.ts';
import {
  baseOf,
  checkpointOf,
  fetchKept,
  type Kept,
  keptIn,
  manifestKey,
  pieceKey,
  PLACES,
  problemIn,
  problemKey,
} from './manifest.ts';

export interface BucketKeeperOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Pick<Ledger, 'transact'>;
  /** Where jobs keep what they need on this computer. */
  readonly folder: string;
  readonly secrets: (names: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  /** Copies a folder of this computer into the work folder. @throws HitchError */
  readonly send: (
    job: RentedJob,
    copy: { readonly from: string; readonly to: string },
    signal: AbortSignal,
  ) => Promise<void>;
  /** Begins a program on the job's machine, once; @returns whether it runs. */
  readonly begin: (job: RentedJob, id: JobId, spec: JobSpec) => Promise<boolean>;
  readonly fetch?: Fetch;
}

const LOOK_EVERY_MS = 15_000;
/** On the machine, in the work folder. */
const TARGET = '.hitch-bucket';
const ADDRESSES = 'addresses.json';

export class BucketKeeper {
  readonly #options: BucketKeeperOptions;
  readonly #notBefore = new Map<JobId, number>();

  constructor(options: BucketKeeperOptions) {
    this.#options = options;
  }

  /** @throws HitchError BAD_INPUT where nothing can be kept there. */
  async try(bucket: JobBucket, signal: AbortSignal): Promise<void> {
    const { ids } = this.#options;
    await tryBucket(await this.#open(bucket), `hitch-${ids.secret(8)}`, signal);
  }

  /** Sees that the program runs beside the job, and looks what it has kept. */
  async keep(job: RentedJob, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { bucket } = job.rental;
    if (bucket === null || job.attemptId === null || clock.monotonic() < (this.#notBefore.get(job.id) ?? 0)) {
      return;
    }
    this.#notBefore.set(job.id, clock.monotonic() + LOOK_EVERY_MS);
    const opened = await this.#open(bucket);
    const half = (LONGEST_ADDRESS_S * 1_000) / 2;
    const { keeper } = bucket;
    if (keeper?.attemptId !== job.attemptId || keeper.signedUntilMs - clock.now() < half) {
      await this.#begin(job, bucket, opened, signal);
    }
    await this.#look(job, opened, signal);
  }

  /** @returns the newest checkpoint that is whole, here or in the bucket, brought here; null: there is none. */
  async bringBack(job: RentedJob, signal: AbortSignal): Promise<JobCheckpoint | null> {
    const { rental } = job;
    const { bucket, checkpoint } = rental;
    if (bucket === null || rental.replaced === 0) {
      return checkpoint;
    }
    const opened = await this.#open(bucket);
    const kept = await this.#newest(job, opened, signal);
    if (kept === null || (checkpoint !== null && checkpoint.writtenAtMs >= kept.manifest.writtenAtMs)) {
      return checkpoint;
    }
    const { clock, ids, ledger, folder } = this.#options;
    const to = join(checkpointsFolder(folder, job.id), ids.secret(8));
    await mkdir(to, { recursive: true, mode: 0o700 });
    try {
      await fetchKept(opened, kept, to, signal);
    } catch (error) {
      await rm(to, { recursive: true, force: true });
      throw error;
    }
    const { name, files, bytes, writtenAtMs } = checkpointOf(opened, kept);
    const brought = { name, files, bytes, writtenAtMs, keptAtMs: clock.now(), folder: to };
    await ledger.transact(tx => changeAt(tx, job.id, 'sending', { rental: { checkpoint: brought } }));
    if (checkpoint !== null) {
      await rm(checkpoint.folder, { recursive: true, force: true });
    }
    return brought;
  }

  async #open(bucket: JobBucket): Promise<Bucket> {
    const { secrets, fetch } = this.#options;
    return new Bucket(bucket, await bucketKeys(secrets), fetch);
  }

  /** Of the machine that was lost last; where that had kept none, of the one before it. */
  async #newest({ id, rental }: RentedJob, bucket: Bucket, signal: AbortSignal): Promise<Kept | null> {
    for (let machine = rental.replaced - 1; machine >= 0; machine--) {
      const [newest] = await keptIn(bucket, baseOf(id, machine), signal);
      if (newest !== undefined) {
        return newest;
      }
    }
    return null;
  }

  async #begin(job: RentedJob, record: JobBucketRecord, bucket: Bucket, signal: AbortSignal): Promise<void> {
    const { ids, ledger, clock, folder, send, begin } = this.#options;
    const { checkpointFolder } = job.rental;
    const { attemptId } = job;
    if (checkpointFolder === null || attemptId === null) {
      return;
    }
    const isThere = record.keeper?.attemptId === attemptId;
    const keeper = {
      jobId: isThere ? record.keeper.jobId : ids.next('job'),
      attemptId,
      signedUntilMs: 0,
    };
    // Written first, so that no crash makes two of them, which would write over each other.
    const note = (signedUntilMs: number) =>
      ledger.transact(tx =>
        changeAt(tx, job.id, 'running', {
          rental: { bucket: { ...record, keeper: { ...keeper, signedUntilMs } } },
        }),
      );
    if (!isThere && !(await note(0))) {
      return;
    }
    const signedUntilMs = clock.now() + LONGEST_ADDRESS_S * 1_000;
    const from = join(folder, job.id, 'bucket');
    await mkdir(from, { recursive: true, mode: 0o700 });
    try {
      await writeFile(join(from, 'keep.py'), KEEPER);
      const addresses = await addressesFor(bucket, baseOf(job.id, job.rental.replaced), checkpointFolder);
      await writeFile(join(from, ADDRESSES), JSON.stringify(addresses), { mode: 0o600 });
      await send(job, { from, to: TARGET }, signal);
    } finally {
      await rm(from, { recursive: true, force: true });
    }
    if (!(await begin(job, keeper.jobId, KEEPER_SPEC))) {
      throw new HitchError('CONFLICT', 'The program that keeps checkpoints in the bucket has ended.');
    }
    await note(signedUntilMs);
  }

  async #look(job: RentedJob, bucket: Bucket, signal: AbortSignal): Promise<void> {
    const base = baseOf(job.id, job.rental.replaced);
    const [newest] = await keptIn(bucket, base, signal);
    const checkpoint = newest === undefined ? null : checkpointOf(bucket, newest);
    const message = await problemIn(bucket, base, signal);
    await this.#options.ledger.transact(tx => {
      const now = tx.get(jobs, job.id);
      const record = now?.rental?.bucket ?? null;
      if (record === null) {
        return;
      }
      const seen = checkpoint ?? record.checkpoint;
      if (seen?.keptAtMs !== record.checkpoint?.keptAtMs || message !== record.message) {
        changeAt(tx, job.id, 'running', { rental: { bucket: { ...record, checkpoint: seen, message } } });
      }
    });
  }
}

const KEEPER_SPEC = jobSpecSchema.parse({
  work: { kind: 'command', command: ['python', `${TARGET}/keep.py`, `${TARGET}/${ADDRESSES}`] },
  folder: '',
  retries: 10,
});

async function addressesFor(bucket: Bucket, base: string, folder: string): Promise<object> {
  const put = (key: string): Promise<string> => bucket.address('PUT', key, LONGEST_ADDRESS_S);
  return {
    folder,
    pieceBytes: BUCKET_PIECE_BYTES,
    problem: await put(problemKey(base)),
    places: await Promise.all(
      PLACES.map(async place => ({
        manifest: await put(manifestKey(base, place)),
        pieces: await Promise.all(
          Array.from({ length: MOST_BUCKET_PIECES }, (_, number) => put(pieceKey(base, place, number))),
        ),
      })),
    ),
  };
}
