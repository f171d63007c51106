/** How the page stands with the daemon, from what its calls came to; and the sentence that says so. */
import { HitchError } from '@hitch/contract';
import type { HitchLink } from '../tokens.ts';

/** So long a loss is taken for a hiccup, and a start for a start. */
const PATIENCE_MS = 20_000;

/** No waiting mends these. */
const REFUSED = new Set(['UNAUTHORIZED', 'FORBIDDEN_ORIGIN', 'VERSION_MISMATCH']);

const CONNECTING: HitchLink = { state: 'connecting', sentence: 'Connecting to Hitch.' };
const LIVE: HitchLink = { state: 'live', sentence: 'Connected to Hitch.' };

export class LinkState {
  readonly #now: () => number;
  #link = CONNECTING;
  #everLive = false;
  #failingSinceMs: number | null;

  constructor(now: () => number) {
    this.#now = now;
    this.#failingSinceMs = now();
  }

  get link(): HitchLink {
    return this.#link;
  }

  /** @returns whether the link is other than before. */
  succeeded(): boolean {
    this.#everLive = true;
    this.#failingSinceMs = null;
    return this.#become(LIVE);
  }

  /** @returns whether the link is other than before. */
  failed(error: unknown): boolean {
    this.#failingSinceMs ??= this.#now();
    const known = error instanceof HitchError ? error : null;
    const lasting = this.#now() - this.#failingSinceMs > PATIENCE_MS;
    const message = known?.message ?? 'Hitch’s daemon does not answer.';
    const next = known?.next ?? 'Running clusters keep running, within their limits; Hitch keeps trying.';
    const state =
      lasting || (known !== null && REFUSED.has(known.code))
        ? 'down'
        : this.#everLive
          ? 'reconnecting'
          : 'connecting';
    return this.#become({ state, sentence: `${message} ${next}` });
  }

  #become(link: HitchLink): boolean {
    const same = link.state === this.#link.state && link.sentence === this.#link.sentence;
    this.#link = link;
    return !same;
  }
}
