/**
 * Where the daemon is. It is looked for without being started until somebody needs it. One that has died while a window
 * followed it, or while a cluster lives, is started again; one that was told to end is not.
 */
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { FoundDaemon } from '@hitch/client-node/src/find.ts';

export interface PlaceDeps {
  /** The daemon that runs and proves itself; null when there is none. */
  readonly find: () => Promise<FoundDaemon | null>;
  /** The same, started where there is none. @throws HitchError with a sentence. */
  readonly ensure: () => Promise<FoundDaemon>;
  /** A missing daemon is to be replaced: it has died, or clusters live that it looks after. */
  readonly isNeeded: () => boolean;
  readonly monotonic: () => number;
}

/** A look serves a burst of calls. */
const FRESH_MS = 1_000;

export class DaemonPlace {
  readonly #deps: PlaceDeps;
  #known: FoundDaemon | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<FoundDaemon | null> | null = null;
  #starting: Promise<FoundDaemon> | null = null;

  constructor(deps: PlaceDeps) {
    this.#deps = deps;
  }

  /** What was found last, without looking: for those who cannot wait. It may not answer any more. */
  get last(): FoundDaemon | null {
    return this.#known;
  }

  /** The daemon that runs now, or null; nothing is started. */
  look(): Promise<FoundDaemon | null> {
    this.#looking ??= this.#deps.find().then(
      found => this.#noted(found),
      (error: unknown) => {
        this.#looking = null;
        throw error;
      },
    );
    return this.#looking;
  }

  /** The daemon, started where there is none. @throws HitchError with a sentence. */
  ensure(): Promise<FoundDaemon> {
    this.#starting ??= this.#deps
      .ensure()
      .then(found => this.#noted(found) ?? found)
      .finally(() => {
        this.#starting = null;
      });
    return this.#starting;
  }

  /** For each call: what is known, looked for again now and then. @throws HitchError UNREACHABLE when there is none. */
  async current(): Promise<FoundDaemon> {
    if (this.#known !== null && this.#deps.monotonic() - this.#lookedAt < FRESH_MS) {
      return this.#known;
    }
    const found = await this.look();
    if (found !== null) {
      return found;
    }
    if (this.#deps.isNeeded()) {
      return this.ensure();
    }
    throw new HitchError('UNREACHABLE', 'Hitch’s daemon is not running.', {
      next: 'Start it from the GPUs view.',
    });
  }

  /** Somebody was refused: the next call looks first. */
  doubt(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  #noted(found: FoundDaemon | null): FoundDaemon | null {
    this.#looking = null;
    this.#lookedAt = this.#deps.monotonic();
    this.#known = found ?? this.#known;
    return found;
  }
}
