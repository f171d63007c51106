/** What a cluster has cost and costs, on the wire. */
import { formatMicroUsd, MAX_MICRO_USD, type MicroUsd, type Usage } from '@hitch/contract';
import { capReachedAt, committed, spentOfCap, type Spending } from './budget.ts';
import { chargesAt, rateAt, shownCosts, totalCost } from './cost.ts';

export function usageOf(spending: Spending, nowMs: number): Usage {
  const { cluster, segments } = spending;
  const back = comesBack(spending, nowMs);
  return {
    ratePerHourMicroUsd: money(rateAt(segments, nowMs)),
    accruedMicroUsd: money(totalCost(segments, nowMs)),
    spentBeforeMicroUsd: money(totalCost(segments, nowMs) - spentOfCap(spending, nowMs)),
    committedMicroUsd: money(committed(spending, nowMs)),
    capMicroUsd: cluster.caps.totalMicroUsd,
    capReachedAtMs: capReachedAt(spending, nowMs),
    paidAheadMicroUsd: money(
      chargesAt(segments, nowMs).reduce((sum, { paidMicroUsd }) => sum + paidMicroUsd, 0n),
    ),
    ...(back === 0n ? {} : { comesBackMicroUsd: money(back) }),
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
