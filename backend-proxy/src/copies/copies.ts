/**
 * Every copy between this computer and a cluster: asked for by a client, or to save before a stop. Copies go on when
 * whoever asked has gone. Saves of one cluster go one after the other.
 */
import { join } from 'node:path';
import {
  type ClusterId,
  type Conflict,
  type Copy,
  type CopyId,
  HitchError,
  type Outcome,
  type Saving,
} from '@hitch/contract';
import { copyTree, type CopyHost, DiskThread, RemoteSide } from '@hitch/transfer';
import type { AgentLink } from '../access/agent-link.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { transferOver } from './agent-transport.ts';
import { asError, CopyRecord } from './copy-record.ts';
import {
  aborted,
  Cancelled,
  Declined,
  endedBy,
  isUnreachable,
  orAborted,
  prepareFor,
  untilOver,
  whyAgain,
} from './endings.ts';
import { flushToDisk } from './flush.ts';
import { planCopy, type Planned, planSave, type Request, type Sides } from './plan.ts';
import { stampOf } from './stamp.ts';
import { type Turn, Turns } from './turns.ts';

export interface CopiesOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** For manifests and names of copies that go on. */
  readonly folder: string;
  /** The way to a cluster's head. @throws HitchError: UNREACHABLE while it may come back. */
  readonly linkFor: (clusterId: ClusterId) => AgentLink;
  /** Stand-ins for tests. */
  readonly sidesOf?: (clusterId: ClusterId) => Sides;
  readonly flush?: typeof flushToDisk;
}

export interface SaveRequest {
  readonly clusterId: ClusterId;
  /** Of the work folder. */
  readonly paths: readonly string[];
  /** Absolute, of this computer. */
  readonly folder: string;
  /** A file of this run: what its saves have put there, so that a newer state may take the place of an older. */
  readonly ownList: string;
  /** Tried again until then, whatever fails; null: as a copy that a person asked for. */
  readonly untilMs: number | null;
  /**
   * Before each try: what the machine has to be told first. @throws HitchError: UNREACHABLE while it may come back, any
   * other when it cannot.
   */
  readonly prepare: () => Promise<void>;
}

/** What the cluster side needs of copies. */
export interface Saves {
  /** Begins a save, after those of the same cluster that go on. */
  save(request: SaveRequest): { readonly copy: Copy; readonly ended: Promise<Copy> };
  /** How far the save of a cluster is that goes on now. */
  saving(clusterId: ClusterId): Saving | null;
  /** Ends all saves of a cluster. */
  endSaves(clusterId: ClusterId, reason: string): void;
}

/** Copies that ended are remembered for those who ask later. */
const KEPT = 100;
const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 5_000;
/** A copy that a person asked for gives up after so long without an answer. */
const SILENCE_LIMIT_MS = 2 * 60_000;
/** A save that cannot write looks so often whether it can by now. */
const FULL_RETRY_MS = 10_000;
/** Left free on either disk, so that records, logs and kernels can still be written. */
const SPARE_BYTES = 64 * 1024 * 1024;

