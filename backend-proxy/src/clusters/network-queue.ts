/**
 * Who may call one network now: so many at once, what is urgent first, and nobody while the network asks to wait.
 * Whoever would wait long is refused at once with a sentence; only what ends money waits, and goes first afterwards.
 */
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { type Provider, ProviderError } from '../providers/provider.ts';
import {
  CALLS_AT_ONCE,
  NETWORK_PAUSE_LONGEST_MS,
  PAUSE_WAIT_MS,
  TURN_WAIT_MS,
  URGENT_WAIT_MS,
} from './limits.ts';

/** Ending things goes before buying, buying before looking. */
export type Urgency = 0 | 1 | 2;

/** The call was not made: its network asks everybody to wait, or has too much to answer. */
export class NetworkWaits extends ProviderError {
  /** How long it still asks to wait; 0 where it only has too much to answer. */
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super('retryable', message);
    this.waitMs = waitMs;
  }
}

/** Until when a network asks not to be asked, for anything or for one kind of thing. */
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

interface Waiter {
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
  readonly late: Timer;
}

export class NetworkQueue {
  readonly #clock: Clock;
  readonly #title: string;
  /** By urgency, each in the order in which they came. */
  readonly #waiting: readonly Set<Waiter>[] = [new Set(), new Set(), new Set()];
  readonly #pause: Pause;
  #under = 0;
  #waking: Timer | null = null;
  #ended: Error | null = null;

  constructor(clock: Clock, network: Pick<Provider, 'title'>) {
    this.#clock = clock;
    this.#title = network.title;
    this.#pause = new Pause(clock, network, NETWORK_PAUSE_LONGEST_MS);
  }

  /** How long the network still asks everybody to wait; 0: it does not. */
  get waitMs(): number {
    return this.#pause.waitMs;
  }

  /** Resolves when a call may start. @throws NetworkWaits when it would wait, or has waited, for too long. */
  enter(urgency: Urgency): Promise<void> {
    if (this.#ended !== null) {
      return Promise.reject(this.#ended);
    }
    if (urgency > 0 && this.waitMs >= PAUSE_WAIT_MS) {
      return Promise.reject(this.refusal());
    }
    if (this.waitMs === 0 && this.#under < CALLS_AT_ONCE && this.#waiting.every(({ size }) => size === 0)) {
      this.#under += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const late = this.#clock.setTimer(
        () => this.#refuse(waiter, this.refusal()),
        urgency === 0 ? URGENT_WAIT_MS : TURN_WAIT_MS,
      );
      const waiter: Waiter = { start: resolve, refuse: reject, late };
      this.#waiting[urgency]?.add(waiter);
      this.#next();
    });
  }

  leave(): void {
    this.#under -= 1;
    this.#next();
  }

  /** The network asked for a pause. @returns how long it is kept: not for ever, whatever was asked for. */
  pause(ms: number): number {
    const keptMs = this.#pause.ask(ms);
    if (this.waitMs >= PAUSE_WAIT_MS) {
      this.#waiting.slice(1).forEach(waiting => this.#refuseAll(waiting, this.refusal()));
    }
    return keptMs;
  }

  /** Nobody waits any more, and nobody gets in. */
  end(reason: Error): void {
    this.#ended = reason;
    this.#waking?.cancel();
    this.#waiting.forEach(waiting => this.#refuseAll(waiting, reason));
  }

  /** Why nobody gets in now. */
  refusal(): NetworkWaits {
    return this.waitMs === 0
      ? new NetworkWaits(`${this.#title} has too many calls to answer; it is asked again.`, 0)
      : this.#pause.refusal();
  }

  #refuseAll(waiting: ReadonlySet<Waiter>, error: Error): void {
    [...waiting].forEach(waiter => this.#refuse(waiter, error));
  }

  #refuse(waiter: Waiter, error: Error): void {
    if (this.#waiting.some(waiting => waiting.delete(waiter))) {
      waiter.late.cancel();
      waiter.refuse(error);
    }
  }

  #next(): void {
    const pauseMs = this.waitMs;
    if (pauseMs > 0) {
      this.#waking ??= this.#clock.setTimer(() => {
        this.#waking = null;
        this.#next();
      }, pauseMs);
      return;
    }
    while (this.#under < CALLS_AT_ONCE) {
      const queue = this.#waiting.find(({ size }) => size > 0);
      const [waiter] = queue ?? [];
      if (queue === undefined || waiter === undefined) {
        return;
      }
      queue.delete(waiter);
      waiter.late.cancel();
      this.#under += 1;
      waiter.start();
    }
  }
}

/** The full minute at which it is over, by this computer's time: a wait that is over earlier than said harms nobody. */
function timeWords(atMs: number): string {
  return new Date(Math.ceil(atMs / 60_000) * 60_000).toTimeString().slice(0, 5);
}
