/**
 * Work on a cluster's other machines. The head alone has the idle rule, and sees what is run through Jupyter and Ray; what
 * somebody started on a worker by ssh it does not. So while a worker says that it works, the head is told that the cluster
 * is in use, and nothing here takes the cluster for idle. While this daemon is away, only the head's own look counts.
 */
import type { ClusterId } from '@hitch/contract';
import { type ClusterState, presentNodes } from '../ledger/cluster-state.ts';
import { SILENCE_LIMIT_MS, TOUCH_EVERY_MS } from './limits.ts';
import type { Parts } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';

/** Whether a worker says so now: what one said before it fell silent is old. */
export function worksElsewhere({ live, lastBusy, clock }: Parts, state: ClusterState): boolean {
  return presentNodes(state)
    .slice(1)
    .some(
      ({ id }) =>
        live.get(id)?.watchdog.idleSinceMs === null &&
        clock.now() - (lastBusy.get(id) ?? 0) < SILENCE_LIMIT_MS,
    );
}

/** Woken by each worker that begins to work, and by the head that has nothing more to do. */
export function createWorkersBusy(parts: Parts): Reconciler<ClusterId> {
  return {
    name: 'work of workers',
    targets: state =>
      state.cluster.desired === 'up' && state.cluster.caps.idleMs !== null && presentNodes(state).length > 1
        ? [state.cluster.id]
        : [],
    reconcile: id => holdBusy(parts, id),
  };
}

async function holdBusy(parts: Parts, id: ClusterId): Promise<Result> {
  const state = parts.ledger.state(id);
  const idleMs = state?.cluster.caps.idleMs ?? null;
  if (state?.cluster.desired !== 'up' || idleMs === null || !worksElsewhere(parts, state)) {
    return {};
  }
  const head = presentNodes(state)[0];
  const door = head === undefined ? null : parts.links.get(head.id);
  const isIdle = head !== undefined && parts.live.get(head.id)?.watchdog.idleSinceMs !== null;
  if (door !== null && isIdle) {
    await parts.calls.limited('agent', signal => door.agent.touch(signal));
  }
  return { requeueAfterMs: Math.min(TOUCH_EVERY_MS, idleMs / 3) };
}
