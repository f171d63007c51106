/** Several machines asked at once: one that does not answer keeps nobody from hearing of the others. */
import { shownName } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { orGivenUp } from '../../access/tunnel/ssh-process.ts';
import { FarError } from '../../access/tunnel/far-shell.ts';

/** Of one of them: shorter than what a list or a search of all of them may take (`CALL_LIMIT_MS`). */
const ONE_LIMIT_MS = 20_000;

export interface OfSeveral<T> {
  readonly answers: readonly T[];
  /** The sentences of those that do not answer; null: all do. */
  readonly leftOut: string | null;
}

/** @throws what the first says, when there are machines and none answers */
export async function askAll<M extends { readonly name: string }, T>(
  machines: readonly M[],
  ask: (machine: M, signal: AbortSignal) => Promise<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<OfSeveral<T>> {
  const results = await Promise.allSettled(
    machines.map(machine => inTime(machine.name, given => ask(machine, given), clock, signal)),
  );
  const refused = results.filter(result => result.status === 'rejected');
  const [first] = refused;
  if (first !== undefined && refused.length === machines.length) {
    throw first.reason;
  }
  return {
    answers: results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : [])),
    leftOut: refused.length === 0 ? null : refused.map(({ reason }) => errorText(reason)).join(' '),
  };
}

async function inTime<T>(
  name: string,
  ask: (signal: AbortSignal) => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  const late = new AbortController();
  const who = shownName(name);
  const sentence = `${who} has not answered for ${(ONE_LIMIT_MS / 1000).toString()} s. If ssh ${who} works in a terminal, its home folder may lie on a server that is gone.`;
  const timer = clock.setTimer(() => late.abort(new FarError('unreachable', sentence)), ONE_LIMIT_MS);
  const given = AbortSignal.any([signal, late.signal]);
  try {
    return await orGivenUp(ask(given), given);
  } finally {
    timer.cancel();
  }
}
