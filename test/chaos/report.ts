/** What chaos runs come to. All but the first three and the last must be zero. */
export interface Report {
  readonly seed: number;
  kills: number;
  purchases: number;
  /** Machines that still bill when everything was asked to stop and said to be gone. */
  leaks: number;
  /** A ref bought twice, a node bought for while it had a machine, a yes that made two clusters. */
  doublePurchases: number;
  foreignDestroyed: number;
  /** What Hitch says all cost, against what the market bills. */
  meterErrorMicroUsd: bigint;
  /**
   * The longest a bought machine billed, while a daemon ran, before any record knew of it. Its bound is the market's
   * longest outage (an hour, see plan.ts): who is not answered cannot find anything.
   */
  worstOrphanSeconds: number;
  /** The same without the time in which the market answered nobody: what Hitch itself takes to find it. */
  worstFindSeconds: number;
  readonly problems: string[];
}

export function emptyReport(seed: number): Report {
  return {
    seed,
    kills: 0,
    purchases: 0,
    leaks: 0,
    doublePurchases: 0,
    foreignDestroyed: 0,
    meterErrorMicroUsd: 0n,
    worstOrphanSeconds: 0,
    worstFindSeconds: 0,
    problems: [],
  };
}

/** Why a run failed, a sentence each; empty when it held. */
export function failuresOf(report: Report): readonly string[] {
  return [
    ...report.problems,
    ...(report.leaks > 0 ? [`${report.leaks.toString()} machines leaked.`] : []),
    ...(report.doublePurchases > 0 ? [`${report.doublePurchases.toString()} double purchases.`] : []),
    ...(report.foreignDestroyed > 0
      ? [`${report.foreignDestroyed.toString()} machines of others destroyed.`]
      : []),
    ...(report.meterErrorMicroUsd > 0n
      ? [`The meter is off by ${report.meterErrorMicroUsd.toString()} µUSD.`]
      : []),
  ];
}

export interface Totals {
  runs: number;
  kills: number;
  purchases: number;
  leaks: number;
  doublePurchases: number;
  foreignDestroyed: number;
  meterErrorMicroUsd: bigint;
  worstOrphanSeconds: number;
  worstFindSeconds: number;
  readonly failed: { seed: number; why: readonly string[] }[];
}

export function emptyTotals(): Totals {
  return {
    runs: 0,
    kills: 0,
    purchases: 0,
    leaks: 0,
    doublePurchases: 0,
    foreignDestroyed: 0,
    meterErrorMicroUsd: 0n,
    worstOrphanSeconds: 0,
    worstFindSeconds: 0,
    failed: [],
  };
}

export function addUp(totals: Totals, report: Report): void {
  totals.runs += 1;
  totals.kills += report.kills;
  totals.purchases += report.purchases;
  totals.leaks += report.leaks;
  totals.doublePurchases += report.doublePurchases;
  totals.foreignDestroyed += report.foreignDestroyed;
  totals.meterErrorMicroUsd += report.meterErrorMicroUsd;
  totals.worstOrphanSeconds = Math.max(totals.worstOrphanSeconds, report.worstOrphanSeconds);
  totals.worstFindSeconds = Math.max(totals.worstFindSeconds, report.worstFindSeconds);
  const why = failuresOf(report);
  if (why.length > 0) {
    totals.failed.push({ seed: report.seed, why });
  }
}

export function jsonLine(totals: Totals): string {
  const {
    failed: _failed,
    worstFindSeconds: _find,
    meterErrorMicroUsd,
    worstOrphanSeconds,
    ...counts
  } = totals;
  return JSON.stringify({ ...counts, meterErrorMicroUsd: Number(meterErrorMicroUsd), worstOrphanSeconds });
}
