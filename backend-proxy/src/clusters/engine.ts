/** From agents that answer to a notebook that runs and an engine that is complete. */
import type { ClusterId } from '@hitch/contract';
import type { Member } from '../engines/engine.ts';
import { engineFor } from '../engines/engines.ts';
import { type ClusterState, isLost, workingNodes } from '../ledger/cluster-state.ts';
import type { NodeRecord } from '../ledger/records.ts';
import { type Closing, PortCloser, standingOf } from './close-ports.ts';
import { PHASE_LIMIT_MS } from './limits.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { failNode } from './transitions.ts';
import type { Parts } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';

function takesPart({ phase }: NodeRecord): boolean {
  return phase === 'starting' || phase === 'ready' || phase === 'unreachable';
}

export function createEngine(parts: Parts): Reconciler<ClusterId> {
  const closer = new PortCloser(parts);
  return {
    name: 'engine',
    targets: state =>
      state.cluster.desired === 'up' && workingNodes(state).some(takesPart) ? [state.cluster.id] : [],
    reconcile: id => engine(parts, closer, id),
  };
}

function membersOf(parts: Parts, state: ClusterState): readonly Member[] {
  return workingNodes(state).map(node => ({
    nodeId: node.id,
    index: node.index,
    facts: takesPart(node) ? (parts.links.get(node.id)?.facts ?? null) : null,
    status: takesPart(node) ? (parts.live.get(node.id) ?? null) : null,
    lost: isLost(node),
  }));
}

async function engine(parts: Parts, closer: PortCloser, id: ClusterId): Promise<Result> {
  const state = parts.ledger.state(id);
  if (state?.cluster.desired !== 'up') {
    return {};
  }
  if (workingNodes(state).some(({ id: nodeId, phase }) => phase === 'ready' && !parts.live.has(nodeId))) {
    // A daemon that has just started has not heard of it yet; it answers, or is unreachable, in a moment.
    return {};
  }
  const members = membersOf(parts, state);
  const plan = engineFor(state.cluster.engine).plan(members, { token: state.cluster.engineToken });
  await note(parts, state, members, plan);
  const listens = engineFor(state.cluster.engine).needs.ray;
  const closing = closer.close(standingOf(state), listens);
  // What listens on the loopback alone need not wait for it.
  const failed = listens ? (await closing).failed : [];
  await failThose(parts, id, failed);
  const closed = plan.starts.filter(({ nodeId }) => failed.every(other => other.nodeId !== nodeId));
  const starts = closed.flatMap(({ nodeId, config }) => {
    const agent = parts.links.get(nodeId)?.agent;
    return agent === undefined ? [] : [{ nodeId, config, agent }];
  });
  const started = Promise.all(
    starts.map(async ({ nodeId, config, agent }) => {
      const status = await parts.calls.limited('agent', signal => agent.startEngine(config, signal));
      parts.live.set(nodeId, status);
    }),
  );
  const [{ againInMs }] = await Promise.all([closing, started]);
  const next = [untilDeadline(parts, state), againInMs].filter(each => each !== null);
  const requeueAfterMs = starts.length > 0 ? 1 : Math.min(...next);
  return Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : {};
}

/** Nodes whose engine would be open to strangers. */
async function failThose(parts: Parts, id: ClusterId, failed: Closing['failed']): Promise<void> {
  if (failed.length > 0) {
    await parts.ledger.change(id, tx => {
      for (const { nodeId, sentence } of failed) {
        const node = tx.node(nodeId);
        if (tx.cluster.desired === 'up' && node !== undefined && takesPart(node)) {
          failNode(tx, node, sentence);
        }
      }
    });
  }
}

function untilDeadline(parts: Parts, state: ClusterState): number | null {
  const deadlines = workingNodes(state).flatMap(({ phase, deadlineMs }) =>
    phase === 'starting' && deadlineMs !== null ? [deadlineMs] : [],
  );
  return deadlines.length === 0 ? null : Math.max(1, Math.min(...deadlines) - parts.clock.now());
}

/** Counted to the first node of a purchase that is ready. */
function noteCameUp(tx: ClusterTransaction, { attemptId }: NodeRecord): void {
  const attempt = attemptId === null ? undefined : tx.attempt(attemptId);
  if (attempt !== undefined) {
    tx.noteHost(attempt.id, { what: 'up', readyMs: tx.nowMs - attempt.createdAtMs });
  }
}

async function note(
  parts: Parts,
  state: ClusterState,
  members: readonly Member[],
  plan: ReturnType<ReturnType<typeof engineFor>['plan']>,
): Promise<void> {
  const head = members.find(({ index }) => index === 0);
  const jupyter = head?.status?.jupyter;
  await parts.ledger.change(state.cluster.id, tx => {
    if (tx.cluster.desired !== 'up') {
      return;
    }
    // What has not answered yet has not stopped answering.
    const wasUp = (name: 'kernel' | 'engine'): boolean => tx.cluster.conditions[name].status !== 'no';
    if (jupyter === undefined) {
      if (wasUp('kernel')) {
        tx.setCondition('kernel', 'unknown', 'no_answer', '');
      }
    } else if (jupyter.state === 'running') {
      tx.setCondition('kernel', 'yes', 'running', '');
    } else {
      tx.setCondition('kernel', 'no', jupyter.state, jupyter.message);
    }
    if (plan.engine.status !== 'unknown' || wasUp('engine')) {
      tx.setCondition('engine', plan.engine.status, plan.engine.reason, plan.engine.message);
    }
    for (const node of workingNodes(tx.state).filter(takesPart)) {
      const failure = plan.failed.find(({ nodeId }) => nodeId === node.id);
      if (failure !== undefined) {
        failNode(tx, node, failure.sentence);
      } else if (plan.ready.includes(node.id)) {
        tx.nodePhase(node.id, 'ready', '');
        noteCameUp(tx, node);
      } else if (
        node.phase === 'unreachable' &&
        members.some(({ nodeId, status }) => nodeId === node.id && status !== null)
      ) {
        tx.nodePhase(node.id, 'starting', 'Connected again.', PHASE_LIMIT_MS.starting);
      } else if (node.phase === 'starting' && node.deadlineMs !== null && tx.nowMs >= node.deadlineMs) {
        const last = members.find(({ nodeId }) => nodeId === node.id)?.status?.engine.message ?? '';
        failNode(
          tx,
          node,
          `The notebook and the engine did not start in 10 minutes.${last === '' ? '' : ` Last: ${last}`}`,
        );
      } else if (node.phase === 'starting') {
        const retry = plan.retries?.find(({ nodeId }) => nodeId === node.id);
        if (retry !== undefined) {
          // Each try is a line of its own in the cluster's steps.
          tx.nodePhase(node.id, 'starting', `Ray, try ${retry.number.toString()}: ${retry.reason}`);
        }
      }
    }
  });
}
