/** How often the market lets each kind of call be made, as a network with limits by route does. */
import type { RouteLimit } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { FaultPlan, Operation } from './faults.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export type RouteLimitsByName = Readonly<Partial<Record<Operation, RouteLimit>>>;

/** What the rules of a plan say of each kind of call; null: this market says nothing of that. */
export function limitsIn({ rules }: FaultPlan): RouteLimitsByName | null {
  const limits = rules.flatMap(rule => {
    if (rule.fault !== 'limited_route') {
      return [];
    }
    const { fault: _, on, ...limit } = rule;
    return [[on, limit] as const];
  });
  return limits.length === 0 ? null : Object.fromEntries(limits);
}

/** Counts the calls that the market has answered: whoever asks, under whichever key. */
export class RouteLimits {
  readonly #clock: Clock;
  readonly #limits: RouteLimitsByName;
  /** When the calls of a route were answered that still count. */
  readonly #answered = new Map<Operation, readonly number[]>();

  constructor(clock: Clock, limits: RouteLimitsByName | null) {
    this.#clock = clock;
    this.#limits = limits ?? {};
  }

  /** @returns 0 for a call that is answered, which counts from now on; else how long to wait with such a call, in ms. */
  take(operation: Operation): number {
    const limit = this.#limits[operation];
    if (limit === undefined) {
      return 0;
    }
    const nowMs = this.#clock.now();
    const counted = (this.#answered.get(operation) ?? []).filter(atMs => counts(limit, atMs, nowMs));
    const waitMs = waitOf(limit, counted, nowMs);
    this.#answered.set(operation, waitMs > 0 ? counted : [...counted, nowMs]);
    return waitMs;
  }
}

const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS);

const counts = ({ everyMs = 0, perDay }: RouteLimit, atMs: number, nowMs: number): boolean =>
  nowMs - atMs < Math.max(MINUTE_MS, everyMs) || (perDay !== undefined && dayOf(atMs) === dayOf(nowMs));

function waitOf(
  { everyMs, perMinute, perDay }: RouteLimit,
  answered: readonly number[],
  nowMs: number,
): number {
  const last = answered.at(-1);
  const oldest = perMinute === undefined ? undefined : answered.at(-perMinute);
  const today = answered.filter(atMs => dayOf(atMs) === dayOf(nowMs)).length;
  return Math.max(
    0,
    last === undefined || everyMs === undefined ? 0 : last + everyMs - nowMs,
    oldest === undefined ? 0 : oldest + MINUTE_MS - nowMs,
    perDay === undefined || today < perDay ? 0 : DAY_MS - (nowMs % DAY_MS),
  );
}