export class Copies implements Saves {
  readonly #options: CopiesOptions;
  /** Oldest first. */
  readonly #records = new Map<CopyId, CopyRecord>();
  /** The end of the last save of each cluster. */
  readonly #queues = new Map<ClusterId, Promise<unknown>>();
  readonly #turns = new Turns();
  /** At most one; it ends by itself when it is not used for a while. */
  readonly #spareDisk: DiskThread[] = [];
  readonly #ending = new AbortController();

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  /** @throws HitchError where it cannot be begun. */
  async start(request: Request, localRoot: string | null): Promise<Copy> {
    // Asked at once, so that a cluster that is over is said as such and not waited for.
    this.#checkReach(request.clusterId);
    const sides = this.#sides(request.clusterId);
    const { planned, target, places } = await planCopy(request, localRoot, sides);
    const record = this.#record(request.clusterId, request.direction, request.sources, target);
    const turn = this.#turns.of(places, record.signal);
    const plan = async (): Promise<Planned> => {
      await turn.take(() => record.state('waiting'));
      record.state('listing');
      return planned;
    };
    void this.#try(record, plan, this.#againFor(record), { turn })
      .then(problem => this.#end(record, problem))
      .finally(() => {
        turn.give();
        this.#giveBack(sides);
      });
    return record.shown;
  }

  list(clusterId?: ClusterId): Copy[] {
    return [...this.#records.values()]
      .filter(({ brief }) => clusterId === undefined || brief.clusterId === clusterId)
      .map(({ shown }) => shown);
  }

  get(id: CopyId): Copy {
    return this.#find(id).shown;
  }

  answer(id: CopyId, conflict: Conflict): Copy {
    const record = this.#find(id);
    record.answer(conflict);
    return record.copy;
  }

  async cancel(id: CopyId): Promise<Copy> {
    const record = this.#find(id);
    if (!record.isOver) {
      const ended = untilOver(record);
      record.cancel(new Cancelled());
      await ended;
    }
    return record.copy;
  }

  names(id: CopyId, outcome: Outcome, after: number, limit: number): ReturnType<CopyRecord['names']> {
    return this.#find(id).names(outcome, after, limit);
  }

  save(request: SaveRequest): { readonly copy: Copy; readonly ended: Promise<Copy> } {
    const record = this.#record(request.clusterId, 'save', request.paths, request.folder);
    record.untilMs = request.untilMs;
    const before = this.#queues.get(request.clusterId);
    if (before !== undefined) {
      record.state('waiting');
    }
    const ended = this.#save(record, request, before);
    const queued = ended.finally(() => {
      if (this.#queues.get(request.clusterId) === queued) {
        this.#queues.delete(request.clusterId);
      }
    });
    queued.catch(() => undefined);
    this.#queues.set(request.clusterId, queued);
    return { copy: record.copy, ended };
  }

  saving(clusterId: ClusterId): Saving | null {
    const going = [...this.#records.values()].filter(
      ({ brief, isOver }) => brief.clusterId === clusterId && brief.kind === 'save' && !isOver,
    );
    const [record] = going;
    if (record === undefined) {
      return null;
    }
    const { files, bytes, doneFiles, doneBytes } = record.brief;
    const untilMs = going.reduce<number | null>((last, each) => each.untilMs ?? last, null);
    return { files, bytes, doneFiles, doneBytes, untilMs, problem: record.holding };
  }

  endSaves(clusterId: ClusterId, reason: string): void {
    for (const record of this.#records.values()) {
      if (record.brief.clusterId === clusterId && record.brief.kind === 'save') {
        record.cancel(new Error(reason));
      }
    }
  }

  /** Ends every copy: the daemon ends. */
  close(): void {
    this.#ending.abort(new Error('The daemon ends.'));
    for (const record of this.#records.values()) {
      record.cancel(asError(this.#ending.signal.reason));
    }
    for (const disk of this.#spareDisk.splice(0)) {
      void disk.close();
    }
  }

  // ---- what is asked for

  #checkReach(clusterId: ClusterId): void {
    try {
      this.#options.linkFor(clusterId);
    } catch (error) {
      if (!isUnreachable(error)) {
        throw error;
      }
    }
  }

  /** Each copy has a thread to itself: a disk that hangs holds up no other copy. */
  #sides(clusterId: ClusterId): Sides {
    return (
      this.#options.sidesOf?.(clusterId) ?? {
        machine: new RemoteSide(transferOver(() => this.#options.linkFor(clusterId))),
        disk: this.#spareDisk.pop() ?? new DiskThread(),
      }
    );
  }

  /** A thread that has worked is quicker at the next copy's first files; one that hangs ends when it can. */
  #giveBack({ disk }: Sides): void {
    const isSpare = disk instanceof DiskThread && disk.isIdle && this.#spareDisk.length === 0;
    if (isSpare && !this.#ending.signal.aborted) {
      this.#spareDisk.push(disk);
    } else {
      // One that hangs in its disk ends when it can: nobody waits for that.
      void disk.close();
    }
  }

  // ---- how it goes on

  async #save(
    record: CopyRecord,
    { clusterId, paths, folder, ownList, untilMs, prepare }: SaveRequest,
    before: Promise<unknown> | undefined,
  ): Promise<Copy> {
    const { clock } = this.#options;
    const sides = this.#sides(clusterId);
    const late =
      untilMs === null
        ? null
        : clock.setTimer(
            () => record.cancel(new Error('The time kept back for saving is over.')),
            untilMs - clock.now(),
          );
    try {
      await Promise.race([before?.catch(() => undefined), aborted(record.signal)]);
      const plan = () => planSave(paths, folder, ownList, sides);
      const again = this.#againFor(record, prepare);
      for (let tries = 1; ; tries++) {
        const problem = await this.#try(record, plan, again, { prepare });
        const why = untilMs === null || record.signal.aborted ? null : whyAgain(record, problem, tries);
        if (why === null) {
          await this.#end(record, problem);
          return record.copy;
        }
        record.holding = why;
        await clock.sleep(FULL_RETRY_MS, record.signal).catch(() => undefined);
        if (record.signal.aborted) {
          // What the last try brought stands in the account.
          await this.#end(record, problem ?? endedBy(record));
          return record.copy;
        }
        record.anew();
      }
    } finally {
      late?.cancel();
      this.#giveBack(sides);
    }
  }

  /** @returns why it ended early; null: it did not. */
  async #try(
    record: CopyRecord,
    plan: () => Promise<Planned>,
    again: CopyHost['again'],
    { prepare, turn }: { readonly prepare?: () => Promise<void>; readonly turn?: Turn },
  ): Promise<HitchError | null> {
    const { clock, folder, log } = this.#options;
    try {
      if (prepare !== undefined) {
        await prepareFor(prepare, again, record.signal);
      }
      const planned = await orAborted(plan(), record.signal);
      const wanted = await copyTree(
        { ...planned, stamp: stampOf(clock.now()), spareBytes: SPARE_BYTES },
        {
          signal: record.signal,
          spool: { folder, name: record.brief.id },
          listed: totals => record.listed(totals),
          ask: () => turn?.pausedFor(() => record.ask()) ?? record.ask(),
          moved: bytes => record.moved(bytes),
          file: (state, bytes) => record.file(state, bytes),
          outcome: (outcome, path, detail) => record.outcome(outcome, path, detail),
          again,
        },
      );
      return wanted ? null : new Declined();
    } catch (error) {
      if (record.signal.aborted) {
        return endedBy(record);
      }
      if (error instanceof HitchError) {
        return error;
      }
      log.error('A copy failed', { error: asError(error).stack ?? String(error) });
      return new HitchError('INTERNAL', 'The copy failed; the daemon’s log has the details.', {
        cause: error,
      });
    }
  }

