/** What a person is shown before a yes that is not given at the price's own dialog: all that the yes will do. */
import {
  type Caps,
  type Cluster,
  extendLines,
  format,
  isOver,
  type LimitChange,
  type Quote,
  rateWords,
} from '@hitch/contract';

export interface ApprovalWords {
  /** The question first. */
  readonly lines: readonly string[];
  readonly yes: string;
}

/** @param cluster the one that it is rented for once more; null for a new one. */
export function rentWords(quote: Quote, name: string | undefined, cluster: Cluster | null): ApprovalWords {
  return {
    lines: [
      ...quote.lines,
      ...(name === undefined ? [] : [`It is called ${name}`]),
      ...(cluster === null ? [] : [againLine(cluster)]),
    ],
    yes: quote.yes,
  };
}

/** Which cluster it is for, and whether what that has cost counts against the cap. */
const againLine = (cluster: Cluster): string =>
  isOver(cluster)
    ? `It starts ${cluster.name} again; the ${format.dollars(cluster.usage.accruedMicroUsd)} spent before do not count against the limit`
    : `It replaces what ${cluster.name} lost`;

export function extendWords(cluster: Cluster, change: LimitChange, nowMs: number): ApprovalWords {
  const { caps, usage, name } = cluster;
  const { capMicroUsd, stopAtMs, idleMs } = change;
  const stop = (atMs: number | null) => (atMs === null ? 'no stop time' : format.clock(atMs, nowMs));
  const idle = (ms: number | null) => (ms === null ? 'never' : `after ${format.duration(ms)}`);
  return {
    lines: [
      `Extend ${name}?`,
      `It costs ${rateWords(usage)}, ${format.dollars(format.costOfRun(usage))} spent so far`,
      ...(capMicroUsd === undefined
        ? [`It can cost at most ${format.dollars(caps.totalMicroUsd)}, as before`]
        : [
            `It can cost at most ${format.dollars(capMicroUsd)} instead of ${format.dollars(caps.totalMicroUsd)}`,
          ]),
      ...(stopAtMs === undefined
        ? []
        : [`It stops at: ${stop(stopAtMs)}, instead of ${stop(caps.stopAtMs)}`]),
      ...(idleMs === undefined
        ? []
        : [`It stops when idle: ${idle(idleMs)}, instead of ${idle(caps.idleMs)}`]),
      ...extendLines(cluster, change, nowMs),
    ],
    yes: capMicroUsd === undefined ? 'Extend' : `Extend to ${format.dollars(capMicroUsd)}`,
  };
}

/** Whether the limits are still those that the person was shown. */
export const isSameCaps = (one: Caps, other: Caps): boolean =>
  one.totalMicroUsd === other.totalMicroUsd && one.stopAtMs === other.stopAtMs && one.idleMs === other.idleMs;

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The limits that are left out of a change do not count. */
export function limitsIn({ capMicroUsd, stopAtMs, idleMs }: Loose<LimitChange>): LimitChange {
  return {
    ...(capMicroUsd === undefined ? {} : { capMicroUsd }),
    ...(stopAtMs === undefined ? {} : { stopAtMs }),
    ...(idleMs === undefined ? {} : { idleMs }),
  };
}
