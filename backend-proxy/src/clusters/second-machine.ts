/**
 * A network that lists two machines under the mark of one purchase: it rented twice for one call. The one that is in
 * use stays, the other is ended and what it cost is counted. It needs two observations, like all that is taken back. From
 * then on it stands in the record of its purchase until it is counted, so that the next daemon goes on with it.
 */
import { costOfOffer, format } from '@hitch/contract';
import type { AttemptRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { chargedFromMs, type Instance, type Provider } from '../providers/provider.ts';
import { isCertainlyGone, soldAs } from './billing.ts';
import type { ProviderList } from './lists.ts';
import type { Parts } from './parts.ts';

/** A second machine that was asked to end, and is not confirmed gone. */
export interface Second {
  readonly attempt: AttemptRecord;
  readonly instanceId: string;
}

/** Those of one network that a daemon before has begun to end, or this one. */
export const secondsAt = ({ ledger }: Pick<Parts, 'ledger'>, { id }: Provider): readonly Second[] =>
  [...ledger.states()]
    .flatMap(({ attempts }) => attempts)
    .filter(({ provider }) => provider === id)
    .flatMap(attempt => attempt.seconds.map(instanceId => ({ attempt, instanceId })));

/** Whether `listed` is not the attempt's machine, which the same list shows too: ids that merely changed are no proof. */
export function isSecond(attempt: AttemptRecord, listed: Instance, { byId }: ProviderList): boolean {
  const own = attempt.instanceId === null ? undefined : byId.get(attempt.instanceId);
  return (
    (attempt.state === 'owned' || attempt.state === 'releasing') &&
    own !== undefined &&
    own.id !== listed.id &&
    own.mark === attempt.mark &&
    own.status !== 'gone' &&
    listed.mark === attempt.mark &&
    listed.status !== 'gone'
  );
}

/** One try to end it; its cost is counted once it is certainly gone. */
export async function endSecond(
  parts: Parts,
  provider: Provider,
  { attempt, instanceId: id }: Second,
): Promise<void> {
  try {
    await parts.calls.provider(provider, 'destroy', signal => provider.destroy(id, signal));
    const now = await parts.calls.provider(provider, 'get', signal => provider.get(id, signal));
    if (!isCertainlyGone(now, attempt, provider, parts.clock.now())) {
      return;
    }
    // A list that still shows it would have the next look take it for another one.
    const listed = (await parts.lists.askNear(provider, attempt.offer)).byId.get(id);
    if (listed !== undefined && listed.status !== 'gone') {
      return;
    }
    await count(parts, attempt, now);
  } catch (error) {
    parts.log.warn('A second machine for one purchase has not ended yet; it is tried again.', {
      provider: provider.id,
      reason: id,
      error: errorText(error),
    });
  }
}

export function saySecond(
  { ledger }: Parts,
  provider: Provider,
  { attempt, instanceId }: Second,
): Promise<void> {
  const message = `${provider.title} rented two machines for one purchase: ${instanceId} is not used; ending it.`;
  return ledger.change(attempt.clusterId, tx => {
    const seconds = tx.attempt(attempt.id)?.seconds ?? [];
    tx.setAttempt(attempt.id, { seconds: [...new Set([...seconds, instanceId])] });
    tx.say({
      kind: 'warning',
      value: 'second_machine',
      message,
      nodeId: attempt.nodeId,
      attemptId: attempt.id,
    });
  });
}

const count = ({ ledger }: Parts, attempt: AttemptRecord, gone: Instance): Promise<void> =>
  ledger.change(attempt.clusterId, tx => countSecond(tx, attempt, gone));

/** What a second machine cost that is certainly gone; once, however often it is found. */
export function countSecond(tx: ClusterTransaction, { id }: AttemptRecord, gone: Instance): void {
  const label = `Second machine ${gone.id}`;
  const attempt = tx.attempt(id);
  if (attempt === undefined) {
    return;
  }
  tx.setAttempt(id, {
    seconds: attempt.seconds.filter(second => second !== gone.id),
    secondsOver: [...new Set([...attempt.secondsOver, gone.id])],
  });
  if (tx.segmentsOf(id).some(segment => segment.label === label)) {
    return;
  }
  const startMs = chargedFromMs(gone) ?? attempt.createdAtMs;
  const endMs = Math.max(startMs, gone.billedUntilMs ?? tx.nowMs);
  const amountMicroUsd = costOfOffer(soldAs(attempt.offer, gone), endMs - startMs);
  tx.addSegment(attempt, { kind: 'once', amountMicroUsd, label, startMs: endMs, endMs });
  tx.say({
    kind: 'warning',
    value: 'second_machine',
    message: `The second machine ${gone.id} is gone: it cost ${format.spent(amountMicroUsd)}.`,
    nodeId: attempt.nodeId,
    attemptId: id,
  });
}
