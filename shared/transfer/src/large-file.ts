/**
 * One large file: in its own stream, from where it broke off, and only then to its place. What has arrived of it lies
 * beside the place under a name of that version of the file.
 */
import type { Outcome } from '@hitch/contract/src/copies.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { CopyPlan } from './copy-plan.ts';
import { isUnreadable, reasonOf } from './disk-calls.ts';
import type { Entry, WritePolicy, Written } from './entry.ts';
import type { OpenFile } from './sides.ts';
import { standingOf } from './standing.ts';

/** The copy that the file is of. */
export interface LargeFileHost {
  readonly plan: CopyPlan;
  readonly policy: WritePolicy;
  readonly signal: AbortSignal;
  /** Aborted when nobody wants the copy any more, and not because one of its streams failed. */
  readonly ended: AbortSignal;
  /** How the file is called in sentences. */
  readonly path: string;
  /** Runs what may be asked again when nobody answered. */
  readonly again: (run: () => Promise<void>) => Promise<void>;
  /** So many more bytes have arrived; fewer, where it begins anew. */
  readonly moved: (bytes: number) => void;
  /** Resolves once it is known whether there is room for what has arrived. */
  readonly settled: () => Promise<void>;
  readonly written: (entry: Entry, written: Written) => void;
  readonly outcome: (outcome: Outcome, entry: Entry, detail: string) => void;
}

/** @throws HitchError when the copy cannot go on; what is about this file alone is told. */
export function moveLarge(entry: Entry, host: LargeFileHost): Promise<void> {
  return new LargeFile(entry, host).move();
}

class LargeFile {
  readonly #entry: Entry;
  readonly #host: LargeFileHost;
  /** As it was when it was last opened. */
  #known: Entry;
  #changed = false;
  #tries = 0;
  #shown = 0;

  constructor(entry: Entry, host: LargeFileHost) {
    this.#entry = entry;
    this.#host = host;
    this.#known = entry;
  }

  move(): Promise<void> {
    return this.#host.again(() => this.#try());
  }

