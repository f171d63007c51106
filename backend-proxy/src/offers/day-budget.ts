/** How often a network that counts searches by the day is searched, so that there are some left at its end. */
import { format } from '@hitch/contract';

/** What is left of the calls that a network allows in a day; the day ends at midnight UTC. */
export interface CallsLeft {
  readonly perDay: number;
  readonly left: number;
  readonly untilMs: number;
}

/** Above this share of the day's calls they are made as at any network: nobody looks all day long. */
const EASY_SHARE = 0.5;
/** From this share on a person is told. */
const LOW_SHARE = 0.2;
/** So much is kept for prices that are asked for out of turn. */
const KEPT_SHARE = 0.05;

/**
 * How long to wait with the next search.
 * @param callsEach pages that one search takes @param everyMs how long it is at least
 */
export function searchAgainMs(
  { perDay, left, untilMs }: CallsLeft,
  {
    nowMs,
    everyMs,
    callsEach,
  }: { readonly nowMs: number; readonly everyMs: number; readonly callsEach: number },
): number {
  if (left > perDay * EASY_SHARE) {
    return everyMs;
  }
  const searches = Math.floor((left - perDay * KEPT_SHARE) / Math.max(1, callsEach));
  // Without any to spare the next one is the day after.
  return Math.max(everyMs, Math.ceil((untilMs - nowMs) / Math.max(1, searches)));
}

/** What a person should know of it; null: nothing. @param title of the network */
export function lowWords(
  title: string,
  { perDay, left, untilMs }: CallsLeft,
  { nowMs, againMs }: { readonly nowMs: number; readonly againMs: number },
): string | null {
  const until = `${format.clock(untilMs, nowMs)}, when it counts anew`;
  return left > perDay * LOW_SHARE
    ? null
    : `${title} allows ${perDay.toString()} searches a day, of which ${left.toString()} are left: it is searched again in ${format.duration(againMs)}, so that they last until ${until}.`;
}
