/**
 * What can be said of a cluster as a whole, worked out from its nodes and attempts after every change: its phase,
 * and the conditions `billing` and `cleanup`. (`kernel` and `engine` are said by the reconciler that asks the agents.)
 */
import type { ClusterPhase, Condition } from '@hitch/contract';
import { type ClusterDraft, type ClusterState, presentNodes } from './draft.ts';
import type { AttemptRecord, NodeRecord } from './records.ts';

/** Something that exists, may exist or may still cost. */
export function isUnfinished({ state }: AttemptRecord): boolean {
  return state !== 'refused' && state !== 'gone';
}

/** A purchase without an answer, on a network that has no place for our mark: nobody but a person can look. */
export function isBeyondUs({ state, visibleByMs }: AttemptRecord): boolean {
  return state === 'quarantined' && visibleByMs === null;
}

export function isLost({ phase }: NodeRecord): boolean {
  return phase === 'failed' || phase === 'gone';
}

interface PhaseSaid {
  readonly phase: ClusterPhase;
  readonly message: string;
}

export function summarise(draft: ClusterDraft): void {
  if (draft.cluster.desired === 'stopped') {
    draft.setCondition('kernel', 'no', 'stopped', '');
    draft.setCondition('engine', 'no', 'stopped', '');
    settleNodes(draft);
  }
  const billing = billingOf(draft);
  draft.setCondition('billing', billing.status, billing.reason, billing.message);
  const cleanup = cleanupOf(draft);
  draft.setCondition('cleanup', cleanup.status, cleanup.reason, cleanup.message);
  const { phase, message } = phaseOf(draft.state);
  const { cluster } = draft;
  if (cluster.phase !== phase) {
    draft.setCluster({ phase, message, phaseSinceMs: draft.nowMs });
    draft.say({ kind: 'phase', value: phase, message });
  } else if (cluster.message !== message) {
    draft.setCluster({ message });
  }
  const over =
    phase === 'stopped' || phase === 'expired' || (phase === 'failed' && !draft.attempts.some(isUnfinished));
  if (over !== (cluster.endedAtMs !== null)) {
    draft.setCluster({ endedAtMs: over ? draft.nowMs : null });
  }
}

/** In an ending cluster a node is stopping once its machine is given back, and gone once nothing of it is left. */
function settleNodes(draft: ClusterDraft): void {
  for (const node of presentNodes(draft.state).filter(({ phase }) => phase !== 'failed')) {
    const left = draft.attempts.filter(attempt => attempt.nodeId === node.id && isUnfinished(attempt));
    if (left.every(isBeyondUs)) {
      draft.nodePhase(node.id, 'gone', node.phase === 'gone' ? node.message : '');
    } else if (
      left.some(({ state }) => state === 'releasing') &&
      !left.some(({ state }) => state === 'owned')
    ) {
      draft.nodePhase(node.id, 'stopping', '');
    }
  }
}

type Said = Pick<Condition, 'status' | 'reason' | 'message'>;

function billingOf(draft: ClusterDraft): Said {
  const open = draft.segments.filter(({ kind, endMs }) => kind === 'rate' && endMs === null);
  const ending = draft.attempts.filter(({ state }) => state === 'releasing');
  const unclear = draft.attempts.filter(({ state }) => state === 'intended' || state === 'quarantined');
  if (open.length > 0) {
    const [first] = ending;
    return first === undefined || draft.cluster.desired === 'up'
      ? { status: 'yes', reason: 'running', message: '' }
      : {
          status: 'yes',
          reason: 'until_confirmed',
          message: `Billing until ${draft.titleOf(first.provider)} confirms.`,
        };
  }
  const [first] = unclear;
  return first === undefined
    ? { status: 'no', reason: 'nothing_rented', message: '' }
    : {
        status: 'unknown',
        reason: 'unclear_purchase',
        message: `Waiting for ${draft.titleOf(first.provider)}’s answer.`,
      };
}

function cleanupOf(draft: ClusterDraft): Said {
  const beyond = draft.attempts.filter(isBeyondUs);
  const left = draft.attempts.filter(attempt => isUnfinished(attempt) && !isBeyondUs(attempt));
  const [stuck] = beyond;
  if (left.length > 0) {
    // While it is to run, machines are what it is for.
    const machines = left.length === 1 ? '1 machine is' : `${left.length.toString()} machines are`;
    const message = draft.cluster.desired === 'up' ? '' : `Waiting for confirmation that ${machines} gone.`;
    return { status: 'no', reason: 'machines_left', message };
  }
  return stuck === undefined
    ? { status: 'yes', reason: 'nothing_left', message: '' }
    : {
        status: 'unknown',
        reason: 'cannot_look',
        message: `${draft.titleOf(stuck.provider)} never said whether it rented a machine, and Hitch cannot look it up there: check its own console.`,
      };
}

function phaseOf(state: ClusterState): PhaseSaid {
  return state.cluster.desired === 'stopped' ? endingPhase(state) : risingPhase(state);
}

const WHY = {
  user: '',
  stop_time: 'Its stop time was reached.',
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
