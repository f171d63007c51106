/** What a person is shown before a yes that is not given at the price's own dialog: all that the yes will do. */
import {
  type ApprovalAction,
  type Caps,
  type Cluster,
  format,
  type LimitChange,
  type Quote,
} from '@hitch/contract';

export interface ApprovalWords {
  /** The question first. */
  readonly lines: readonly string[];
  readonly yes: string;
}

/** @param cluster the one that is started again; null for a new one. */
export function rentWords(quote: Quote, name: string | undefined, cluster: Cluster | null): ApprovalWords {
  const { accruedMicroUsd } = cluster?.usage ?? { accruedMicroUsd: '0' };
  return {
    lines: [
      ...quote.lines,
      ...(name === undefined ? [] : [`It is called ${name}`]),
      ...(cluster === null
        ? []
        : [
            `It becomes ${cluster.name}, on top of the ${format.dollars(accruedMicroUsd)} spent for it before`,
          ]),
    ],
    yes: quote.yes,
  };
}

export function extendWords(cluster: Cluster, change: LimitChange, nowMs: number): ApprovalWords {
  const { caps, usage, name } = cluster;
  const { capMicroUsd, stopAtMs, idleMs } = change;
  const stop = (atMs: number | null) => (atMs === null ? 'no stop time' : format.clock(atMs, nowMs));
  const idle = (ms: number | null) => (ms === null ? 'never' : `after ${format.duration(ms)}`);
  return {
    lines: [
      `Extend ${name}?`,
      `It costs ${format.dollars(usage.ratePerHourMicroUsd)}/h; ${format.dollars(usage.accruedMicroUsd)} is spent`,
      ...(capMicroUsd === undefined
        ? [`It may cost ${format.dollars(caps.totalMicroUsd)} in all, as before`]
        : [
            `It may cost ${format.dollars(capMicroUsd)} in all, instead of ${format.dollars(caps.totalMicroUsd)}`,
          ]),
      ...(stopAtMs === undefined
        ? []
        : [`It stops at: ${stop(stopAtMs)}, instead of ${stop(caps.stopAtMs)}`]),
      ...(idleMs === undefined
        ? []
        : [`It stops when idle: ${idle(idleMs)}, instead of ${idle(caps.idleMs)}`]),
    ],
    yes: capMicroUsd === undefined ? 'Extend' : `Extend to ${format.dollars(capMicroUsd)}`,
  };
}

/** Whether the limits are still those that the person was shown. */
export const isSameCaps = (one: Caps, other: Caps): boolean =>
  one.totalMicroUsd === other.totalMicroUsd && one.stopAtMs === other.stopAtMs && one.idleMs === other.idleMs;

/** The limits that are left out of a change do not count. */
export function changeIn(action: Extract<ApprovalAction, { kind: 'extend' }>): LimitChange {
  const { capMicroUsd, stopAtMs, idleMs } = action;
  return {
    ...(capMicroUsd === undefined ? {} : { capMicroUsd }),
    ...(stopAtMs === undefined ? {} : { stopAtMs }),
    ...(idleMs === undefined ? {} : { idleMs }),
  };
}
