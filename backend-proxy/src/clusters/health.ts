/**
 * Keeps one open door and one stream of statuses to each node that was set up. A node that does not answer is
 * unreachable, no more: only its network can say that the machine is gone.
 */
import type { AgentStatus, NodeId } from '@hitch/contract';
import type { Door } from '../access/links.ts';
import { errorText } from '../platform/log.ts';
import { engineFor } from '../engines/engines.ts';
import { isCertainlyGone } from './billing.ts';
import { startAgent } from './bootstrap.ts';
import { type ClusterState, presentNodes } from './draft.ts';
import {
  RECONNECT_LONGEST_MS,
  RESTART_AGENT_AFTER_FAILURES,
  RETRY_FIRST_MS,
  SILENCE_LIMIT_MS,
} from './limits.ts';
import { loseMachine } from './outcomes.ts';
import { type Parts, providerOf } from './parts.ts';
import { notePrice } from './price.ts';
import type { AttemptRecord, NodeRecord } from './records.ts';
import type { Again, Reconciler } from './runner.ts';

function isSetUp({ phase, attemptId }: NodeRecord): boolean {
  return attemptId !== null && (phase === 'starting' || phase === 'ready' || phase === 'unreachable');
}

/** The owned machines that a door is kept open to: those that run, and those about to be saved from. */
function watched(state: ClusterState): readonly NodeRecord[] {
  return presentNodes(state).filter(
    node =>
      isSetUp(node) && state.attempts.some(({ id, state: at }) => id === node.attemptId && at === 'owned'),
  );
}

/** Whether an agent is still needed: to work with, or to bring what is to be saved. */
const isWanted = ({ cluster: { desired, skipSave, saveDone } }: ClusterState): boolean =>
  desired === 'up' || (!skipSave && !saveDone);

export function createHealth(parts: Parts): Reconciler<NodeId> {
  const failures = new Map<NodeId, number>();
  return {
    name: 'health',
    targets: state => watched(state).map(({ id }) => id),
    reconcile: nodeId => health(parts, failures, nodeId),
  };
}

async function health(parts: Parts, failures: Map<NodeId, number>, nodeId: NodeId): Promise<Again> {
  const state = parts.world.stateOfNode(nodeId);
  const node = state === undefined ? undefined : watched(state).find(({ id }) => id === nodeId);
  const attempt = state?.attempts.find(({ id }) => id === node?.attemptId);
  if (state === undefined || node === undefined || attempt === undefined) {
    failures.delete(nodeId);
    return {};
  }
  const open = parts.links.get(nodeId);
  if (open !== null) {
    follow(parts, node, open);
    return {};
  }
  const count = failures.get(nodeId) ?? 0;
  try {
    follow(parts, node, await reopen(parts, state, node, attempt, count));
    failures.delete(nodeId);
    return {};
  } catch (error) {
    failures.set(nodeId, count + 1);
    await noteSilence(parts, node, attempt, errorText(error));
    return { again: Math.min(RECONNECT_LONGEST_MS, RETRY_FIRST_MS * 2 ** count), pause: true };
  }
}

/** @throws ProviderError, HostError or Error when the machine does not answer. */
async function reopen(
  parts: Parts,
  state: ClusterState,
  node: NodeRecord,
  attempt: AttemptRecord,
  failures: number,
): Promise<Door> {
  const provider = providerOf(parts, attempt.provider);
  const id = attempt.instanceId ?? '';
  const instance = await parts.calls.provider(provider, 'get', signal => provider.get(id, signal));
  if (isCertainlyGone(instance, attempt, provider, parts.clock.now())) {
    await parts.world.change(node.clusterId, draft => {
      if (draft.attempt(attempt.id)?.state === 'owned') {
        loseMachine(draft, attempt, instance, parts.lastBusy.get(node.id));
      }
    });
    throw new Error('The machine is gone.');
  }
  await parts.world.change(node.clusterId, draft => notePrice(draft, attempt.id, instance));
  const host = await parts.calls.provider(provider, 'host', signal => provider.host(instance, signal));
  if (failures > 0 && failures % RESTART_AGENT_AFTER_FAILURES === 0 && isWanted(state)) {
    const facts = await parts.calls.limited('facts', signal => host.facts(signal));
    const { needs } = engineFor(state.cluster.engine);
    const python = await parts.calls.limited('python', signal =>
      host.ensurePython(needs, () => undefined, signal),
    );
    await startAgent(parts, node, attempt, host, facts, python);
  }
  return parts.calls.limited('connect', signal => parts.links.open(node.id, host, node.agentToken, signal));
}

async function noteSilence(
  parts: Parts,
  node: NodeRecord,
  attempt: AttemptRecord,
  why: string,
): Promise<void> {
  parts.live.delete(node.id);
  await parts.world.change(node.clusterId, draft => {
    const current = draft.node(node.id);
    if (
      current?.phase === 'ready' &&
      current.attemptId === attempt.id &&
      draft.attempt(attempt.id)?.state === 'owned'
    ) {
      draft.nodePhase(node.id, 'unreachable', `No answer: ${why}`);
    }
  });
}

const followed = new WeakSet<Door>();

/** Reads a door's statuses until it closes, in the background; once for each door. */
function follow(parts: Parts, node: NodeRecord, door: Door): void {
  if (!followed.has(door)) {
    followed.add(door);
    void read(parts, node, door);
  }
}

async function read(parts: Parts, node: NodeRecord, door: Door): Promise<void> {
  const silence = new AbortController();
  const signal = AbortSignal.any([silence.signal, door.closed]);
  let reason = 'The agent ended its answer.';
  let timer = parts.clock.setTimer(() => silence.abort(), SILENCE_LIMIT_MS);
  try {
    await untilAborted(
      signal,
      (async () => {
        for await (const status of door.agent.watch(signal)) {
          timer.cancel();
          if (signal.aborted) {
            return;
          }
          timer = parts.clock.setTimer(() => silence.abort(), SILENCE_LIMIT_MS);
          hear(parts, node, status);
        }
      })(),
    );
  } catch (error) {
    reason = errorText(error);
  }
  timer.cancel();
  if (parts.links.get(node.id) === door) {
    parts.links.drop(node.id, reason);
    parts.live.delete(node.id);
  }
  parts.runner.touch(node.clusterId);
}

/** An iterator may not honour its signal at once; nobody waits for it longer than that. */
function untilAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => resolve();
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    if (signal.aborted) {
      resolve();
    }
  });
}

function hear(parts: Parts, node: NodeRecord, status: AgentStatus): void {
  const before = parts.live.get(node.id);
  parts.live.set(node.id, status);
  parts.clockOffsets.set(node.id, status.nowMs - parts.clock.now());
  noteBusy(parts, node.id, status);
  if (before === undefined || matters(before) !== matters(status)) {
    parts.runner.touch(node.clusterId);
  }
}

/** By the daemon's clock: an agent's own may be off. Idle since a while means busy until then. */
function noteBusy({ lastBusy, clock }: Parts, nodeId: NodeId, { watchdog, nowMs }: AgentStatus): void {
  const idleForMs = watchdog.idleSinceMs === null ? 0 : Math.max(0, nowMs - watchdog.idleSinceMs);
  lastBusy.set(nodeId, clock.now() - idleForMs);
}

/** The part of a status that a reconciler acts on. */
function matters({ jupyter, engine, watchdog }: AgentStatus): string {
  return [
    jupyter.state,
    engine.state,
    engine.headAddress,
    engine.nodesAlive,
    engine.rayVersion,
    watchdog.state,
    watchdog.reason,
    watchdog.idleSinceMs === null,
  ].join(' ');
}
