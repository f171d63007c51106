/** What became of a person's own purchases of one host, and how it is said. Nobody else is asked for it. */
import * as z from 'zod';
import { clause, duration } from './format.ts';

const count = z.number().int().min(0);

export const hostHistorySchema = z.object({
  /** Of one physical machine, or of an offer whose network does not name the machine. */
  of: z.enum(['machine', 'offer']),
  purchases: count,
  /** A notebook could run there once. */
  cameUp: count,
  /** None ever could, for a reason of the host's; the rest were ended before either. */
  notUp: count,
  /** Of those: it was not what was offered. */
  failedChecks: count,
  /** Of those that came up: lost while they ran. */
  died: count,
  /** The median of the latest times from the purchase to ready; null: it never came up. */
  usualReadyMs: z.number().nullable(),
  lastFailure: z.object({ atMs: z.number(), message: z.string() }).nullable(),
});
export type HostHistory = z.infer<typeof hostHistorySchema>;

const times = (many: number, word: string): string[] =>
  many === 0 ? [] : [`${word} ${many === 1 ? 'once' : `${many.toString()} times`}`];

/** `3 of 4 came up`; how it is said in a table's cell. */
export function shortHistory({ purchases, cameUp, notUp, died }: HostHistory): string {
  const decided = cameUp + notUp;
  const up =
    decided === 0
      ? `rented ${purchases.toString()}×`
      : `${cameUp.toString()} of ${decided.toString()} came up`;
  return died === 0 ? up : `${up}, ${died.toString()} lost`;
}

/** The whole of it, such as `3 of 4 came up here, usually in 4 min, not as offered once; last failure 2026-11-28: no GPU`. */
export function historyWords(history: HostHistory): string {
  const { of, purchases, cameUp, notUp, failedChecks, died, usualReadyMs, lastFailure } = history;
  const decided = cameUp + notUp;
  const where = of === 'machine' ? 'here' : 'of this offer';
  const up =
    decided === 0
      ? `You rented ${of === 'machine' ? 'here' : 'this offer'} ${purchases === 1 ? 'once' : `${purchases.toString()} times`}, and ended it before it was ready`
      : `${cameUp.toString()} of ${decided.toString()} came up ${where}`;
  const parts = [
    up,
    ...(usualReadyMs === null ? [] : [`usually in ${duration(usualReadyMs)}`]),
    ...times(failedChecks, 'not as offered'),
    ...times(died, 'lost while it ran'),
  ];
  const last =
    lastFailure === null ? '' : `; last failure ${day(lastFailure.atMs)}: ${clause(lastFailure.message)}`;
  return `${parts.join(', ')}${last}`;
}

/** The day on this computer's calendar. */
function day(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => value.toString().padStart(2, '0');
  return `${at.getFullYear().toString()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
