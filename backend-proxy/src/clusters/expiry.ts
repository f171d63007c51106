/** Ends clusters whose time, money or work is over. It asks nobody, so that nobody can make it late. */
import { type AgentStatus, type ClusterId, format, parseMicroUsd, showDollars } from '@hitch/contract';
import { type ClusterState, presentNodes } from '../ledger/cluster-state.ts';
import type { StopCause } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { capStopAt, hardStopAt, spentOfCap, termStopAt } from '../spend/budget.ts';
import { WARN_BEFORE_MS } from './limits.ts';
import { beginStop } from './transitions.ts';
import type { Parts } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';
import { mayEndByTime } from './second-source.ts';
import { worksElsewhere } from './workers-busy.ts';
import { warnBeforeMs } from './watchdog.ts';

/** The clock may jump and prices may change: look at least this often. */
const LONGEST_LOOK_MS = 30_000;
/** While the clock is in doubt. */
const DOUBT_LOOK_MS = 5_000;
/** An end that moves by less is no news. */
const WARN_STEP_MS = 60_000;

/** When each cluster's end was said to be. */
type Warned = Map<ClusterId, number>;

export function createExpiry(parts: Parts): Reconciler<ClusterId> {
  const warned: Warned = new Map();
  return {
    name: 'expiry',
    targets: state => (state.cluster.desired === 'up' ? [state.cluster.id] : []),
    reconcile: id => expiry(parts, warned, id),
  };
}

async function expiry(parts: Parts, warned: Warned, id: ClusterId): Promise<Result> {
  const state = parts.ledger.state(id);
  if (state?.cluster.desired !== 'up') {
    return {};
  }
  const nowMs = parts.clock.now();
  const cause = causeNow(parts, state, nowMs);
  if (cause !== null) {
    const looksAt = headStatus(parts, state)?.watchdog.looksAt;
    await parts.ledger.change(id, tx => end(tx, cause, looksAt));
    return {};
  }
  await warn(parts, warned, state, nowMs);
  const stopAtMs = hardStopAt(state, nowMs);
  const left = stopAtMs === null ? LONGEST_LOOK_MS : stopAtMs - parts.clock.now();
  const soonest = mayEndByTime(parts) ? 1 : DOUBT_LOOK_MS;
  return {
    requeueAfterMs: Math.min(
      LONGEST_LOOK_MS,
      Math.max(soonest, left),
      untilIdle(state, headStatus(parts, state)),
    ),
  };
}

/** Why the cluster must end now, or null. */
function causeNow(parts: Parts, state: ClusterState, nowMs: number): StopCause | null {
  const { stopAtMs } = state.cluster.caps;
  const capAtMs = capStopAt(state, nowMs);
  // The agents hold the limits alone while this computer's clock is in doubt.
  if (mayEndByTime(parts)) {
    if (stopAtMs !== null && nowMs >= stopAtMs) {
      return 'stop_time';
    }
    // Once what was paid for is over nothing costs any more, whatever was counted while nobody looked.
    const termAtMs = termStopAt(state);
    if (termAtMs !== null && nowMs >= termAtMs) {
      return 'term';
    }
    if (capAtMs !== null && nowMs >= capAtMs) {
      return 'cap';
    }
  }
  const status = headStatus(parts, state);
  if (status === undefined || !isIdle(state, status)) {
    return null;
  }
  // An agent that has begun to end its node is not held up.
  return status.watchdog.state === 'ending' || !worksElsewhere(parts, state) ? 'idle' : null;
}

function headStatus(parts: Parts, state: ClusterState): AgentStatus | undefined {
  const head = presentNodes(state)[0];
  return head === undefined ? undefined : parts.live.get(head.id);
}

/** How long until the head will have been idle for long enough, if nothing starts there. */
function untilIdle({ cluster }: ClusterState, status: AgentStatus | undefined): number {
  const { idleMs } = cluster.caps;
  const sinceMs = status?.watchdog.idleSinceMs ?? null;
  return status === undefined || idleMs === null || sinceMs === null
    ? LONGEST_LOOK_MS
    : Math.max(1_000, idleMs - (status.nowMs - sinceMs));
}

/** The agent says when it became idle by its own clock, so its own clock says how long ago that is. */
function isIdle({ cluster }: ClusterState, { watchdog, nowMs }: AgentStatus): boolean {
  const { idleMs } = cluster.caps;
  return (
    idleMs !== null &&
    ((watchdog.state === 'ending' && watchdog.reason === 'idle') ||
      (watchdog.idleSinceMs !== null && nowMs - watchdog.idleSinceMs >= idleMs))
  );
}

/** @param looksAt by what it was found idle. */
function end(tx: ClusterTransaction, cause: StopCause, looksAt: string | undefined): void {
  if (tx.cluster.desired === 'up') {
    tx.say({ kind: 'warning', value: cause, message: whyEnded(tx, cause, looksAt) });
    beginStop(tx, cause);
  }
}

function whyEnded({ cluster }: ClusterTransaction, cause: StopCause, looksAt: string | undefined): string {
  const { name, caps } = cluster;
  switch (cause) {
    case 'stop_time':
      return `${name} stops: its stop time was reached.`;
    case 'cap':
      return `${name} stops: with saving and deleting, it reaches its spending limit of ${showDollars(parseMicroUsd(caps.totalMicroUsd))}.`;
    case 'term':
      return `${name} stops: the time that was paid ahead is nearly over, and no more of it was bought.`;
    case 'idle':
      return `${name} stops: it was idle for ${Math.round((caps.idleMs ?? 0) / 60_000).toString()} minutes.${looksAt === undefined ? '' : ` Checked: ${looksAt}.`}`;
    case 'user':
    case 'failure':
      return `${name} stops.`;
  }
}

async function warn(parts: Parts, warned: Warned, state: ClusterState, nowMs: number): Promise<void> {
  const stopAtMs = hardStopAt(state, nowMs);
  const { id, name, caps, startedAtMs } = state.cluster;
  const isSoon = stopAtMs !== null && stopAtMs - nowMs <= warnBeforeMs(state, nowMs);
  if (!isSoon || stopAtMs - startedAtMs <= WARN_BEFORE_MS) {
    return;
  }
  const before = warned.get(id);
  if (before !== undefined && Math.abs(before - stopAtMs) < WARN_STEP_MS) {
    return;
  }
  warned.set(id, stopAtMs);
  const minutes = Math.max(1, Math.round((stopAtMs - nowMs) / 60_000)).toString();
  const spent = `${format.spent(spentOfCap(state, nowMs))} of ${showDollars(parseMicroUsd(caps.totalMicroUsd))}`;
  await parts.ledger.change(id, tx =>
    tx.say({
      kind: 'warning',
      value: 'stopping_soon',
      message: `${name} stops in ${minutes} min (${spent} spent).`,
    }),
  );
}
