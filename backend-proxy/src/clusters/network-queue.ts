/**
 * Who may call one network now: so many at once, what is urgent first, each kind of call as often as the network allows
 * it, and none of a kind that it asks to wait with. Whoever would wait long is refused at once with a sentence; only what
 * ends money waits, goes first afterwards, and has places of its own.
 */
import type { RouteLimit, RouteUse } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import type { CallsLeft } from '../offers/day-budget.ts';
import type { Provider } from '../providers/provider.ts';
import {
  CALLS_AT_ONCE,
  NETWORK_PAUSE_LONGEST_MS,
  PAUSE_WAIT_MS,
  TURN_WAIT_MS,
  URGENT_CALLS_BESIDE,
  URGENT_WAIT_MS,
} from './limits.ts';
import { NetworkWaits, Pause, timeWords } from './pause.ts';
import { RouteGate } from './route-gate.ts';

/** Ending things goes before buying, buying before looking. */
export type Urgency = 0 | 1 | 2;

interface Waiter {
  readonly gate: RouteGate;
  /** Whether it has a place among those under way, and waits for a page more. */
  readonly isUnder: boolean;
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
  readonly late: Timer;
}

export interface QueueOptions {
  readonly network: Pick<Provider, 'title'>;
  /** How often each route may be called; one that is not named may be called as it comes. */
  readonly limits: Readonly<Record<string, RouteLimit>>;
}

export class NetworkQueue {
  readonly #clock: Clock;
  readonly #options: QueueOptions;
  /** By urgency, each in the order in which they came. */
  readonly #waiting: readonly Set<Waiter>[] = [new Set(), new Set(), new Set()];
  readonly #gates = new Map<string, RouteGate>();
  #under = 0;
  /** Those under way that wait for a page more. */
  #pagers = 0;
  #waking: Timer | null = null;
  #ended: Error | null = null;

