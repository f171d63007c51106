/** Until when a network asks not to be asked, for anything or for one kind of thing. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import { type Provider, ProviderError } from '../providers/provider.ts';

/** The call was not made: its network asks everybody to wait, or has too much to answer. */
export class NetworkWaits extends ProviderError {
  /** How long it still asks to wait; 0 where it only has too much to answer. */
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super('retryable', message);
    this.waitMs = waitMs;
  }
}

export class Pause {
  readonly #clock: Clock;
  readonly #title: string;
  readonly #longestMs: number;
  #untilMs = 0;

  /** @param longestMs not for ever, whatever is asked for. */
  constructor(clock: Clock, { title }: Pick<Provider, 'title'>, longestMs: number) {
    this.#clock = clock;
    this.#title = title;
    this.#longestMs = longestMs;
  }

  /** How long it still asks to wait; 0: it does not. */
  get waitMs(): number {
    return Math.max(0, this.#untilMs - this.#clock.monotonic());
  }

  /** @returns how long it is kept. */
  ask(ms: number): number {
    const keptMs = Number.isFinite(ms) ? Math.min(Math.max(0, ms), this.#longestMs) : 0;
    this.#untilMs = Math.max(this.#untilMs, this.#clock.monotonic() + keptMs);
    return keptMs;
  }

  refusal(): NetworkWaits {
    const { waitMs } = this;
    const until = timeWords(this.#clock.now() + waitMs);
    return new NetworkWaits(`${this.#title} asks to wait until ${until}.`, waitMs);
  }
}

/** The full minute at which it is over, by this computer's time: a wait that is over earlier than said harms nobody. */
export function timeWords(atMs: number): string {
  return new Date(Math.ceil(atMs / 60_000) * 60_000).toTimeString().slice(0, 5);
}
