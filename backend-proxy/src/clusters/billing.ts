/** Opening and closing what an attempt costs, inside a change: a part of its price each, with its own start. */
import { dueNow, floorOf, type MicroUsd, type Offer, parseMicroUsd } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';
import { countedUntilOf } from '../ledger/kinds/counted.ts';
import type { AttemptRecord, SegmentRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { chargedFromMs, type Instance, priceOf, type Provider, type Rate } from '../providers/provider.ts';

/** The offer at the prices that the network says. */
export function soldAs(offer: Offer, instance: Pick<Instance, 'rates' | 'floorMicroUsd'>): Offer {
  const price = priceOf(instance);
  const { floorMicroUsd } = instance;
  return {
    ...offer,
    ...(price === null ? {} : { pricePerHourMicroUsd: price.toString() }),
    ...(floorMicroUsd === undefined ? {} : { floorMicroUsd: floorMicroUsd.toString() }),
  };
}

type Charged = Pick<Instance, 'rates' | 'floorMicroUsd' | 'paidMicroUsd'> & Partial<Pick<Instance, 'status'>>;

/**
 * Notes that the attempt's machine bills, or will. Each part began when the network says so; where it does not say, at
 * `calledAtMs`, the moment before it was asked, so that a cost is never shown too low.
 */
export function openBilling(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  instance: Charged | null,
  calledAtMs: number,
): void {
  if (tx.segmentsOf(attempt.id).length > 0) {
    return;
  }
  const startMs = (instance === null ? undefined : chargedFromMs(instance)) ?? calledAtMs;
  const once = countedUntil(tx, attempt) === null ? parseMicroUsd(attempt.offer.nonRefundableMicroUsd) : 0n;
  if (once > 0n) {
    tx.addSegment(attempt, {
      kind: 'once',
      amountMicroUsd: once,
      label: 'Non-refundable',
      startMs,
      endMs: startMs,
    });
  }
  const said = instance ?? { rates: [] };
  const rates =
    said.rates.length > 0 ? said.rates : [assumedRate(attempt.offer, instance?.status === 'ordered')];
  beginParts(tx, attempt, { ...said, rates }, calledAtMs);
  noteAhead(tx, attempt, { ...said, rates });
}

/**
 * Of a purchase whose records were forgotten once: up to when its hours are counted by what is left of them, and with them
 * what it costs in any case. Null for every other.
 */
const countedUntil = (tx: ClusterTransaction, attempt: AttemptRecord): number | null =>
  tx.ref(attempt)?.countedUntilMs ?? null;

/** When a part that costs from `fromMs` on begins to be counted here. */
export function uncountedFrom(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  { rates }: Pick<Charged, 'rates'>,
  label: string,
  fromMs: number,
): number {
  const ref = tx.ref(attempt);
  return Math.max(fromMs, (ref === undefined ? null : countedUntilOf(ref, label, rates)) ?? fromMs);
}

/** What it is taken to cost while its network does not say. What is only ordered does not cost yet. */
const assumedRate = ({ gpuModel, pricePerHourMicroUsd }: Offer, isAhead: boolean): Rate => ({
  label: gpuModel ?? 'Machine',
  perHourMicroUsd: parseMicroUsd(pricePerHourMicroUsd),
  fromMs: null,
  ...(isAhead ? { isAhead } : {}),
});

/**
 * Opens a stretch for each part that is charged and has none, and the floor with the first of them. A price in other parts
 * than before is left to {@link splitAnew}: what it costs is charged already.
 * @param otherwiseMs from when on a part costs of which the network does not say it.
 */
export function beginParts(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  charged: Charged,
  otherwiseMs: number,
): void {
  if (!isInOtherParts(tx, attempt, charged)) {
    openParts(tx, attempt, charged, ({ fromMs }) => fromMs ?? otherwiseMs);
  }
}

const chargedOf = ({ rates }: Pick<Charged, 'rates'>): readonly Rate[] =>
  rates.filter(({ isAhead }) => isAhead !== true);

/** Whether the network says the price in parts of which none is known by its name, and something is charged already. */
export function isInOtherParts(
  state: Pick<ClusterState, 'segments'>,
  attempt: Pick<AttemptRecord, 'id'>,
  { rates }: Pick<Charged, 'rates'>,
): boolean {
  const known = ratesOf(state, attempt);
  const charged = chargedOf({ rates });
  return (
    known.length > 0 && charged.length > 0 && charged.every(rate => partOf(known, rates, rate).length === 0)
  );
}

/** What stood for the price ends where its parts begin, so that no hour is charged twice. */
export function splitAnew(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  charged: Charged,
  startOf: (rate: Rate) => number,
): void {
  const firstMs = Math.min(...chargedOf(charged).map(startOf));
  for (const segment of openRates(tx, attempt)) {
    tx.setSegment(segment, { endMs: Math.max(segment.startMs, firstMs) });
  }
  openParts(tx, attempt, charged, startOf);
}

function openParts(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  { rates, floorMicroUsd }: Charged,
  startOf: (rate: Rate) => number,
): void {
  for (const rate of chargedOf({ rates })) {
    const known = ratesOf(tx, attempt);
    if (partOf(known, rates, rate).length > 0) {
      continue;
    }
    const startMs = uncountedFrom(tx, attempt, { rates }, rate.label, startOf(rate));
    const floor = countedUntil(tx, attempt) === null ? (floorMicroUsd ?? floorOf(attempt.offer)) : 0n;
    if (known.length === 0 && floor > 0n) {
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
      amountMicroUsd: rate.perHourMicroUsd,
      label: rate.label,
      startMs,
      endMs: rate.untilMs === undefined ? null : Math.max(startMs, rate.untilMs),
    });
  }
}

