/** From bought to an agent that answers: boot, packages, agent, the way in. */
import { AGENT_PROTOCOL, type AgentConfig, type AgentEnvironment, type NodeId } from '@hitch/contract';
import { type Host, HostError, type HostFacts } from '../access/host.ts';
import type { Door } from '../access/links.ts';
import { type ClusterState, memberOf, memberRef, presentNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { isKeyRefused } from '../machines/far/far-programs.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { engineFor } from '../engines/engines.ts';
import { lookAtInstance } from './ask-after.ts';
import { dial, hostNow, knownAddress } from './addresses.ts';
import { isCertainlyGone } from './billing.ts';
import { checkMachine } from './check-machine.ts';
import { environmentOn } from './environment.ts';
import { giveBack, giveUp } from './give-back.ts';
import { NetworkWaits } from './pause.ts';
import {
  AGENT_START_LIMIT_MS,
  BOOT_LOOK_LONGEST_MS,
  BOOT_LOOK_SHORTEST_MS,
  CALL_LIMIT_MS,
  LONG_BOOT_MS,
  PHASE_LIMIT_MS,
  phaseLimitMs,
} from './limits.ts';
import { letInAgain, takesKeys } from './let-in.ts';
import { failNode, loseMachine, membersGone, ORDERED, STARTING } from './transitions.ts';
import { type Parts, providerOf } from './parts.ts';
import { advanceOrder, isAgreed } from './order.ts';
import { notePrice } from './price.ts';
import type { Result, Reconciler } from './runner.ts';
import { watchdogFor } from './watchdog.ts';

/** For the kernels of a node: each one's journal, and those of all that have ended. */
const JOURNAL_LIMITS: AgentConfig['journal'] = {
  maxBytesPerKernel: 256 * 1024 * 1024,
  maxBytesEnded: 1024 * 1024 * 1024,
  maxAgeMs: 7 * 24 * 3_600_000,
};

function isComingUp({ phase, attemptId }: NodeRecord): boolean {
  return attemptId !== null && (phase === 'booting' || phase === 'bootstrapping');
}

export function createBootstrap(parts: Parts): Reconciler<NodeId> {
  const dialled: Dialled = new Set();
  return {
    name: 'bootstrap',
    targets: state =>
      state.cluster.desired === 'up'
        ? presentNodes(state)
            .filter(isComingUp)
            .map(({ id }) => id)
        : [],
    reconcile: nodeId => bootstrap(parts, dialled, nodeId),
  };
}

/** Machines, by their refs, that were tried where they were reached last: where that fails, their networks are asked before the next try. */
type Dialled = Set<string>;

async function bootstrap(parts: Parts, dialled: Dialled, nodeId: NodeId): Promise<Result> {
  const state = parts.ledger.stateOfNode(nodeId);
  const node = state?.nodes.find(({ id }) => id === nodeId);
  const attempt = state?.attempts.find(({ id }) => id === node?.attemptId);
  if (state === undefined || node === undefined || attempt === undefined || attempt.instanceId === null) {
    return {};
  }
  if (state.cluster.desired !== 'up' || !isComingUp(node)) {
    return {};
  }
  const provider = providerOf(parts, attempt.provider);
  const { instanceId } = attempt;
  const nowMs = parts.clock.now();
  if (node.deadlineMs !== null && nowMs >= node.deadlineMs) {
    await giveUp(parts, node, attempt, lateSentence(provider, node));
    return {};
  }
  const known = knownAddress({ attempt, node });
  const machine = memberRef(attempt, nodeId);
  if (node.phase === 'bootstrapping' && known !== null && !dialled.has(machine)) {
    // A daemon before this one was there: the network, which may be down by now, need not say so again.
    dialled.add(machine);
    return setUp(parts, { state, node, attempt, isCertain: false }, () =>
      dial(parts, provider, { attempt, node }, known),
    );
  }
  dialled.delete(machine);
  const instance = await parts.calls
    .provider(provider, 'get', signal => provider.get(instanceId, signal))
    .catch(async (error: unknown) => {
      await sayWaiting(parts, node, error);
      throw error;
    });
  if (isCertainlyGone(instance, attempt, provider, nowMs)) {
    await parts.ledger.change(node.clusterId, tx => loseMachine(tx, attempt, instance));
    return {};
  }
  await noteChange(parts, node, attempt, instance);
  if (membersGone(state, attempt, instance).length > 0) {
    await lookAtInstance(parts, attempt, instance);
    return { requeueAfterMs: 1 };
  }
  if (instance.status === 'ordered') {
    return advanceOrder(parts, provider, { node, attempt, instance });
  }
  if (node.phase === 'booting') {
    return statusOf(instance, attempt, node) === 'running'
      ? {}
      : { requeueAfterMs: untilNextLook(node, nowMs) };
  }
  dialled.add(machine);
  return setUp(parts, { state, node, attempt, isCertain: true }, () =>
    hostNow(parts, provider, { attempt, node }, instance),
  );
}

/** Of several machines in one purchase each boots by itself. */
const statusOf = (
  { status, members }: Instance,
  attempt: AttemptRecord,
  { id }: NodeRecord,
): Instance['status'] => {
  const rank = memberOf(attempt, id)?.rank;
  const own = members.length > 1 ? members.find(member => member.rank === rank) : undefined;
  return status === 'running' && own !== undefined ? own.status : status;
};

/** Says in the row of a machine that is looked at for how long its network asks to wait. */
async function sayWaiting(parts: Parts, { id, clusterId, phase }: NodeRecord, error: unknown): Promise<void> {
  if (error instanceof NetworkWaits) {
    await parts.ledger.change(clusterId, tx => {
      if (tx.node(id)?.phase === phase) {
        tx.nodePhase(id, phase, error.message);
      }
    });
  }
}

function untilNextLook({ phaseSinceMs, deadlineMs }: NodeRecord, nowMs: number): number {
  const look = Math.min(BOOT_LOOK_LONGEST_MS, Math.max(BOOT_LOOK_SHORTEST_MS, (nowMs - phaseSinceMs) / 20));
  return deadlineMs === null ? look : Math.min(look, Math.max(1, deadlineMs - nowMs));
}

function lateSentence(provider: Provider, { phase, message }: NodeRecord): string {
  const limitMs = phaseLimitMs(
    phase === 'booting' ? 'booting' : 'bootstrapping',
    provider.capabilities.phaseLimitsMs,
  );
  const minutes = (limitMs / 60_000).toString();
  const last = message === '' ? '' : ` Last: ${message}`;
  return phase === 'booting'
    ? `The machine at ${provider.title} did not start in ${minutes} minutes.${last}`
    : `The machine was not set up in ${minutes} minutes.${last}`;
}

function fail(parts: Parts, { id, clusterId, phase }: NodeRecord, sentence: string): Promise<void> {
  return parts.ledger.change(clusterId, tx => {
    const current = tx.node(id);
    if (current?.phase === phase && tx.cluster.desired === 'up') {
      failNode(tx, current, sentence);
    }
  });
}

/** Notes the price and, once the network says it runs, that setting up begins. */
function noteChange(
  parts: Parts,
  node: NodeRecord,
  attempt: AttemptRecord,
  instance: Instance,
): Promise<void> {
  return parts.ledger.change(node.clusterId, tx => {
    notePrice(tx, attempt.id, instance);
    const current = tx.node(node.id);
    if (current?.phase !== 'booting' || current.attemptId !== attempt.id) {
      return;
    }
    if (statusOf(instance, attempt, node) === 'running') {
      tx.nodePhase(
        node.id,
        'bootstrapping',
        'Checking that it is what was bought.',
        phaseLimitMs('bootstrapping', tx.limitsOf(attempt.provider)),
      );
    } else {
      tx.nodePhase(node.id, 'booting', bootingWords(instance, tx.nowMs - current.phaseSinceMs));
    }
  });
}

/** One that stands still before it ever ran, or boots for long, may never run: why, its network says. */
function bootingWords(instance: Instance, forMs: number): string {
  const { status, message } = instance;
  switch (status) {
    case 'ordered':
      return isAgreed(instance) ? message : ORDERED;
    case 'stopped':
      return message;
    default:
      return forMs < LONG_BOOT_MS || message === '' ? STARTING : message;
  }
}

interface ToSetUp {
  readonly state: ClusterState;
  readonly node: NodeRecord;
  readonly attempt: AttemptRecord;
  /** Whether its network says that it runs, and where: then what is wrong there for good is its end. */
  readonly isCertain: boolean;
}

async function setUp(
  parts: Parts,
  { state, node, attempt, isCertain }: ToSetUp,
  reach: () => Promise<Host>,
): Promise<Result> {
  try {
    const host = await reach();
    const { facts, wrong } = await checkMachine(
      parts,
      state,
      attempt,
      host,
      said => void report(parts, node, said),
    );
    if (wrong.length > 0 && !isCertain) {
      // Another machine may answer there by now: the network is asked first.
      return { requeueAfterMs: 1 };
    }
    if (wrong.length > 0) {
      await giveBack(parts, node, attempt, wrong);
      return {};
    }
    void report(parts, node, 'Installing packages.');
    const python = await parts.calls.limited('python', signal =>
      host.ensurePython(
        engineFor(state.cluster.engine).needs,
        said => void report(parts, node, said),
        signal,
      ),
    );
    const environment = await ownEnvironment(parts, state, node, host, python);
    void report(parts, node, 'Setting up.');
    await startAgent(parts, node, attempt, host, { facts, python, environment });
    const door = await openSoon(parts, node, host, facts);
    parts.live.set(node.id, await parts.calls.limited('agent', signal => door.agent.status(signal)));
  } catch (error) {
    const mayTakeKey = isKeyRefused(error) && takesKeys(parts, attempt);
    if (mayTakeKey) {
      // The network attaches it in its own time, and may have forgotten.
      await letInAgain(parts, attempt);
    } else if (isCertain && error instanceof HostError && error.fatal) {
      await fail(parts, node, error.message);
      return {};
    }
    await report(parts, node, errorText(error));
    throw error;
  }
  await parts.ledger.change(node.clusterId, tx => {
    const current = tx.node(node.id);
    if (current?.phase === 'bootstrapping' && current.attemptId === attempt.id) {
      tx.nodePhase(node.id, 'starting', 'Connected.', PHASE_LIMIT_MS.starting);
    }
  });
  return {};
}

/**
 * An agent that was started a moment ago does not listen yet: its door is tried often, for a while. A machine behind ssh, where
 * each question is a program, was looked at before it was set up: what that has changed, it is asked a little later.
 */
async function openSoon(parts: Parts, node: NodeRecord, host: Host, facts: HostFacts): Promise<Door> {
  const asked = host.way === undefined ? null : facts;
  const untilMs = parts.clock.monotonic() + AGENT_START_LIMIT_MS;
  for (let pauseMs = 50; ; pauseMs = Math.min(1_000, pauseMs * 1.5)) {
    try {
      return await parts.calls.limited('connect', signal =>
        parts.links.open(node.id, host, node.agentToken, signal, asked),
      );
    } catch (error) {
      const fatal = error instanceof HostError && error.fatal;
      if (fatal || parts.ending.aborted || parts.clock.monotonic() >= untilMs) {
        throw error;
      }
      await parts.clock.sleep(Math.ceil(pauseMs), parts.ending);
    }
  }
}

function report(parts: Parts, { id, clusterId }: NodeRecord, sentence: string): Promise<void> {
  return parts.ledger
    .change(clusterId, tx => {
      if (tx.node(id)?.phase === 'bootstrapping') {
        tx.nodePhase(id, 'bootstrapping', sentence);
      }
    })
    .catch(() => undefined);
}

/** One that the cluster has of its own may take longer than all else: the time for setting up begins anew with it. */
async function ownEnvironment(
  parts: Parts,
  state: ClusterState,
  node: NodeRecord,
  host: Host,
  python: string,
): Promise<AgentEnvironment | undefined> {
  if (state.cluster.environment.id !== null) {
    await parts.ledger.change(node.clusterId, tx => {
      if (tx.node(node.id)?.phase === 'bootstrapping') {
        tx.setNode(node.id, { deadlineMs: tx.nowMs + CALL_LIMIT_MS.environment });
      }
    });
  }
  return environmentOn(parts, state, node, { host, python, say: said => void report(parts, node, said) });
}

/** What an agent's configuration says of its machine. */
export interface OnMachine {
  readonly facts: HostFacts;
  /** With Hitch's own packages. */
  readonly python: string;
  /** What people's programs run in, where it is another. */
  readonly environment: AgentEnvironment | undefined;
}

/**
 * Starts the agent unless that very agent already runs. The same machine gets the same configuration each time, for
 * another one would end the agent and start it afresh; newer limits reach it through its door.
 */
export async function startAgent(
  parts: Parts,
  node: NodeRecord,
  attempt: AttemptRecord,
  host: Host,
  there: OnMachine,
): Promise<void> {
  const state = parts.ledger.state(node.clusterId);
  if (state === undefined) {
    return;
  }
  const machine = memberRef(attempt, node.id);
  const config = parts.agentConfigs.get(machine) ?? (await configFor(parts, state, node, attempt, there));
  parts.agentConfigs.set(machine, config);
  await parts.calls.limited('startAgent', signal =>
    host.startAgent({ bundlePath: parts.agentBundlePath, config }, signal),
  );
}

async function configFor(
  parts: Parts,
  state: ClusterState,
  node: NodeRecord,
  attempt: AttemptRecord,
  { facts, python, environment }: OnMachine,
): Promise<string> {
  const { cluster } = state;
  const config: AgentConfig = {
    protocol: AGENT_PROTOCOL,
    clusterId: cluster.id,
    clusterName: cluster.name,
    nodeId: node.id,
    ref: memberRef(attempt, node.id),
    token: node.agentToken,
    listen: facts.listen,
    stateFolder: facts.stateFolder,
    workFolder: facts.workFolder,
    python,
    ...(environment === undefined ? {} : { environment }),
    jupyter: node.index === 0,
    journal: JOURNAL_LIMITS,
    watchdog: watchdogFor(state, node, parts.clock.now(), parts),
    secrets: { ...(await parts.secrets(cluster.secrets)) },
  };
  return JSON.stringify(config);
}