  async #end(record: CopyRecord, problem: HitchError | null): Promise<void> {
    const { clock, flush = flushToDisk } = this.#options;
    const { kind, target } = record.brief;
    if (problem === null && kind === 'save') {
      await flush(target, record.signal);
    }
    const cancelled = problem instanceof Cancelled || problem instanceof Declined;
    await record.end(
      problem === null ? 'done' : cancelled ? 'cancelled' : 'failed',
      clock.now(),
      cancelled ? null : problem,
    );
    this.#forgetOldest();
  }

  /** Waits before another try when nobody answered; gives up after a long silence where nothing else ends the copy. */
  #againFor(record: CopyRecord, prepare?: () => Promise<void>): CopyHost['again'] {
    const { clock } = this.#options;
    let tries = 0;
    let silentSince = clock.monotonic();
    let doneBefore = -1;
    return async error => {
      const { doneBytes, doneFiles } = record.brief;
      if (doneBytes + doneFiles !== doneBefore) {
        doneBefore = doneBytes + doneFiles;
        silentSince = clock.monotonic();
        tries = 0;
      }
      if (record.untilMs === null && clock.monotonic() - silentSince > SILENCE_LIMIT_MS) {
        throw error;
      }
      record.holding = asError(error).message;
      await clock.sleep(Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** tries), record.signal);
      tries += 1;
      await prepare?.().catch((problem: unknown) => {
        if (!isUnreachable(problem)) {
          throw problem;
        }
      });
    };
  }

  // ---- the records

  #record(clusterId: ClusterId, kind: Copy['kind'], sources: readonly string[], target: string): CopyRecord {
    const { clock, ids, folder, log } = this.#options;
    const id = ids.next('cop');
    const begun = { id, clusterId, kind, sources: [...sources], target, startedAtMs: clock.now() };
    const record = new CopyRecord(begun, join(folder, `${id}.names`), log);
    this.#records.set(id, record);
    if (this.#ending.signal.aborted) {
      record.cancel(asError(this.#ending.signal.reason));
    }
    return record;
  }

  #find(id: CopyId): CopyRecord {
    const record = this.#records.get(id);
    if (record === undefined) {
      throw new HitchError('NOT_FOUND', `There is no copy ${id}.`, {
        field: 'copyId',
        next: 'Ask for it again: what has arrived is not copied twice.',
      });
    }
    return record;
  }

  #forgetOldest(): void {
    const over = [...this.#records].filter(([, { isOver }]) => isOver);
    for (const [id, record] of over.slice(0, Math.max(0, over.length - KEPT))) {
      this.#records.delete(id);
      void record.forget();
    }
  }
}
