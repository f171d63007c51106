/**
 * The price is read back after the purchase and at every look. Dearer than the yes before the machine was set up: it
 * goes back, and the next candidate is tried. Later a change opens a segment and warns; cheaper goes on.
 */
import { type MicroUsd, showDollars } from '@hitch/contract';
import { presentNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, EventRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import type { Instance } from '../providers/provider.ts';
import { openRate, paidInAnyCase } from './billing.ts';
import { worseThanOffered } from './got.ts';
import { nonRefundableWords, terminate, tryNext } from './transitions.ts';

/** Notes what the network says the machine costs now, and before it is set up whether it is what was agreed to. */
export function notePrice(tx: ClusterTransaction, attemptId: AttemptRecord['id'], instance: Instance): void {
  const attempt = tx.attempt(attemptId);
  const price = instance.pricePerHourMicroUsd;
  if (attempt?.state !== 'owned') {
    return;
  }
  const node = presentNodes(tx.state).find(other => other.attemptId === attempt.id);
  if (node?.phase !== 'booting') {
    if (price !== null) {
      changeFromNow(tx, attempt, price);
    }
    return;
  }
  if (price !== null) {
    correctFromStart(tx, attempt, { price, floor: instance.floorMicroUsd });
  }
  const broken = brokenPromise(tx, attempt, instance);
  if (broken !== null) {
    const message = `${broken.why}; the machine is given back. ${nonRefundableWords(tx, attempt)}`;
    tx.say({ ...broken.said, message, nodeId: node.id, attemptId: attempt.id });
    terminate(tx, attempt, message, instance.id);
    tryNext(tx, node, message);
  }
}

interface Broken {
  readonly why: string;
  readonly said: Pick<EventRecord, 'kind' | 'value'>;
}

/** Why the machine is not what was agreed to; null: it is, as far as its network says. */
function brokenPromise(
  tx: ClusterTransaction,
  { provider, offer }: AttemptRecord,
  { pricePerHourMicroUsd: price, got }: Instance,
): Broken | null {
  const title = tx.titleOf(provider);
  const limit = tx.quote(tx.cluster.quoteId)?.maxNodePricePerHourMicroUsd;
  if (price !== null && limit !== undefined && price > limit) {
    const why = `${title} charges ${showDollars(price)}/h, more than the ${showDollars(limit)}/h that you accepted`;
    return { why, said: { kind: 'price', value: 'dearer' } };
  }
  const worse = worseThanOffered(offer, got);
  return worse === null
    ? null
    : { why: `${title} rented ${worse}`, said: { kind: 'warning', value: 'other_machine' } };
}

/** Before the machine was set up the price read back is the one it was rented at. */
function correctFromStart(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  { price, floor }: { readonly price: MicroUsd; readonly floor: MicroUsd | undefined },
): void {
  const rate = openRate(tx, attempt);
  if (rate !== undefined && rate.amountMicroUsd !== price) {
    tx.setSegment(rate, { amountMicroUsd: price });
  }
  const [least] = tx.segmentsOf(attempt.id).filter(({ kind }) => kind === 'floor');
  const paid = paidInAnyCase(tx, attempt);
  if (least !== undefined && floor !== undefined && paid !== floor) {
    tx.setSegment(least, { amountMicroUsd: least.amountMicroUsd + floor - paid });
  }
}

function changeFromNow(tx: ClusterTransaction, attempt: AttemptRecord, price: MicroUsd): void {
  const segment = openRate(tx, attempt);
  if (segment === undefined || segment.amountMicroUsd === price) {
    return;
  }
  const before = segment.amountMicroUsd;
  const startMs = Math.max(segment.startMs, tx.nowMs);
  tx.setSegment(segment, { endMs: startMs });
  tx.addSegment(attempt, {
    kind: 'rate',
    amountMicroUsd: price,
    label: segment.label,
    startMs,
    endMs: null,
  });
  const title = tx.titleOf(attempt.provider);
  const change = `${title} now charges ${showDollars(price)}/h instead of ${showDollars(before)}/h.`;
  const { nodeId, id: attemptId } = attempt;
  if (price > before) {
    const message = `${change} The spending limit still holds; stop the cluster if this is too much.`;
    tx.say({ kind: 'price', value: 'dearer', message, nodeId, attemptId });
    tx.say({ kind: 'warning', value: 'price', message, nodeId, attemptId });
  } else {
    tx.say({ kind: 'price', value: 'cheaper', message: change, nodeId, attemptId });
  }
}
