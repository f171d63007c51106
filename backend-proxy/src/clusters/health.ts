/**
 * Keeps one open door and one stream of statuses to each node that was set up. A node that does not answer is
 * unreachable, no more: only its network can say that the machine is gone.
 */
import type { AgentStatus, NodeId } from '@hitch/contract';
import type { Host } from '../access/host.ts';
import type { Door } from '../access/links.ts';
import { mustBe, NotUnderstood } from '../access/not-understood.ts';
import { type ClusterState, presentNodes, workingNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { isKeyRefused } from '../machines/far/far-programs.ts';
import { CHANGE_EVERY_MS, CHANGES_AT_ONCE, HeardChanges } from './heard-changes.ts';
import { RETRY_FIRST_MS, SILENCE_LIMIT_MS, STATUS_PAUSE_MS, STEADY_MS } from './limits.ts';
import { forgetStatus, type Parts } from './parts.ts';
import { letInAgain } from './let-in.ts';
import { lookLater } from './later-look.ts';
import { MemoryWarnings } from './memory-warnings.ts';
import { reopen, type WayBefore } from './reopen.ts';
import type { Result, Reconciler } from './runner.ts';

function isSetUp({ phase, attemptId }: NodeRecord): boolean {
  return attemptId !== null && (phase === 'starting' || phase === 'ready' || phase === 'unreachable');
}

/** Nodes on owned machines: those that run, and those about to be saved from. */
const onOwned = (state: ClusterState, nodes: readonly NodeRecord[]): readonly NodeRecord[] =>
  nodes.filter(
    node =>
      isSetUp(node) && state.attempts.some(({ id, state: at }) => id === node.attemptId && at === 'owned'),
  );

/** Those that a door is kept open to. */
const watched = (state: ClusterState): readonly NodeRecord[] => onOwned(state, workingNodes(state));

/** The ways to machines that are kept open, and what was learnt of those that break. */
interface Watch {
  readonly parts: Parts;
  readonly retries: Map<NodeId, Retries>;
  readonly changes: HeardChanges;
  readonly memory: MemoryWarnings;
}

interface Retries {
  readonly failures: number;
  /** By the monotonic clock. */
  readonly notBeforeMs: number;
}

export function createHealth(parts: Parts): Reconciler<NodeId> {
  const watch: Watch = {
    parts,
    retries: new Map(),
    changes: new HeardChanges(parts.clock),
    memory: new MemoryWarnings(parts),
  };
  return {
    name: 'health',
    targets: state => onOwned(state, presentNodes(state)).map(({ id }) => id),
    reconcile: nodeId => health(watch, nodeId),
  };
}

async function health(watch: Watch, nodeId: NodeId): Promise<Result> {
  const { parts, retries } = watch;
  const state = parts.ledger.stateOfNode(nodeId);
  const node = state === undefined ? undefined : watched(state).find(({ id }) => id === nodeId);
  const attempt = state?.attempts.find(({ id }) => id === node?.attemptId);
  if (state === undefined || node === undefined || attempt === undefined) {
    retries.delete(nodeId);
    watch.changes.forget(nodeId);
    watch.memory.forget(nodeId);
    if (state !== undefined && onOwned(state, presentNodes(state)).some(({ id }) => id === nodeId)) {
      // It was to be set up, and is only watched now.
      parts.links.drop(nodeId, 'it is only watched');
      forgetStatus(parts, nodeId);
    }
    return {};
  }
  const open = parts.links.get(nodeId);
  if (open !== null) {
    follow(watch, node, attempt, open);
    return {};
  }
  const { failures, notBeforeMs } = retries.get(nodeId) ?? { failures: 0, notBeforeMs: 0 };
  const waitMs = notBeforeMs - parts.clock.monotonic();
  if (waitMs > 0) {
    return { requeueAfterMs: waitMs };
  }
  let way: WayBefore | null = null;
  try {
    const door = await reopen(parts, state, node, attempt, failures, host => (way ??= before(host)));
    follow(watch, node, attempt, door);
    return {};
  } catch (error) {
    const pauseMs = noteFailure(watch, nodeId);
    await noteSilence(parts, node, attempt, whyIn(error));
    if (isKeyRefused(error)) {
      await letInAgain(parts, attempt);
    }
    return pause(watch, nodeId, way, pauseMs);
  }
}

const before = (host: Host): WayBefore => ({ host, wasOpen: host.way?.isOpen ?? true });

/** The pause after a failure. Where the machine itself was silent, it ends with its first word. */
async function pause(
  { parts, retries }: Watch,
  nodeId: NodeId,
  before: WayBefore | null,
  pauseMs: number,
): Promise<Result> {
  const way = before?.host.way;
  if (way === undefined || (before?.wasOpen === true && way.isOpen)) {
    return { requeueAfterMs: pauseMs, backoff: true };
  }
  const over = new AbortController();
  await new Promise<void>(resolve => {
    const timer = parts.clock.setTimer(resolve, pauseMs);
    way.opened(over.signal).then(
      () => {
        timer.cancel();
        resolve();
      },
      // It said something else than nothing: the next try says what.
      () => undefined,
    );
  });
  over.abort(new Error('The pause is over.'));
  const { failures } = retries.get(nodeId) ?? { failures: 0 };
  retries.set(nodeId, { failures, notBeforeMs: parts.clock.monotonic() });
  return { requeueAfterMs: 0 };
}

/** One more in a row. @returns how long to wait before the next try. */
function noteFailure({ parts, retries }: Watch, nodeId: NodeId): number {
  const failures = retries.get(nodeId)?.failures ?? 0;
  const waitMs = Math.min(parts.patience.reconnectLongestMs, RETRY_FIRST_MS * 2 ** failures);
  retries.set(nodeId, { failures: failures + 1, notBeforeMs: parts.clock.monotonic() + waitMs });
  return waitMs;
}

const whyIn = (error: unknown): string =>
  error instanceof NotUnderstood ? error.message : `No answer: ${errorText(error)}`;

async function noteSilence(
  parts: Parts,
  node: NodeRecord,
  attempt: AttemptRecord,
  why: string,
): Promise<void> {
  forgetStatus(parts, node.id);
  await parts.ledger.change(node.clusterId, tx => {
    const current = tx.node(node.id);
    if (
      current?.phase === 'ready' &&
      current.attemptId === attempt.id &&
      tx.attempt(attempt.id)?.state === 'owned'
    ) {
      tx.nodePhase(node.id, 'unreachable', why);
    }
  });
}

const followed = new WeakSet<Door>();

/** Reads a door's statuses until it closes, in the background; once for each door. */
function follow(watch: Watch, node: NodeRecord, attempt: AttemptRecord, door: Door): void {
  if (!followed.has(door)) {
    followed.add(door);
    void read(watch, node, attempt, door);
    void lookLater(watch.parts, node, door);
  }
}

async function read(watch: Watch, node: NodeRecord, attempt: AttemptRecord, door: Door): Promise<void> {
  const { parts } = watch;
  const openedAtMs = parts.clock.monotonic();
  let problem: unknown = null;
  try {
    await listen(watch, node, door);
  } catch (error) {
    problem = error;
  }
  if (parts.clock.monotonic() - openedAtMs >= STEADY_MS) {
    watch.retries.delete(node.id);
  } else {
    // What opens and breaks at once is no better than what does not open.
    noteFailure(watch, node.id);
  }
  if (parts.links.get(node.id) === door) {
    parts.links.drop(node.id, problem === null ? 'The agent ended its answer.' : errorText(problem));
    forgetStatus(parts, node.id);
  }
  if (problem instanceof NotUnderstood) {
    await noteSilence(parts, node, attempt, problem.message).catch((error: unknown) => {
      parts.log.warn('What a machine said could not be written down.', { error: errorText(error) });
    });
  }
  parts.runner.touch(node.clusterId);
}

/** Hears one status after the other until the door closes or is silent. @throws what the agent's stream throws. */
async function listen(watch: Watch, node: NodeRecord, door: Door): Promise<void> {
  const { clock } = watch.parts;
  const silence = new AbortController();
  const signal = AbortSignal.any([silence.signal, door.closed]);
  let timer = clock.setTimer(() => silence.abort(), SILENCE_LIMIT_MS);
  try {
    await untilAborted(
      signal,
      (async () => {
        for await (const status of door.agent.watch(signal)) {
          timer.cancel();
          if (signal.aborted) {
            return;
          }
          timer = clock.setTimer(() => silence.abort(), SILENCE_LIMIT_MS);
          hear(watch, node, status);
          // An agent that speaks all the time is read no faster than that; it waits.
          await clock.sleep(STATUS_PAUSE_MS, signal).catch(() => undefined);
        }
      })(),
    );
  } finally {
    timer.cancel();
  }
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

function hear(watch: Watch, node: NodeRecord, said: AgentStatus): void {
  const { parts } = watch;
  mustBe(said.nodeId === node.id, 'the status of another node than the one that was asked');
  const before = parts.live.get(node.id);
  const turn = watch.changes.turnOf(node.id, said);
  // What is not taken over yet stays as it was; the rest of a status is never written down.
  const status =
    turn === 'taken' || before === undefined
      ? said
      : { ...said, jupyter: before.jupyter, engine: before.engine };
  if (turn === 'firstHeld') {
    sayHeld(parts, node);
  }
  parts.live.set(node.id, status);
  parts.clockOffsets.set(node.id, status.nowMs - parts.clock.now());
  noteBusy(parts, node.id, status);
  watch.memory.hear(node, status);
  if (before === undefined || matters(before) !== matters(status)) {
    parts.runner.touch(node.clusterId);
  }
}

function sayHeld(parts: Parts, node: NodeRecord): void {
  const seconds = (CHANGE_EVERY_MS / 1000).toString();
  const message =
    `This machine’s agent changed its status ${CHANGES_AT_ONCE.toString()} times, more than machines do; ` +
    `Hitch takes over one change every ${seconds} s from now on. It may be broken or hostile.`;
  parts.ledger
    .change(node.clusterId, tx => {
      if (tx.node(node.id) !== undefined) {
        tx.say({ kind: 'warning', value: 'restless', message, nodeId: node.id });
      }
    })
    .catch((error: unknown) => {
      parts.log.warn('What a machine said could not be written down.', { error: errorText(error) });
    });
}

/** By the daemon's clock: an agent's own may be off. Idle since a while means busy until then. */
function noteBusy({ lastBusy, clock }: Parts, nodeId: NodeId, { watchdog, nowMs }: AgentStatus): void {
  const idleForMs = watchdog.idleSinceMs === null ? 0 : Math.max(0, nowMs - watchdog.idleSinceMs);
  lastBusy.set(nodeId, clock.now() - idleForMs);
}

/** The part of a status that a reconciler acts on. */
function matters({ jupyter, engine, watchdog, environment }: AgentStatus): string {
  return [
    jupyter.state,
    engine.state,
    engine.headAddress,
    engine.nodesAlive,
    engine.rayVersion,
    watchdog.state,
    watchdog.reason,
    watchdog.idleSinceMs === null,
    environment?.generation,
    environment?.added.length,
    environment?.added[0]?.atMs,
  ].join(' ');
}
