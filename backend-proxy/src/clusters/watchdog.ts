/** What an agent is told to enforce by itself while this daemon may be silent. */
import type { BusyLimits, WatchdogConfig } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { NodeRecord } from '../ledger/records.ts';
import { hardStopAt, isToBeRenewed } from '../spend/budget.ts';
import { SAVE_RESERVE_MS } from '../spend/limits.ts';
import { IDLE_GRACE_MS, WARN_BEFORE_MS, WARN_UNSOLD_BEFORE_MS } from './limits.ts';

/**
 * The stop time with the money cap folded in. Where something is to be saved the agent lets the daemon have the time
 * kept back for that, and where the head is idle it lets the daemon, which can save and destroy, go first. Only the head has the idle rule: a worker cannot see that a kernel on the head is at work.
 */
export function watchdogFor(
  state: ClusterState,
  node: Pick<NodeRecord, 'index'>,
  nowMs: number,
  { webhookUrl, busy }: { readonly webhookUrl: string | null; readonly busy: BusyLimits },
): WatchdogConfig {
  const { caps, save } = state.cluster;
  const stopAtMs = hardStopAt(state, nowMs);
  const saving = save.paths.length > 0 ? SAVE_RESERVE_MS : 0;
  return {
    stopAtMs: stopAtMs === null ? null : stopAtMs + saving,
    idleMs: node.index === 0 && caps.idleMs !== null ? caps.idleMs + IDLE_GRACE_MS : null,
    warnBeforeMs: warnBeforeMs(state, nowMs),
    webhookUrl,
    busy,
  };
}

/** How long before its hard stop a person is told of it. */
export const warnBeforeMs = (state: ClusterState, nowMs: number): number =>
  isToBeRenewed(state, nowMs) ? WARN_UNSOLD_BEFORE_MS : WARN_BEFORE_MS;
