/** What a cluster may still spend. All pure: records in, amounts and moments out. */
import { costOver, type MicroUsd, type Offer, parseMicroUsd, showDollars } from '@hitch/contract';
import type { AttemptRecord, ClusterRecord, SegmentRecord } from '../clusters/records.ts';
import { DESTROY_RESERVE_MS, SAVE_RESERVE_MS, USEFUL_MS } from '../clusters/limits.ts';
import { lastsMs, rateAt, totalCost } from './cost.ts';

export interface Spending {
  readonly cluster: ClusterRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly segments: readonly SegmentRecord[];
}

/** What saving (where something is to be saved) and destroying may cost at this rate. */
export function savingReserve(ratePerHour: MicroUsd, savesSomething: boolean): MicroUsd {
  return costOver(ratePerHour, DESTROY_RESERVE_MS + (savesSomething ? SAVE_RESERVE_MS : 0));
}

function mayBeBought({ state }: AttemptRecord): boolean {
  return state === 'intended' || state === 'quarantined';
}

/** Costs an hour, for certain or possibly: what bills, and what may have been bought without our knowing. */
export function possibleRate({ attempts, segments }: Spending, nowMs: number): MicroUsd {
  return attempts
    .filter(mayBeBought)
    .reduce((sum, { offer }) => sum + parseMicroUsd(offer.pricePerHourMicroUsd), rateAt(segments, nowMs));
}

/** Spent in the run that the cap is for. */
export const spentOfCap = ({ cluster, segments }: Omit<Spending, 'attempts'>, nowMs: number): MicroUsd =>
  totalCost(segments, nowMs, cluster.capFromMs);

/** Already spent of the cap, for certain or possibly. */
function possiblySpent({ cluster, attempts, segments }: Spending, nowMs: number): MicroUsd {
  return attempts
    .filter(mayBeBought)
    .reduce(
      (sum, { offer, createdAtMs }) =>
        sum +
        parseMicroUsd(offer.nonRefundableMicroUsd) +
        costOver(parseMicroUsd(offer.pricePerHourMicroUsd), nowMs - createdAtMs),
      spentOfCap({ cluster, segments }, nowMs),
    );
}

function savesSomething({ save, skipSave, saveDone }: ClusterRecord): boolean {
  return save.paths.length > 0 && !skipSave && !saveDone;
}

/** What is already certain to be spent: what has been, and what ending it properly takes. */
export function committed(spending: Spending, nowMs: number): MicroUsd {
  const rate = possibleRate(spending, nowMs);
  return possiblySpent(spending, nowMs) + savingReserve(rate, savesSomething(spending.cluster));
}

/** When the cap is reached at today's rate; null where nothing costs. */
export function capReachedAt(spending: Spending, nowMs: number): number | null {
  const left = parseMicroUsd(spending.cluster.caps.totalMicroUsd) - possiblySpent(spending, nowMs);
  const lasts = lastsMs(left > 0n ? left : 0n, possibleRate(spending, nowMs));
  return lasts === null ? null : nowMs + lasts;
}

/** When stopping must begin so that saving and destroying still fit inside the cap; null where nothing costs. */
export function capStopAt(spending: Spending, nowMs: number): number | null {
  const left = parseMicroUsd(spending.cluster.caps.totalMicroUsd) - committed(spending, nowMs);
  const lasts = lastsMs(left > 0n ? left : 0n, possibleRate(spending, nowMs));
  return lasts === null ? null : nowMs + lasts;
}

/** When the agents end this cluster by themselves: the stop time or the cap, whichever is first; null: neither. */
export function hardStopAt(spending: Spending, nowMs: number): number | null {
  const { stopAtMs } = spending.cluster.caps;
  const capAtMs = capStopAt(spending, nowMs);
  return stopAtMs === null ? capAtMs : capAtMs === null ? stopAtMs : Math.min(stopAtMs, capAtMs);
}

/** Why `offer` must not be bought for this cluster now, as a sentence, or null when it may. */
export function purchaseProblem(spending: Spending, offer: Offer, nowMs: number): string | null {
  const { caps } = spending.cluster;
  if (caps.stopAtMs !== null && caps.stopAtMs <= nowMs) {
    return 'The stop time has come.';
  }
  const price = parseMicroUsd(offer.pricePerHourMicroUsd);
  const rate = possibleRate(spending, nowMs) + price;
  const needed =
    possiblySpent(spending, nowMs) +
    parseMicroUsd(offer.nonRefundableMicroUsd) +
    costOver(rate, USEFUL_MS) +
    savingReserve(rate, savesSomething(spending.cluster));
  const cap = parseMicroUsd(caps.totalMicroUsd);
  return needed <= cap
    ? null
    : `Renting one more machine needs ${showDollars(needed)} with saving and destroying; the cap is ${showDollars(cap)}.`;
}