/** Ends what the network says is not charged any more, at the moment that it says. */
export function endParts(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  { rates }: Pick<Charged, 'rates'>,
): void {
  for (const rate of rates) {
    for (const segment of rate.untilMs === undefined ? [] : partOf(openRates(tx, attempt), rates, rate)) {
      tx.setSegment(segment, { endMs: Math.max(segment.startMs, rate.untilMs ?? segment.startMs) });
    }
  }
}

/** Notes what is to cost and does not yet, where the network says any price, and what has left the account. */
export function noteAhead(tx: ClusterTransaction, attempt: AttemptRecord, instance: Charged): void {
  const aheadPerHourMicroUsd = instance.rates.length === 0 ? attempt.aheadPerHourMicroUsd : aheadOf(instance);
  const paidMicroUsd = instance.paidMicroUsd ?? attempt.paidMicroUsd ?? dueNow(attempt.offer);
  const now = tx.attempt(attempt.id);
  if (now?.aheadPerHourMicroUsd !== aheadPerHourMicroUsd || now.paidMicroUsd !== paidMicroUsd) {
    tx.setAttempt(attempt.id, { aheadPerHourMicroUsd, paidMicroUsd });
  }
}

export const aheadOf = ({ rates }: Pick<Instance, 'rates'>): MicroUsd =>
  rates.reduce((sum, { perHourMicroUsd, isAhead }) => (isAhead === true ? sum + perHourMicroUsd : sum), 0n);

/** The stretches of one part. A price that had one part and has one is the same part, whatever it is called. */
export function partOf(
  known: readonly SegmentRecord[],
  rates: readonly Rate[],
  { label }: Rate,
): readonly SegmentRecord[] {
  const isWhole = rates.length === 1 && new Set(known.map(segment => segment.label)).size === 1;
  return isWhole ? known : known.filter(segment => segment.label === label);
}

/**
 * Notes that billing has ended: when the network says so, else now. What the network says holds for every stretch: a
 * price may have been noted later than the end, by a clock of this computer that was wrong.
 */
export function closeBilling(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  instance: Pick<Instance, 'billedUntilMs' | 'floorMicroUsd' | 'rates'> | null,
): void {
  if (instance !== null) {
    // A part that began and ended while nobody looked.
    beginParts(tx, attempt, instance, attempt.createdAtMs);
  }
  noteFloor(tx, attempt, instance?.floorMicroUsd);
  const untilMs = instance?.billedUntilMs;
  for (const segment of openRates(tx, attempt)) {
    tx.setSegment(segment, { endMs: Math.max(segment.startMs, untilMs ?? tx.nowMs) });
  }
  if (untilMs !== undefined) {
    cutAt(tx, attempt, untilMs);
  }
  if (attempt.aheadPerHourMicroUsd > 0n) {
    tx.setAttempt(attempt.id, { aheadPerHourMicroUsd: 0n });
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
  const [rate] = ratesOf(tx, attempt);
  const more = countedUntil(tx, attempt) === null ? (floor ?? 0n) - paidInAnyCase(tx, attempt) : 0n;
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

/**
 * Has no stretch of a machine's time reach beyond `untilMs`, but none begin before the first of its part did; nor was
 * anything paid at once after it.
 */
function cutAt(tx: ClusterTransaction, attempt: AttemptRecord, untilMs: number): void {
  for (const segment of tx.segmentsOf(attempt.id)) {
    if (segment.kind !== 'rate' && segment.startMs > untilMs) {
      tx.setSegment(segment, { startMs: untilMs, endMs: untilMs });
    }
  }
  const firsts = new Map<string, number>();
  for (const segment of ratesOf(tx, attempt)) {
    const firstMs = firsts.get(segment.label) ?? segment.startMs;
    firsts.set(segment.label, firstMs);
    const lastMs = Math.max(untilMs, firstMs);
    const startMs = Math.min(segment.startMs, lastMs);
    const endMs = segment.endMs === null ? null : Math.min(segment.endMs, lastMs);
    if (startMs !== segment.startMs || endMs !== segment.endMs) {
      tx.setSegment(segment, { startMs, endMs });
    }
  }
}

/** Whether a network says that this machine carries another mark than the attempt that it was named for. */
export function isAnothers(
  { mark }: Instance,
  attempt: Pick<AttemptRecord, 'mark'> & Partial<Pick<AttemptRecord, 'adopted'>>,
): boolean {
  return mark !== null && mark !== attempt.mark && mark !== attempt.adopted?.label;
}

/** All stretches of an attempt's time, in order. */
export function ratesOf(
  { segments }: Pick<ClusterState, 'segments'>,
  { id }: Pick<AttemptRecord, 'id'>,
): readonly SegmentRecord[] {
  return segments.filter(({ attemptId, kind }) => attemptId === id && kind === 'rate');
}

export const openRates = (
  state: Pick<ClusterState, 'segments'>,
  attempt: Pick<AttemptRecord, 'id'>,
): readonly SegmentRecord[] => ratesOf(state, attempt).filter(({ endMs }) => endMs === null);

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
