/** Opening and closing what an attempt costs, inside a change. */
import { floorOf, type MicroUsd, type Offer, parseMicroUsd } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { AttemptRecord, SegmentRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import type { Instance, Provider } from '../providers/provider.ts';

/** The offer at the prices that the network says. */
export function soldAs(
  offer: Offer,
  { pricePerHourMicroUsd, floorMicroUsd }: Pick<Instance, 'pricePerHourMicroUsd' | 'floorMicroUsd'>,
): Offer {
  return {
    ...offer,
    ...(pricePerHourMicroUsd === null ? {} : { pricePerHourMicroUsd: pricePerHourMicroUsd.toString() }),
    ...(floorMicroUsd === undefined ? {} : { floorMicroUsd: floorMicroUsd.toString() }),
  };
}

/**
 * Notes that the attempt's machine bills. It began when the network says so; where it does not say, at `calledAtMs`,
 * the moment before it was asked, so that a cost is never shown too low.
 */
export function openBilling(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  instance: Pick<Instance, 'billedFromMs' | 'pricePerHourMicroUsd' | 'floorMicroUsd'> | null,
  calledAtMs: number,
): void {
  if (tx.segmentsOf(attempt.id).length > 0) {
    return;
  }
  const startMs = instance?.billedFromMs ?? calledAtMs;
  const once = parseMicroUsd(attempt.offer.nonRefundableMicroUsd);
  if (once > 0n) {
    tx.addSegment(attempt, {
      kind: 'once',
      amountMicroUsd: once,
      label: 'Non-refundable',
      startMs,
      endMs: startMs,
    });
  }
  const floor = instance?.floorMicroUsd ?? floorOf(attempt.offer);
  if (floor > 0n) {
    tx.addSegment(attempt, {
      kind: 'floor',
      amountMicroUsd: floor,
      label: 'Minimum charge',
      startMs,
      endMs: startMs,
    });
  }
  tx.addSegment(attempt, {
    kind: 'rate',
    amountMicroUsd: instance?.pricePerHourMicroUsd ?? parseMicroUsd(attempt.offer.pricePerHourMicroUsd),
    label: attempt.offer.gpuModel ?? 'Machine',
    startMs,
    endMs: null,
  });
}

/**
 * Notes that billing has ended: when the network says so, else now. What the network says holds for every stretch: a
 * price may have been noted later than the end, by a clock of this computer that was wrong.
 */
export function closeBilling(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  instance: Pick<Instance, 'billedUntilMs' | 'floorMicroUsd'> | null,
): void {
  noteFloor(tx, attempt, instance?.floorMicroUsd);
  const segment = openRate(tx, attempt);
  const untilMs = instance?.billedUntilMs;
  if (segment !== undefined) {
    tx.setSegment(segment, { endMs: Math.max(segment.startMs, untilMs ?? tx.nowMs) });
  }
  if (untilMs !== undefined) {
    cutAt(tx, attempt, untilMs);
  }
}

/** What the attempt's hours cost at least, as far as it is written down. */
export function paidInAnyCase(tx: ClusterTransaction, { id }: AttemptRecord): MicroUsd {
  return tx
    .segmentsOf(id)
    .reduce((sum, { kind, amountMicroUsd }) => (kind === 'floor' ? sum + amountMicroUsd : sum), 0n);
}

/** Notes what the network keeps by now, where that is more than is written down: more time was bought. */
export function noteFloor(tx: ClusterTransaction, attempt: AttemptRecord, floor: MicroUsd | undefined): void {
  const [rate] = tx.segmentsOf(attempt.id).filter(({ kind }) => kind === 'rate');
  const more = (floor ?? 0n) - paidInAnyCase(tx, attempt);
  if (rate !== undefined && more > 0n) {
    const startMs = Math.max(rate.startMs, tx.nowMs);
    tx.addSegment(attempt, {
      kind: 'floor',
      amountMicroUsd: more,
      label: 'More time, paid ahead',
      startMs,
      endMs: startMs,
    });
  }
}

/** Has no stretch of a machine's time reach beyond `untilMs`, but none begin before the first did. */
function cutAt(tx: ClusterTransaction, attempt: AttemptRecord, untilMs: number): void {
  const rates = tx.segmentsOf(attempt.id).filter(({ kind }) => kind === 'rate');
  const lastMs = Math.max(untilMs, rates[0]?.startMs ?? untilMs);
  for (const segment of rates) {
    const startMs = Math.min(segment.startMs, lastMs);
    const endMs = segment.endMs === null ? null : Math.min(segment.endMs, lastMs);
    if (startMs !== segment.startMs || endMs !== segment.endMs) {
      tx.setSegment(segment, { startMs, endMs });
    }
  }
}

/** Whether a network says that this machine carries another mark than the attempt that it was named for. */
export function isAnothers({ ref }: Instance, attempt: Pick<AttemptRecord, 'ref'>): boolean {
  return ref !== null && ref !== attempt.ref;
}

export function openRate(
  { segments }: Pick<ClusterState, 'segments'>,
  { id }: AttemptRecord,
): SegmentRecord | undefined {
  return segments.find(({ attemptId, kind, endMs }) => attemptId === id && kind === 'rate' && endMs === null);
}

/**
 * Whether an answer of `get` proves that the machine is gone. A network may not know its own new machine yet: before
 * the visibility delay is over only a stated end of billing counts.
 */
export function isCertainlyGone(
  instance: Instance,
  attempt: AttemptRecord,
  provider: Provider,
  nowMs: number,
): boolean {
  return (
    instance.status === 'gone' &&
    (instance.billedUntilMs !== undefined ||
      nowMs >= attempt.createdAtMs + provider.capabilities.visibilityDelayMs)
  );
}
