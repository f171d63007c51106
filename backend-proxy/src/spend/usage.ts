/** What a cluster has cost and costs, on the wire. */
import {
  type Cluster,
  costOver,
  formatMicroUsd,
  MAX_MICRO_USD,
  type MicroUsd,
  parseMicroUsd,
  type Usage,
} from '@hitch/contract';
import { capReachedAt, committed, spentOfCap, type Spending } from './budget.ts';
import { chargesAt, rateAt, shownCosts, totalCost } from './cost.ts';

export function usageOf(spending: Spending, nowMs: number): Usage {
  const { cluster, segments } = spending;
  const back = comesBack(spending, nowMs);
  const terms = termsOf(spending, nowMs);
  const rate = rateAt(segments, nowMs);
  const agreed = agreedRate(spending, nowMs);
  return {
    ratePerHourMicroUsd: money(rate),
    ...(agreed > rate ? { agreedRatePerHourMicroUsd: money(agreed) } : {}),
    accruedMicroUsd: money(totalCost(segments, nowMs)),
    spentBeforeMicroUsd: money(totalCost(segments, nowMs) - spentOfCap(spending, nowMs)),
    committedMicroUsd: money(committed(spending, nowMs)),
    capMicroUsd: cluster.caps.totalMicroUsd,
    capReachedAtMs: capReachedAt(spending, nowMs),
    paidAheadMicroUsd: money(
      chargesAt(segments, nowMs).reduce((sum, { paidMicroUsd }) => sum + paidMicroUsd, 0n),
    ),
    ...(back === 0n ? {} : { comesBackMicroUsd: money(back) }),
    ...(terms.length === 0 ? {} : { terms }),
    parts: shownCosts(segments, nowMs).map(({ segment, startMs, costMicroUsd }) => ({
      nodeId: segment.nodeId,
      attemptId: segment.attemptId,
      label: segment.label,
      ratePerHourMicroUsd: segment.kind === 'rate' ? money(segment.amountMicroUsd) : '0',
      startMs,
      endMs: segment.endMs,
      costMicroUsd: money(costMicroUsd),
    })),
  };
}

const RISING: ReadonlySet<Cluster['phase']> = new Set([
  'requested',
  'purchasing',
  'bootstrapping',
  'starting',
]);

/** What costs once all that was bought is there: of a purchase of several machines each costs from its own start on. */
function agreedRate({ cluster, attempts, segments }: Spending, nowMs: number): MicroUsd {
  const now = rateAt(segments, nowMs);
  return RISING.has(cluster.phase)
    ? attempts
        .filter(({ state }) => state === 'owned')
        .reduce((sum, { id, offer }) => {
          const own = rateAt(
            segments.filter(({ attemptId }) => attemptId === id),
            nowMs,
          );
          const agreed = parseMicroUsd(offer.pricePerHourMicroUsd);
          return agreed > own ? sum + agreed - own : sum;
        }, now)
    : now;
}

function termsOf({ attempts, segments }: Spending, nowMs: number): NonNullable<Usage['terms']> {
  return attempts.flatMap(({ id, nodeId, state, offer, endsAtMs }) => {
    const { termMs, refundable } = offer;
    if (state !== 'owned' || termMs === undefined || endsAtMs === null) {
      return [];
    }
    const own = segments.filter(({ attemptId }) => attemptId === id);
    const costMicroUsd = money(costOver(rateAt(own, nowMs), termMs));
    return [{ nodeId, termMs, endsAtMs, costMicroUsd, comesBack: refundable === 'exact_after_floor' }];
  });
}

/** What was paid ahead, or is held, and neither hours nor minimums have used. */
function comesBack({ attempts, segments }: Spending, nowMs: number): MicroUsd {
  return attempts
    .filter(({ state }) => state === 'owned' || state === 'releasing')
    .reduce((sum, { id, paidMicroUsd }) => {
      const own = segments.filter(({ attemptId, kind }) => attemptId === id && kind !== 'once');
      const left = (paidMicroUsd ?? 0n) - totalCost(own, nowMs);
      return left > 0n ? sum + left : sum;
    }, 0n);
}

/** An amount for the wire; a sum beyond what the wire takes shows as the largest it takes. */
export function money(amount: MicroUsd): string {
  return formatMicroUsd(amount > MAX_MICRO_USD ? MAX_MICRO_USD : amount);
}
