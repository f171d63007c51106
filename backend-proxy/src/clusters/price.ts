/**
 * The price is read back after the purchase and at every look. Dearer than the yes before the machine was set up: it
 * goes back, and the next candidate is tried. Later a change opens a segment and warns; cheaper goes on.
 */
import { type MicroUsd, parseMicroUsd, showDollars } from '@hitch/contract';
import { type ClusterState, presentNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, EventRecord, SegmentRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { type Instance, isPast, priceOf, type Rate } from '../providers/provider.ts';
import {
  aheadOf,
  beginParts,
  endParts,
  isInOtherParts,
  noteAhead,
  openRates,
  paidInAnyCase,
  partOf,
  ratesOf,
  splitAnew,
} from './billing.ts';
import { worseThanOffered } from './got.ts';
import { nonRefundableWords, terminate, tryNext } from './transitions.ts';

/** Notes what the network says the machine costs now, and before it is set up whether it is what was agreed to. */
export function notePrice(tx: ClusterTransaction, attemptId: AttemptRecord['id'], instance: Instance): void {
  const attempt = tx.attempt(attemptId);
  if (attempt?.state !== 'owned') {
    return;
  }
  const node = presentNodes(tx.state).find(other => other.attemptId === attempt.id);
  if (node?.phase !== 'booting') {
    changeFromNow(tx, attempt, instance);
    return;
  }
  correctFromStart(tx, attempt, instance);
  const broken = brokenPromise(tx, attempt, instance);
  if (broken !== null) {
    const message = `${broken.why}; the machine is given back. ${nonRefundableWords(tx, attempt)}`;
    tx.say({ ...broken.said, message, nodeId: node.id, attemptId: attempt.id });
    if (broken.isHosts) {
      tx.noteHost(attempt.id, { what: 'failed', message: `${broken.why}.`, isCheck: true });
    }
    terminate(tx, attempt, message, instance.id);
    tryNext(tx, attempt, message);
  }
}

interface Broken {
  readonly why: string;
  readonly said: Pick<EventRecord, 'kind' | 'value'>;
  /** It says something of the machine, and not of the market alone. */
  readonly isHosts: boolean;
}

/** Why the machine is not what was agreed to; null: it is, as far as its network says. */
function brokenPromise(
  tx: ClusterTransaction,
  { provider, offer, members }: AttemptRecord,
  instance: Instance,
): Broken | null {
  const price = priceOf(instance);
  const title = tx.titleOf(provider);
  const ofOne = tx.quote(tx.cluster.quoteId)?.maxNodePricePerHourMicroUsd;
  const limit = ofOne === undefined ? undefined : ofOne * BigInt(members.length);
  if (price !== null && limit !== undefined && price > limit) {
    const why = `${title} charges ${showDollars(price)}/h, more than the ${showDollars(limit)}/h that you accepted`;
    return { why, said: { kind: 'price', value: 'dearer' }, isHosts: false };
  }
  const worse = worseThanOffered(offer, instance.got);
  return worse === null
    ? null
    : {
        why: `${title} rented ${worse}`,
        said: { kind: 'warning', value: 'other_machine' },
        isHosts: true,
      };
}

/** Before the machine was set up the price read back is the one it was rented at. */
function correctFromStart(tx: ClusterTransaction, attempt: AttemptRecord, instance: Instance): void {
  const { rates, floorMicroUsd: floor } = instance;
  if (rates.length === 0) {
    noteAhead(tx, attempt, instance);
    return;
  }
  const sinceMs = sinceWhen(tx, attempt);
  if (isInOtherParts(tx, attempt, instance)) {
    splitAnew(tx, attempt, instance, ({ fromMs }) => fromMs ?? sinceMs);
  } else {
    beginParts(tx, attempt, instance, sinceMs);
  }
  noteAhead(tx, attempt, instance);
  for (const { rate, segment } of chargedParts(tx, attempt, rates)) {
    if (segment.amountMicroUsd !== rate.perHourMicroUsd) {
      tx.setSegment(segment, { amountMicroUsd: rate.perHourMicroUsd });
    }
  }
  endParts(tx, attempt, instance);
  const [least] = tx.segmentsOf(attempt.id).filter(({ kind }) => kind === 'floor');
  const paid = paidInAnyCase(tx, attempt);
  if (least !== undefined && floor !== undefined && paid !== floor) {
    tx.setSegment(least, { amountMicroUsd: least.amountMicroUsd + floor - paid });
  }
}

/** A part that was said to begin later begins now, where its network does not say when; any other with the purchase. */
const sinceWhen = (tx: ClusterTransaction, attempt: AttemptRecord): number =>
  attempt.aheadPerHourMicroUsd > 0n ? tx.nowMs : attempt.createdAtMs;

interface ChargedPart {
  readonly rate: Rate;
  readonly segment: SegmentRecord;
}

/** The open stretch of each part that is charged. */
function chargedParts(
  state: Pick<ClusterState, 'segments'>,
  attempt: AttemptRecord,
  rates: readonly Rate[],
): readonly ChargedPart[] {
  const open = openRates(state, attempt);
  return rates.flatMap(rate => {
    const [segment] = rate.isAhead === true ? [] : partOf(open, rates, rate);
    return segment === undefined ? [] : [{ rate, segment }];
  });
}

/** Whether the network says anything of the price that is not written down. */
export function isPriceNews(state: ClusterState, attempt: AttemptRecord, instance: Instance): boolean {
  const { rates, paidMicroUsd } = instance;
  if (rates.length === 0) {
    return false;
  }
  const charged = rates.filter(rate => rate.isAhead !== true && !isPast(rate));
  const parts = chargedParts(state, attempt, rates).filter(({ rate }) => !isPast(rate));
  return (
    rates.some(rate => isPast(rate) && partOf(ratesOf(state, attempt), rates, rate).length === 0) ||
    parts.length !== charged.length ||
    openRates(state, attempt).length !== parts.length ||
    parts.some(({ rate, segment }) => rate.perHourMicroUsd !== segment.amountMicroUsd) ||
    aheadOf(instance) !== attempt.aheadPerHourMicroUsd ||
    (paidMicroUsd !== undefined && paidMicroUsd !== attempt.paidMicroUsd)
  );
}

function changeFromNow(tx: ClusterTransaction, attempt: AttemptRecord, instance: Instance): void {
  const price = priceOf(instance);
  if (price === null || !isPriceNews(tx.state, attempt, instance)) {
    return;
  }
  const open = openRates(tx, attempt);
  const before = open.reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, attempt.aheadPerHourMicroUsd);
  if (isInOtherParts(tx, attempt, instance)) {
    splitAnew(tx, attempt, instance, () => tx.nowMs);
  } else {
    changeParts(tx, attempt, instance);
  }
  noteAhead(tx, attempt, instance);
  if (before !== price && !isMoreOfIt(attempt, before, price)) {
    sayChange(tx, attempt, before, price);
  }
}

