/**
 * One large file: in its own stream, from where it broke off, and only then to its place. What has arrived of it lies
 * beside the place under a name of that version of the file.
 */
import type { Outcome } from '@hitch/contract/src/copies.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { bytes as bytesWords } from '@hitch/contract/src/format.ts';
import type { CopyPlan } from './copy-plan.ts';
import type { Entry, WritePolicy, Written } from './entry.ts';
import type { OpenFile } from './sides.ts';
import { standingOf } from './standing.ts';

/** So often it is read on from one place in vain. */
const MOST_BREAKS = 8;

/** The copy that the file is of. */
export interface LargeFileHost {
  readonly plan: CopyPlan;
  readonly policy: WritePolicy;
  readonly signal: AbortSignal;
  /** How the file is called in sentences. */
  readonly path: string;
  /** Runs what may be asked again when nobody answered. */
  readonly again: (run: () => Promise<void>) => Promise<void>;
  /** So many more bytes have arrived; fewer, where it begins anew. */
  readonly moved: (bytes: number) => void;
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
  /** Where it broke off last, and how often there. */
  #brokeAt = -1;
  #breaks = 0;

  constructor(entry: Entry, host: LargeFileHost) {
    this.#entry = entry;
    this.#host = host;
    this.#known = entry;
  }

  move(): Promise<void> {
    return this.#host.again(() => this.#try());
  }

  async #try(): Promise<void> {
    const { plan, policy, signal, written, outcome } = this.#host;
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
      if (this.#isStuckAt(offset)) {
        await target.forget(to, this.#known, signal);
        this.#show(0);
        outcome('unreadable', this.#entry, `breaks off after ${bytesWords(offset)} each time`);
        return;
      }
      await this.#moveFrom(offset, file);
    } finally {
      await file.close();
    }
  }

  /**
   * A bad place on a disk looks like a connection that breaks: but that one would break elsewhere, or not be made. Before
   * anything has arrived they cannot be told apart: an answer that comes early breaks the connection there too.
   */
  #isStuckAt(offset: number): boolean {
    this.#breaks = offset > 0 && offset === this.#brokeAt ? this.#breaks + 1 : 0;
    this.#brokeAt = offset;
    return this.#breaks >= MOST_BREAKS;
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
    const bytes = counted(file.bytes, some => {
      position += some;
      this.#show(position);
    });
    const arrived = await target.append(to, this.#known, offset, policy, bytes, signal);
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

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  count: (some: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const some of bytes) {
    // Whoever takes it may hand it on to another thread, and it is empty here then.
    const { length } = some;
    yield some;
    count(length);
  }
}
