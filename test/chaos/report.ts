import { Visits } from './visits.ts';

/** What a chaos run comes to. All but kills, purchases, the four worst and the visits must be zero or empty. */
export interface Report {
  readonly seed: number;
  /** The networks that stood in it, and the requests between which their daemons may die. */
  readonly networks: readonly string[];
  readonly betweenRequests: string[];
  kills: number;
  purchases: number;
  /** Machines that still bill when everything was asked to stop and said to be gone. */
  leaks: number;
  /** A ref bought twice, a node bought for while it had a machine, a yes that made two clusters. */
  doublePurchases: number;
  foreignDestroyed: number;
  /** Keys of ours that stand on an account when everything was said to be gone. */
  leftKeys: number;
  /** Machines that were bought before a key that opens them was there. */
  lockedOut: number;
  /** Times that a machine of somebody else was spoken to, at an address that one of ours had. */
  strangersReached: number;
  /** What Hitch says all cost, against what the market bills. */
  meterErrorMicroUsd: bigint;
  /**
   * The longest a bought machine billed, while a daemon ran, before any record knew of it. Its bound is the market's
   * longest outage (an hour, see plan.ts): who is not answered cannot find anything.
   */
  worstOrphanSeconds: number;
  /** The same without the time in which the market answered nobody: what Hitch itself takes to find it. */
  worstFindSeconds: number;
  /** The longest a machine cost something else than the records said, while the market answered and a daemon ran. */
  worstPriceSeconds: number;
  /** The longest a machine ran and answered while it was called unreachable, and a daemon ran: outages count. */
  worstReachSeconds: number;
  /** Files that were saved and are not what they were, or that a save left out without a word. */
  damagedFiles: number;
  readonly visits: Visits;
  readonly problems: string[];
}

export function emptyReport(seed: number, networks: readonly string[]): Report {
  return {
    seed,
    networks,
    betweenRequests: [],
    kills: 0,
    purchases: 0,
    leaks: 0,
    doublePurchases: 0,
    foreignDestroyed: 0,
    leftKeys: 0,
    lockedOut: 0,
    strangersReached: 0,
    meterErrorMicroUsd: 0n,
    worstOrphanSeconds: 0,
    worstFindSeconds: 0,
    worstPriceSeconds: 0,
    worstReachSeconds: 0,
    damagedFiles: 0,
    visits: new Visits(),
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
    ...(report.leftKeys > 0 ? [`${report.leftKeys.toString()} keys of ours are left on an account.`] : []),
    ...(report.lockedOut > 0
      ? [`${report.lockedOut.toString()} machines were bought without a key that opens them.`]
      : []),
    ...(report.strangersReached > 0
      ? [`Strangers’ machines were spoken to ${report.strangersReached.toString()} times.`]
      : []),
    ...(report.damagedFiles > 0 ? [`${report.damagedFiles.toString()} saved files are damaged.`] : []),
    ...(report.meterErrorMicroUsd > 0n
      ? [`The meter is off by ${report.meterErrorMicroUsd.toString()} µUSD.`]
      : []),
  ];
}

export interface Totals {
  runs: number;
  /** How many runs each network stood in. */
  readonly networks: Map<string, number>;
  readonly betweenRequests: Set<string>;
  kills: number;
  purchases: number;
  leaks: number;
  doublePurchases: number;
  foreignDestroyed: number;
  leftKeys: number;
  lockedOut: number;
  strangersReached: number;
  meterErrorMicroUsd: bigint;
  worstOrphanSeconds: number;
  worstFindSeconds: number;
  worstPriceSeconds: number;
  worstReachSeconds: number;
  damagedFiles: number;
  readonly visits: Visits;
  readonly failed: { seed: number; why: readonly string[] }[];
}

export function emptyTotals(): Totals {
  return {
    runs: 0,
    networks: new Map(),
    betweenRequests: new Set(),
    kills: 0,
    purchases: 0,
    leaks: 0,
    doublePurchases: 0,
    foreignDestroyed: 0,
    leftKeys: 0,
    lockedOut: 0,
    strangersReached: 0,
    meterErrorMicroUsd: 0n,
    worstOrphanSeconds: 0,
    worstFindSeconds: 0,
    worstPriceSeconds: 0,
    worstReachSeconds: 0,
    damagedFiles: 0,
    visits: new Visits(),
    failed: [],
  };
}

export function addUp(totals: Totals, report: Report): void {
  totals.runs += 1;
  report.networks.forEach(id => totals.networks.set(id, (totals.networks.get(id) ?? 0) + 1));
  report.betweenRequests.forEach(where => totals.betweenRequests.add(where));
  totals.kills += report.kills;
  totals.purchases += report.purchases;
  totals.leaks += report.leaks;
  totals.doublePurchases += report.doublePurchases;
  totals.foreignDestroyed += report.foreignDestroyed;
  totals.leftKeys += report.leftKeys;
  totals.lockedOut += report.lockedOut;
  totals.strangersReached += report.strangersReached;
  totals.meterErrorMicroUsd += report.meterErrorMicroUsd;
  totals.worstOrphanSeconds = Math.max(totals.worstOrphanSeconds, report.worstOrphanSeconds);
  totals.worstFindSeconds = Math.max(totals.worstFindSeconds, report.worstFindSeconds);
  totals.worstPriceSeconds = Math.max(totals.worstPriceSeconds, report.worstPriceSeconds);
  totals.worstReachSeconds = Math.max(totals.worstReachSeconds, report.worstReachSeconds);
  totals.damagedFiles += report.damagedFiles;
  totals.visits.add(report.visits);
  const why = failuresOf(report);
  if (why.length > 0) {
    totals.failed.push({ seed: report.seed, why });
  }
}

/** Why so many runs prove nothing though none of them failed; empty when they were too few to tell. */
export const missedBy = ({ runs, visits, betweenRequests }: Totals): readonly string[] =>
  visits.missing(runs, [...betweenRequests]);

export function jsonLine(totals: Totals): string {
  const {
    failed: _failed,
    worstPriceSeconds: _price,
    worstReachSeconds: _reach,
    damagedFiles: _damaged,
    visits: _visits,
    betweenRequests: _between,
    networks,
    meterErrorMicroUsd,
    worstOrphanSeconds,
    worstFindSeconds,
    ...counts
  } = totals;
  return JSON.stringify({
    ...counts,
    meterErrorMicroUsd: Number(meterErrorMicroUsd),
    worstOrphanSeconds,
    worstFindSeconds,
    networks: [...networks.keys()].sort(),
  });
}