/** Of several machines in one purchase each costs once it is there: that is no other price than was agreed to. */
const isMoreOfIt = ({ members, offer }: AttemptRecord, before: MicroUsd, price: MicroUsd): boolean =>
  members.length > 1 && price > before && price <= parseMicroUsd(offer.pricePerHourMicroUsd);

function changeParts(tx: ClusterTransaction, attempt: AttemptRecord, instance: Instance): void {
  const { rates } = instance;
  endParts(tx, attempt, instance);
  const parts = chargedParts(tx, attempt, rates);
  for (const segment of openRates(tx, attempt).filter(one => !parts.some(part => part.segment === one))) {
    tx.setSegment(segment, { endMs: Math.max(segment.startMs, tx.nowMs) });
  }
  for (const { rate, segment } of parts) {
    changePart(tx, attempt, segment, rate.perHourMicroUsd);
  }
  beginAgain(tx, attempt, rates);
  beginParts(tx, attempt, instance, sinceWhen(tx, attempt));
}

function changePart(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  segment: SegmentRecord,
  amountMicroUsd: MicroUsd,
): void {
  if (segment.amountMicroUsd !== amountMicroUsd) {
    const startMs = Math.max(segment.startMs, tx.nowMs);
    tx.setSegment(segment, { endMs: startMs });
    tx.addSegment(attempt, { kind: 'rate', amountMicroUsd, label: segment.label, startMs, endMs: null });
  }
}

/** A part that had ended costs once more, from now on. */
function beginAgain(tx: ClusterTransaction, attempt: AttemptRecord, rates: readonly Rate[]): void {
  for (const rate of rates.filter(each => each.isAhead !== true && !isPast(each))) {
    const known = partOf(ratesOf(tx, attempt), rates, rate);
    if (known.length > 0 && known.every(({ endMs }) => endMs !== null)) {
      const { perHourMicroUsd: amountMicroUsd, label } = rate;
      tx.addSegment(attempt, { kind: 'rate', amountMicroUsd, label, startMs: tx.nowMs, endMs: null });
    }
  }
}

function sayChange(tx: ClusterTransaction, attempt: AttemptRecord, before: MicroUsd, price: MicroUsd): void {
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
