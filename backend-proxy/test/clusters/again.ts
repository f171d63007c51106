/** A cluster that is over, what is quoted for it again, and how that is refused. */
import assert from 'node:assert/strict';
import { HitchError, type Cluster, type Quote, type QuoteRequest } from '@hitch/contract';
import type { AgainOptions } from '../../src/clusters/quote-again.ts';
import type { Practice } from './practice.ts';

export async function stopped(practice: Practice, request: Partial<QuoteRequest>): Promise<Cluster> {
  const { id } = await practice.rent(request);
  await practice.untilPhase(id, 'ready');
  await practice.run(600_000);
  await practice.pass(practice.service.stop(id, { skipSave: true }));
  return practice.untilPhase(id, 'stopped');
}

export const again = (
  practice: Practice,
  { id }: Cluster,
  options: Partial<AgainOptions> = {},
): Promise<Quote> => practice.pass(practice.service.quoteAgain(id, { skipTried: false, ...options }));

export async function refusal(promise: Promise<unknown>): Promise<HitchError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof HitchError, String(error));
    return error;
  }
  return assert.fail('it was quoted');
}
