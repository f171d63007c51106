/** What a cluster may still spend. All pure: records in, amounts and moments out. */
import {
  type Charge,
  chargeOf,
  costAhead,
  costOfOffer,
  costOver,
  floorOf,
  lastsMs,
  type MicroUsd,
  type Offer,
  parseMicroUsd,
  showDollars,
} from '@hitch/contract';
import { isBeyondUs } from '../ledger/cluster-state.ts';
import type { AttemptRecord, ClusterRecord, SegmentRecord } from '../ledger/records.ts';
import { DESTROY_RESERVE_MS, SAVE_RESERVE_MS, TERM_SLACK_MS, USEFUL_MS } from './limits.ts';
import { chargesAt, rateAt, totalCost } from './cost.ts';

export interface Spending {
  readonly cluster: ClusterRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly segments: readonly SegmentRecord[];
}

/** How long saving (where something is to be saved) and destroying may take. */
export function reserveMs(isSaving: boolean): number {
  return DESTROY_RESERVE_MS + (isSaving ? SAVE_RESERVE_MS : 0);
}

/** What that may cost at this rate. */
export function savingReserve(ratePerHour: MicroUsd, isSaving: boolean): MicroUsd {
  return costOver(ratePerHour, reserveMs(isSaving));
}

function mayBeBought({ state }: AttemptRecord): boolean {
  return state === 'intended' || state === 'quarantined';
}

/** What costs, for certain or possibly: what bills, and what may have been bought without our knowing. */
function possibleCharges({ attempts, segments }: Spending, nowMs: number): readonly Charge[] {
  const perhaps = attempts.filter(mayBeBought).map(({ offer, createdAtMs }) => {
    const charge = chargeOf(offer);
    const used = costOver(charge.ratePerHourMicroUsd, nowMs - createdAtMs);
    const paidMicroUsd = charge.paidMicroUsd > used ? charge.paidMicroUsd - used : 0n;
    return { ...charge, paidMicroUsd };
  });
  return [...chargesAt(segments, nowMs), ...perhaps, ...chargesAhead(attempts)];
}

/** What does not cost yet, and will: an order that is filled, a machine that boots. */
const chargesAhead = (attempts: readonly AttemptRecord[]): readonly Charge[] =>
  attempts
    .filter(({ aheadPerHourMicroUsd }) => aheadPerHourMicroUsd > 0n)
    .map(({ aheadPerHourMicroUsd }) => ({ ratePerHourMicroUsd: aheadPerHourMicroUsd, paidMicroUsd: 0n }));

/** What that comes to an hour. */
export function possibleRate(spending: Spending, nowMs: number): MicroUsd {
  return possibleCharges(spending, nowMs).reduce(
    (sum, { ratePerHourMicroUsd }) => sum + ratePerHourMicroUsd,
    0n,
  );
}

/** Spent in the run that the cap is for. */
export const spentOfCap = ({ cluster, segments }: Omit<Spending, 'attempts'>, nowMs: number): MicroUsd =>
  totalCost(segments, nowMs, cluster.capFromMs);

/** Whether more of its time was asked for, and no answer says yet whether it is paid. */
export const isTimeUnclear = ({ state, moreTime }: AttemptRecord): boolean =>
  state === 'owned' && moreTime.at(-1)?.state === 'asked';

/** Already spent of the cap, for certain or possibly. */
function possiblySpent(spending: Spending, nowMs: number): MicroUsd {
  const { attempts } = spending;
  const machines = attempts
    .filter(mayBeBought)
    .reduce((sum, { offer, createdAtMs }) => sum + costOfOffer(offer, nowMs - createdAtMs), 0n);
  const time = attempts
    .filter(isTimeUnclear)
    .reduce((sum, attempt) => sum + termCost(spending, attempt, nowMs), 0n);
  // An order that is filled has its minimum to pay.
  const orders = attempts
    .filter(attempt => isOrder(spending, attempt))
    .reduce((sum, { offer }) => sum + floorOf(offer), 0n);
  return spentOfCap(spending, nowMs) + machines + time + orders;
}

/** Something is committed, and nothing costs by the hour yet. */
const isOrder = (
  { segments }: Pick<Spending, 'segments'>,
  { id, aheadPerHourMicroUsd }: AttemptRecord,
): boolean =>
  aheadPerHourMicroUsd > 0n && !segments.some(({ attemptId, kind }) => attemptId === id && kind === 'rate');

function savesSomething({ save, skipSave, saveDone }: ClusterRecord): boolean {
  return save.paths.length > 0 && !skipSave && !saveDone;
}

/** What is already certain to be spent: what has been, and what ending it properly takes. */
export function committed(spending: Spending, nowMs: number): MicroUsd {
  const charges = possibleCharges(spending, nowMs);
  return possiblySpent(spending, nowMs) + costAhead(charges, reserveMs(savesSomething(spending.cluster)));
}

/** When the cap is reached at today's rate; null where nothing costs. */
export function capReachedAt(spending: Spending, nowMs: number): number | null {
  const left = parseMicroUsd(spending.cluster.caps.totalMicroUsd) - possiblySpent(spending, nowMs);
  const lasts = lastsMs(left > 0n ? left : 0n, possibleCharges(spending, nowMs));
  // What is paid for time to come is no reason to go on above the cap.
  return lasts === null ? null : left < 0n ? nowMs : nowMs + lasts;
}

