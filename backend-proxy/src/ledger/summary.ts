/**
 * What can be said of a cluster as a whole, worked out from its nodes and attempts after every change: its phase,
 * and the conditions `billing` and `cleanup`. (`kernel` and `engine` are said by the reconciler that asks the agents.)
 */
import type { ClusterPhase, Condition } from '@hitch/contract';
import {
  type ClusterState,
  isBeyondUs,
  isFor,
  isLost,
  isUnfinished,
  machinesLeft,
  presentNodes,
} from './cluster-state.ts';
import type { NodeRecord } from './records.ts';
import type { ClusterTransaction } from './transaction.ts';

interface PhaseSaid {
  readonly phase: ClusterPhase;
  readonly message: string;
}

export function summarise(tx: ClusterTransaction): void {
  if (tx.cluster.desired === 'stopped') {
    tx.setCondition('kernel', 'no', 'stopped', '');
    tx.setCondition('engine', 'no', 'stopped', '');
    settleNodes(tx);
  }
  const billing = billingOf(tx);
  tx.setCondition('billing', billing.status, billing.reason, billing.message);
  const cleanup = cleanupOf(tx);
  tx.setCondition('cleanup', cleanup.status, cleanup.reason, cleanup.message);
  const { phase, message } = phaseOf(tx.state);
  const { cluster } = tx;
  if (cluster.phase !== phase) {
    tx.setCluster({ phase, message, phaseSinceMs: tx.nowMs });
    tx.say({ kind: 'phase', value: phase, message });
  } else if (cluster.message !== message) {
    tx.setCluster({ message });
  }
  const over =
    phase === 'stopped' || phase === 'expired' || (phase === 'failed' && !tx.attempts.some(isUnfinished));
  if (over !== (cluster.endedAtMs !== null)) {
    tx.setCluster({ endedAtMs: over ? tx.nowMs : null });
  }
}

/** In an ending cluster a node is stopping once its machine is given back, and gone once nothing of it is left. */
function settleNodes(tx: ClusterTransaction): void {
  for (const node of presentNodes(tx.state).filter(({ phase }) => phase !== 'failed')) {
    const left = tx.attempts.filter(attempt => isFor(attempt, node.id) && isUnfinished(attempt));
    if (left.every(isBeyondUs)) {
      tx.nodePhase(node.id, 'gone', node.phase === 'gone' ? node.message : '');
    } else if (
      left.some(({ state }) => state === 'releasing') &&
      !left.some(({ state }) => state === 'owned')
    ) {
      tx.nodePhase(node.id, 'stopping', '');
    }
  }
}

type Said = Pick<Condition, 'status' | 'reason' | 'message'>;

function billingOf(tx: ClusterTransaction): Said {
  const open = tx.segments.filter(({ kind, endMs }) => kind === 'rate' && endMs === null);
  const seconds = tx.attempts.filter(attempt => attempt.seconds.length > 0);
  const ending = [...tx.attempts.filter(({ state }) => state === 'releasing'), ...seconds];
  const unclear = tx.attempts.filter(({ state }) => state === 'intended' || state === 'quarantined');
  if (open.length > 0 || seconds.length > 0) {
    const [first] = ending;
    return first === undefined || (tx.cluster.desired === 'up' && open.length > 0)
      ? { status: 'yes', reason: 'running', message: '' }
      : {
          status: 'yes',
          reason: 'until_confirmed',
          message: `Billing until ${tx.titleOf(first.provider)} confirms.`,
        };
  }
  const order = tx.attempts.find(
    attempt => isUnfinished(attempt) && attempt.aheadPerHourMicroUsd > 0n && unclear.length === 0,
  );
  if (order !== undefined) {
    return {
      status: 'unknown',
      reason: 'ordered',
      message: `Nothing costs by the hour before ${tx.titleOf(order.provider)} has a machine for the order.`,
    };
  }
  const [first] = unclear;
  return first === undefined
    ? { status: 'no', reason: 'nothing_rented', message: '' }
    : {
        status: 'unknown',
        reason: 'unclear_purchase',
        message: `Waiting for ${tx.titleOf(first.provider)}’s answer.`,
      };
}

function cleanupOf(tx: ClusterTransaction): Said {
  const beyond = tx.attempts.filter(isBeyondUs);
  const left = tx.attempts.filter(attempt => isUnfinished(attempt) && !isBeyondUs(attempt));
  const [stuck] = beyond;
  if (left.length > 0) {
    // While it is to run, machines are what it is for.
    const count = left.reduce((sum, attempt) => sum + machinesLeft(attempt), 0);
    const machines = count === 1 ? '1 machine is' : `${count.toString()} machines are`;
    const message = tx.cluster.desired === 'up' ? '' : `Waiting for confirmation that ${machines} gone.`;
    return { status: 'no', reason: 'machines_left', message };
  }
  return stuck === undefined
    ? { status: 'yes', reason: 'nothing_left', message: '' }
    : {
        status: 'unknown',
        reason: 'cannot_look',
        message: `${tx.titleOf(stuck.provider)} never said whether it rented a machine, and Hitch cannot look it up there: check its own console.`,
      };
}

function phaseOf(state: ClusterState): PhaseSaid {
  return state.cluster.desired === 'stopped' ? endingPhase(state) : risingPhase(state);
}

const WHY = {
  user: '',
  stop_time: 'Its stop time was reached.',
  term: 'The time that was paid for was over.',
  idle: 'It was idle.',
  cap: 'Its spending limit was reached.',
};

function endingPhase({ cluster, attempts }: ClusterState): PhaseSaid {
  const { stopCause } = cluster;
  if (stopCause === 'failure') {
    return { phase: 'failed', message: cluster.message };
  }
  const message = WHY[stopCause ?? 'user'];
  if (attempts.some(attempt => isUnfinished(attempt) && !isBeyondUs(attempt))) {
    return { phase: 'stopping', message };
  }
  return { phase: stopCause === 'user' || stopCause === null ? 'stopped' : 'expired', message };
}

function risingPhase(state: ClusterState): PhaseSaid {
  const nodes = presentNodes(state);
  const [head] = nodes;
  if (head === undefined) {
    return { phase: 'requested', message: '' };
  }
  const { message } = head;
  switch (head.phase) {
    case 'requested':
      return {
        phase: nodes.every(({ phase }) => phase === 'requested') ? 'requested' : 'purchasing',
        message,
      };
    case 'purchasing':
    case 'booting':
      return { phase: 'purchasing', message };
    case 'bootstrapping':
    case 'starting':
    case 'unreachable':
      return { phase: head.phase, message };
    case 'ready':
      return readyPhase(state, nodes);
    case 'failed':
    case 'gone':
    case 'stopping':
      return { phase: 'degraded', message };
  }
}

function readyPhase({ cluster }: ClusterState, nodes: readonly NodeRecord[]): PhaseSaid {
  const lost = nodes.filter(isLost);
  const silent = nodes.filter(({ phase }) => phase === 'unreachable');
  const [trouble] = [...lost, ...silent];
  if (trouble !== undefined) {
    const what = lost.length > 0 ? 'lost' : 'not answering';
    const message = `${(lost.length + silent.length).toString()} of ${nodes.length.toString()} nodes ${what}: ${trouble.message}`;
    return { phase: 'degraded', message };
  }
  const complete =
    nodes.every(({ phase }) => phase === 'ready') && cluster.conditions.engine.status === 'yes';
  return { phase: complete ? 'ready' : 'starting', message: cluster.conditions.engine.message };
}
