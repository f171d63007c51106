/** What a machine that comes up is waited for, and until when; and what it will cost once all of it is there. */
import type { Node, Usage } from './clusters.ts';
import { clause, clock, dollars } from './format.ts';

/** A wait that is shorter needs no word. */
const LONG_WAIT_MS = 60_000;

/** `The machine is starting; Hitch gives up at 16:20`; null: it comes up as usual, or is not waited for. */
export function waitWords(
  node: Pick<Node, 'message' | 'phaseSinceMs' | 'waitsUntilMs'>,
  nowMs: number,
): string | null {
  const { message, phaseSinceMs, waitsUntilMs = null } = node;
  if (waitsUntilMs === null || nowMs - phaseSinceMs < LONG_WAIT_MS) {
    return null;
  }
  const end = `Hitch gives up at ${clock(waitsUntilMs, nowMs)}`;
  return message === '' ? end : `${clause(message)}; ${end}`;
}

/** What all of it costs an hour once all of its machines are there. */
export const agreedRate = ({ ratePerHourMicroUsd, agreedRatePerHourMicroUsd }: Usage): string =>
  agreedRatePerHourMicroUsd ?? ratePerHourMicroUsd;

/** `$2.40/h`, or `$4.80/h ($2.40/h of it so far)` while some of its machines are still to appear. */
export function rateWords(usage: Pick<Usage, 'ratePerHourMicroUsd' | 'agreedRatePerHourMicroUsd'>): string {
  const { ratePerHourMicroUsd: now, agreedRatePerHourMicroUsd: agreed } = usage;
  return agreed === undefined ? `${dollars(now)}/h` : `${dollars(agreed)}/h (${dollars(now)}/h of it so far)`;
}