/** When stopping must begin so that saving and destroying still fit inside the cap; null where nothing costs. */
export function capStopAt(spending: Spending, nowMs: number): number | null {
  const reachedAtMs = capReachedAt(spending, nowMs);
  return reachedAtMs === null
    ? null
    : Math.max(nowMs, reachedAtMs - reserveMs(savesSomething(spending.cluster)));
}

/** When stopping must begin so that it is done before what was paid ahead of its machines is over; null: nothing was. */
export function termStopAt({ cluster, attempts }: Pick<Spending, 'cluster' | 'attempts'>): number | null {
  const ends = attempts.flatMap(({ state, offer, endsAtMs }) =>
    state === 'owned' && offer.termMs !== undefined && endsAtMs !== null ? [endsAtMs] : [],
  );
  return ends.length === 0 ? null : Math.min(...ends) - reserveMs(savesSomething(cluster));
}

/** When the agents end this cluster by themselves, by whichever of its limits is first; null: it has none. */
export function hardStopAt(spending: Spending, nowMs: number): number | null {
  const limits = [spending.cluster.caps.stopAtMs, capStopAt(spending, nowMs), termStopAt(spending)];
  const set = limits.filter(limit => limit !== null);
  return set.length === 0 ? null : Math.min(...set);
}

/** Whether the first of its limits is the end of what was paid ahead, and more of all of it may be bought before. */
export function isToBeRenewed(spending: Spending, nowMs: number): boolean {
  const sold = spending.attempts.filter(
    ({ state, offer }) => state === 'owned' && offer.termMs !== undefined,
  );
  const termAtMs = termStopAt(spending);
  return (
    termAtMs !== null &&
    termAtMs === hardStopAt(spending, nowMs) &&
    sold.every(attempt => isTimeUnclear(attempt) || mayBuyTime(spending, attempt, nowMs))
  );
}

/** What another term of a machine that is sold by terms costs, at its price now. */
function termCost({ segments }: Spending, { id, offer }: AttemptRecord, nowMs: number): MicroUsd {
  if (offer.refundable === 'exact_after_floor') {
    // What is not used of it comes back.
    return 0n;
  }
  const own = segments.filter(({ attemptId }) => attemptId === id);
  return costOver(rateAt(own, nowMs), offer.termMs ?? 0);
}

/** Whether more time for a machine that is sold by terms is wanted, and inside the cap. */
export function mayBuyTime(spending: Spending, attempt: AttemptRecord, nowMs: number): boolean {
  const { cluster } = spending;
  const { stopAtMs, totalMicroUsd } = cluster.caps;
  // A quote's stop time after so many whole terms is some seconds before they end: the purchase begins after the yes.
  if (attempt.endsAtMs === null || (stopAtMs !== null && stopAtMs <= attempt.endsAtMs + TERM_SLACK_MS)) {
    return false;
  }
  const needed = committed(spending, nowMs) + termCost(spending, attempt, nowMs);
  return needed <= parseMicroUsd(totalMicroUsd);
}

/** How `spending` stands once what is being given back is gone, and no purchase without an answer was made. */
function onceSettled({ cluster, attempts, segments }: Spending, nowMs: number): Spending {
  const ending = new Set(attempts.filter(({ state }) => state === 'releasing').map(({ id }) => id));
  return {
    cluster,
    attempts: attempts.filter(
      attempt => attempt.state !== 'releasing' && (attempt.state !== 'quarantined' || isBeyondUs(attempt)),
    ),
    segments: segments.map(segment =>
      segment.endMs === null && ending.has(segment.attemptId) ? { ...segment, endMs: nowMs } : segment,
    ),
  };
}

/**
 * What is waited for before `offer` may be bought for this cluster, as a sentence that stays the same meanwhile; null:
 * nothing that ends soon makes room for it.
 */
export function roomToCome(spending: Spending, offer: Offer, nowMs: number): string | null {
  if (purchaseProblem(onceSettled(spending, nowMs), offer, nowMs) !== null) {
    return null;
  }
  const { attempts, cluster } = spending;
  const what = attempts.some(({ state }) => state === 'releasing')
    ? 'the machine that is given back is gone'
    : 'it is known what became of a purchase without an answer';
  const cap = showDollars(parseMicroUsd(cluster.caps.totalMicroUsd));
  return `Waiting until ${what}: another one does not fit in the spending limit of ${cap} before.`;
}

/** Why `offer` must not be bought for this cluster now, as a sentence, or null when it may. */
export function purchaseProblem(spending: Spending, offer: Offer, nowMs: number): string | null {
  const { caps } = spending.cluster;
  if (caps.stopAtMs !== null && caps.stopAtMs <= nowMs) {
    return 'The stop time was reached.';
  }
  const ms = USEFUL_MS + reserveMs(savesSomething(spending.cluster));
  const needed =
    possiblySpent(spending, nowMs) + costAhead(possibleCharges(spending, nowMs), ms) + costOfOffer(offer, ms);
  const cap = parseMicroUsd(caps.totalMicroUsd);
  return needed <= cap
    ? null
    : `Renting one more machine needs ${showDollars(needed)} with saving and deleting; the spending limit is ${showDollars(cap)}.`;
}
