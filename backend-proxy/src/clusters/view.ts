/** Records as they travel. */
import { format, type Attempt, type Cluster, type Node, type NodeId, type Signals } from '@hitch/contract';
import { segmentCost } from '../spend/cost.ts';
import { money, usageOf } from '../spend/usage.ts';
import { type ClusterState, presentNodes } from './draft.ts';
import type { AttemptRecord, NodeRecord } from './records.ts';

export function toAttempt(state: ClusterState, attempt: AttemptRecord, nowMs: number): Attempt {
  const segments = state.segments.filter(({ attemptId }) => attemptId === attempt.id);
  const rate = segments.findLast(({ kind }) => kind === 'rate');
  return {
    id: attempt.id,
    nodeId: attempt.nodeId,
    ref: attempt.ref,
    provider: attempt.provider,
    offerId: attempt.offer.id,
    state: attempt.state,
    instanceId: attempt.instanceId,
    message: attempt.message,
    pricePerHourMicroUsd:
      rate === undefined ? attempt.offer.pricePerHourMicroUsd : money(rate.amountMicroUsd),
    costMicroUsd: money(segments.reduce((sum, segment) => sum + segmentCost(segment, nowMs), 0n)),
    createdAtMs: attempt.createdAtMs,
    endedAtMs: attempt.endedAtMs,
  };
}

function toNode(state: ClusterState, node: NodeRecord, signals: Signals | null, nowMs: number): Node {
  const own = state.attempts.filter(({ nodeId }) => nodeId === node.id);
  const current = own.find(({ id }) => id === node.attemptId) ?? own.at(-1);
  return {
    id: node.id,
    clusterId: node.clusterId,
    index: node.index,
    phase: node.phase,
    message: node.message,
    phaseSinceMs: node.phaseSinceMs,
    title: current === undefined ? '' : format.machineTitle(current.offer),
    provider: current?.provider ?? null,
    signals,
    attempts: own.map(attempt => toAttempt(state, attempt, nowMs)),
  };
}

export function toCluster(
  state: ClusterState,
  signalsOf: (nodeId: NodeId) => Signals | null,
  nowMs: number,
): Cluster {
  const { cluster } = state;
  return {
    id: cluster.id,
    name: cluster.name,
    practice: cluster.practice,
    phase: cluster.phase,
    phaseSinceMs: cluster.phaseSinceMs,
    message: cluster.message,
    conditions: cluster.conditions,
    engine: cluster.engine,
    template: cluster.template,
    nodes: presentNodes(state).map(node => toNode(state, node, signalsOf(node.id), nowMs)),
    caps: cluster.caps,
    save: cluster.save,
    saved: [...cluster.saved],
    createdAtMs: cluster.createdAtMs,
    endedAtMs: cluster.endedAtMs,
    usage: usageOf(state, nowMs),
    jupyterPath: `/clusters/${cluster.id}/jupyter`,
    lastEventSeq: cluster.lastEventSeq,
  };
}