  async #try(): Promise<void> {
    const { plan, policy, signal, written } = this.#host;
    const { source, target, roots, to } = plan;
    this.#tries += 1;
    if (this.#tries > 1 && (await this.#isThere())) {
      const placed = await target.place(to, this.#known, policy, signal);
      this.#show(this.#known.sizeBytes);
      written(this.#entry, { ...placed, changed: this.#changed });
      return;
    }
    const offset = await this.#goesOnAt();
    const file = await source.open(roots, this.#known, offset, signal).catch((error: unknown) => error);
    if (!isOpenFile(file)) {
      await this.#failed(file);
      return;
    }
    try {
      await this.#moveFrom(offset, file);
    } catch (error) {
      await this.#giveRoomBack();
      throw error;
    } finally {
      await file.close();
    }
  }

  /** A copy that ends because its disk is full leaves nothing there that is not whole. */
  async #giveRoomBack(): Promise<void> {
    const { plan, signal, ended } = this.#host;
    const reason: unknown = signal.reason;
    if (reason instanceof HitchError && reason.code === 'STORAGE_FULL') {
      await plan.target.forget(plan.to, this.#known, ended).catch(() => undefined);
      this.#show(0);
    }
  }

  async #moveFrom(offset: number, file: OpenFile): Promise<void> {
    const { plan, policy, signal, path, written } = this.#host;
    const { target, to } = plan;
    const { sizeBytes, modifiedAtMs, mode } = file;
    const isOther = sizeBytes !== this.#known.sizeBytes || modifiedAtMs !== this.#known.modifiedAtMs;
    this.#known = { ...this.#known, sizeBytes, modifiedAtMs, mode };
    if (offset > 0 && isOther) {
      throw new HitchError('UNREACHABLE', `${path} changed before it was read on.`);
    }
    this.#show(offset);
    let position = offset;
    const reading = new Reading(file.bytes, path, some => {
      position += some;
      this.#show(position);
    });
    const arrived = await target
      .append(to, this.#known, offset, policy, reading.bytes(), signal)
      .catch((error: unknown) => reading.problem ?? error);
    if (!isWritten(arrived)) {
      // What the other end says of a stream that was ended here is of no interest.
      signal.throwIfAborted();
      if (reading.problem === null) {
        throw arrived;
      }
      await this.#failed(reading.problem);
      return;
    }
    if (arrived.state !== 'copied') {
      await target.forget(to, this.#known, signal);
      this.#show(0);
      written(this.#entry, arrived);
      return;
    }
    this.#changed = file.changed();
    if (arrived.bytes < sizeBytes && !this.#changed) {
      throw new HitchError('UNREACHABLE', `${path} broke off on the way.`);
    }
    await this.#host.settled();
    signal.throwIfAborted();
    const placed = await target.place(to, this.#known, policy, signal);
    written(this.#entry, {
      ...placed,
      bytes: placed.state === 'copied' ? arrived.bytes : 0,
      changed: this.#changed,
    });
  }

  #show(position: number): void {
    this.#host.moved(position - this.#shown);
    this.#shown = position;
  }

  /** @throws the error when it is not about this file. */
  async #failed(error: unknown): Promise<void> {
    if (!(error instanceof HitchError && (error.code === 'NOT_FOUND' || error.code === 'CONFLICT'))) {
      throw error;
    }
    const { plan, signal, outcome } = this.#host;
    await plan.target.forget(plan.to, this.#entry, signal);
    this.#show(0);
    if (error.code === 'NOT_FOUND') {
      outcome('gone', this.#entry, '');
    } else {
      outcome('unreadable', this.#entry, error.message);
    }
  }

  /** Whether a try whose answer was lost has brought it to its place. */
  async #isThere(): Promise<boolean> {
    const { plan, signal } = this.#host;
    const [standing] = await standingOf(plan, [this.#known], signal);
    return standing === 'same' || standing === 'touch';
  }

  /** Where it goes on: what has arrived is compared first, because a part may be of anything. */
  async #goesOnAt(): Promise<number> {
    const { plan, signal } = this.#host;
    const { source, target, roots, to } = plan;
    const known = this.#known;
    const arrived = await target.part(to, known, signal);
    if (arrived === 0 || arrived > known.sizeBytes) {
      return 0;
    }
    const [mine, [theirs]] = await Promise.all([
      target.partHash(to, known, signal),
      source.hash(roots, [known], [arrived], signal),
    ]);
    return mine !== null && mine === theirs ? arrived : 0;
  }
}

const isOpenFile = (found: unknown): found is OpenFile =>
  typeof found === 'object' && found !== null && 'bytes' in found && 'changed' in found;

const isWritten = (found: unknown): found is Written =>
  typeof found === 'object' && found !== null && 'state' in found;

/** The bytes of a file on their way. What ends the reading is known here, whatever becomes of it further on. */
class Reading {
  readonly #bytes: AsyncIterable<Uint8Array>;
  readonly #path: string;
  readonly #count: (some: number) => void;
  problem: HitchError | null = null;

  constructor(bytes: AsyncIterable<Uint8Array>, path: string, count: (some: number) => void) {
    this.#bytes = bytes;
    this.#path = path;
    this.#count = count;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    try {
      for await (const some of this.#bytes) {
        // Whoever takes it may hand it on to another thread, and it is empty here then.
        const { length } = some;
        yield some;
        this.#count(length);
      }
    } catch (error) {
      this.problem = error instanceof HitchError ? error : this.#unreadable(error);
      throw this.problem ?? error;
    }
  }

  #unreadable(cause: unknown): HitchError | null {
    return isUnreadable(cause)
      ? new HitchError('CONFLICT', `${this.#path} cannot be read: ${reasonOf(cause)}.`, { cause })
      : null;
  }
}