  constructor(clock: Clock, options: QueueOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** How long the network still asks everybody to wait with these; 0: it does not. */
  waitMs(route: string): number {
    const gate = this.#gate(route);
    return Math.max(gate.pause.waitMs, gate.quotaMs);
  }

  /** What is left of a day's calls; null: they are not counted. */
  left(route: string): CallsLeft | null {
    return this.#gate(route).today;
  }

  /** How often each route was called, of those that have a limit or are waited with. */
  uses(): readonly RouteUse[] {
    Object.keys(this.#options.limits).forEach(route => this.#gate(route));
    return [...this.#gates].flatMap(([route, gate]) => {
      const waiting = this.#waiting.flatMap(set => [...set]).filter(waiter => waiter.gate === gate).length;
      const use = gate.use(route === '' ? 'all calls' : route, waiting);
      return route in this.#options.limits || use.pausedUntilMs !== null ? [use] : [];
    });
  }

  /**
   * Resolves when a call may start. @throws NetworkWaits when it would wait, or has waited, for too long.
   * @param isUnder it is under way, and asks for a page more
   */
  enter(route: string, urgency: Urgency, isUnder = false): Promise<void> {
    const gate = this.#gate(route);
    if (this.#ended !== null) {
      return Promise.reject(this.#ended);
    }
    if (urgency > 0 && this.waitMs(route) >= PAUSE_WAIT_MS) {
      return Promise.reject(this.#refusal(gate));
    }
    if (this.#mayStart(gate, urgency, isUnder) && this.#waiting.every(({ size }) => size === 0)) {
      this.#begin(gate, isUnder);
      return Promise.resolve();
    }
    return new Promise<void>((resolve, reject) => {
      const late = this.#clock.setTimer(
        () => this.#refuse(waiter, this.#refusal(gate)),
        urgency === 0 ? URGENT_WAIT_MS : TURN_WAIT_MS,
      );
      const waiter: Waiter = { gate, isUnder, start: resolve, refuse: reject, late };
      this.#waiting[urgency]?.add(waiter);
      this.#pagers += isUnder ? 1 : 0;
      this.#next();
    }).finally(() => {
      this.#pagers -= isUnder ? 1 : 0;
    });
  }

  /** Somebody who got in was not asking yet, and does now: the network counts from here. */
  asks(route: string): void {
    this.#gate(route).left();
  }

  leave(): void {
    this.#under -= 1;
    this.#next();
  }

  /** The network asked for a pause. @returns how long it is kept: not for ever, whatever was asked for. */
  pause(route: string, ms: number): number {
    const gate = this.#gate(route);
    const keptMs = gate.pause.ask(ms);
    if (gate.pause.waitMs >= PAUSE_WAIT_MS) {
      const refused = this.#waiting.slice(1).flatMap(waiting => [...waiting]);
      refused
        .filter(waiter => waiter.gate === gate)
        .forEach(waiter => this.#refuse(waiter, this.#refusal(gate)));
    }
    return keptMs;
  }

  /** Nobody waits any more, and nobody gets in. */
  end(reason: Error): void {
    this.#ended = reason;
    this.#waking?.cancel();
    this.#waiting.forEach(waiting => [...waiting].forEach(waiter => this.#refuse(waiter, reason)));
  }

  /** Why nobody gets in there now. */
  refusal(route: string): NetworkWaits {
    return this.#refusal(this.#gate(route));
  }

  #refusal(gate: RouteGate): NetworkWaits {
    const { title } = this.#options.network;
    const { quotaMs, pause } = gate;
    if (quotaMs > pause.waitMs) {
      const until = timeWords(this.#clock.now() + quotaMs);
      return new NetworkWaits(
        `${title} was asked as often as it allows in a day; it is asked again at ${until}.`,
        quotaMs,
      );
    }
    return pause.waitMs === 0
      ? new NetworkWaits(`${title} has too many calls to answer; it is asked again.`, 0)
      : pause.refusal();
  }

  #gate(route: string): RouteGate {
    const known = this.#gates.get(route);
    if (known !== undefined) {
      return known;
    }
    const { network, limits } = this.#options;
    const pause = new Pause(this.#clock, network, NETWORK_PAUSE_LONGEST_MS);
    const gate = new RouteGate(this.#clock, pause, limits[route] ?? {});
    this.#gates.set(route, gate);
    return gate;
  }

  #mayStart(gate: RouteGate, urgency: Urgency, isUnder: boolean): boolean {
    const most = urgency === 0 ? CALLS_AT_ONCE + URGENT_CALLS_BESIDE : CALLS_AT_ONCE;
    return gate.waitMs === 0 && (isUnder || this.#under < most);
  }

  #begin(gate: RouteGate, isUnder: boolean): void {
    gate.take();
    this.#under += isUnder ? 0 : 1;
  }

  #refuse(waiter: Waiter, error: Error): void {
    if (this.#waiting.some(waiting => waiting.delete(waiter))) {
      waiter.late.cancel();
      waiter.refuse(error);
    }
  }

  #next(): void {
    this.#waiting.forEach((waiting, at) => {
      const urgency: Urgency = at === 0 ? 0 : at === 1 ? 1 : 2;
      // Of a thousand that wait for one thing, the first tells for all.
      const closed = new Set<RouteGate>();
      for (const waiter of waiting) {
        if (closed.has(waiter.gate)) {
          continue;
        }
        if (waiter.gate.waitMs > 0) {
          closed.add(waiter.gate);
        } else if (this.#mayStart(waiter.gate, urgency, waiter.isUnder)) {
          waiting.delete(waiter);
          waiter.late.cancel();
          this.#begin(waiter.gate, waiter.isUnder);
          waiter.start();
        } else if (this.#pagers === 0) {
          break;
        }
      }
    });
    this.#wakeLater();
  }

  /** Those that wait for their route alone are woken when it is open again. */
  #wakeLater(): void {
    this.#waking?.cancel();
    this.#waking = null;
    const gates = new Set(this.#waiting.flatMap(waiting => [...waiting].map(({ gate }) => gate)));
    const waits = [...gates].map(({ waitMs }) => waitMs).filter(ms => ms > 0);
    if (waits.length > 0) {
      this.#waking = this.#clock.setTimer(
        () => {
          this.#waking = null;
          this.#next();
        },
        Math.min(...waits),
      );
    }
  }
}
