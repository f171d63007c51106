/** Records as they travel. */
import {
  format,
  type Attempt,
  type Cluster,
  type ClusterEnvironment,
  type ClusterId,
  type LockedEnvironment,
  type MachineAbout,
  type Node,
  type NodeEnvironmentSaid,
  type NodeId,
  type ProviderId,
  type Saving,
  type Signals,
} from '@hitch/contract';
import { type ClusterState, isFor, memberOf, presentNodes } from '../ledger/cluster-state.ts';
import { HOST_KEY_UNPROVED } from './addresses.ts';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import type { HostFacts } from '../access/host.ts';
import { totalCost } from '../spend/cost.ts';
import { slowNetwork } from './as-offered.ts';
import { money, usageOf } from '../spend/usage.ts';

/** What records do not hold. */
export interface Surroundings {
  readonly signalsOf: (nodeId: NodeId) => Signals | null;
  /** Undefined while the machine is not reached. */
  readonly factsOf: (nodeId: NodeId) => HostFacts | undefined;
  readonly lockOf: (id: string) => LockedEnvironment | null;
  /** What its agent said last; null: nothing. */
  readonly environmentOf: (nodeId: NodeId) => NodeEnvironmentSaid | null;
  /** How far a change of its environment is. */
  readonly changeOf: (clusterId: ClusterId) => {
    readonly message: string;
    readonly said: ReadonlyMap<NodeId, string>;
  };
  readonly savingOf: (clusterId: ClusterId) => Saving | null;
  /** A network's name for people. */
  readonly titleOf: (provider: ProviderId) => string;
  readonly nowMs: number;
}

function toAttempt(
  state: ClusterState,
  attempt: AttemptRecord,
  { titleOf, nowMs }: Pick<Surroundings, 'titleOf' | 'nowMs'>,
): Attempt {
  const segments = state.segments.filter(({ attemptId }) => attemptId === attempt.id);
  const rate = segments.findLast(({ kind }) => kind === 'rate');
  return {
    id: attempt.id,
    nodeId: attempt.nodeId,
    ref: attempt.ref,
    provider: attempt.provider,
    offerId: attempt.offer.id,
    offerTitle: format.offerTitle(attempt.offer, titleOf(attempt.provider)),
    state: attempt.state,
    instanceId: attempt.instanceId,
    ...(attempt.adopted === null
      ? {}
      : { adopted: attempt.adopted.isSetUp ? ('set_up' as const) : ('watched' as const) }),
    message: attempt.message,
    pricePerHourMicroUsd:
      rate === undefined ? attempt.offer.pricePerHourMicroUsd : money(rate.amountMicroUsd),
    costMicroUsd: money(totalCost(segments, nowMs)),
    createdAtMs: attempt.createdAtMs,
    endedAtMs: attempt.endedAtMs,
  };
}

function toNode(state: ClusterState, node: NodeRecord, around: Surroundings): Node {
  const own = state.attempts.filter(attempt => isFor(attempt, node.id));
  const current = own.find(({ id }) => id === node.attemptId) ?? own.at(-1);
  const machine = aboutMachine(around.factsOf(node.id), current, node);
  return {
    id: node.id,
    clusterId: node.clusterId,
    index: node.index,
    phase: node.phase,
    message: node.message,
    phaseSinceMs: node.phaseSinceMs,
    waitsUntilMs: node.deadlineMs,
    title: current === undefined ? '' : format.machineTitle(current.offer),
    provider: current?.provider ?? null,
    signals: around.signalsOf(node.id),
    ...(machine === undefined ? {} : { machine }),
    // Several machines of one purchase stand in the first one's row, with what all of them cost.
    attempts: own
      .filter(({ nodeId }) => nodeId === node.id)
      .map(attempt => toAttempt(state, attempt, around)),
  };
}

/** What nobody has vouched for, and what is slower than offered, is said beside what the machine says of itself. */
function aboutMachine(
  facts: HostFacts | undefined,
  attempt: AttemptRecord | undefined,
  { id }: NodeRecord,
): MachineAbout | undefined {
  const about = facts?.about;
  if (about === undefined || attempt === undefined) {
    return about;
  }
  const isProved = memberOf(attempt, id)?.address?.proof !== 'first_contact';
  const warnings = [
    ...(isProved ? [] : [HOST_KEY_UNPROVED]),
    ...slowNetwork(attempt.offer, facts?.has?.network ?? null),
  ];
  return warnings.length === 0 ? about : { ...about, warnings: [...about.warnings, ...warnings] };
}

/** Practice machines are made for their cluster, and go with it. */
function areOwn({ cluster, attempts }: ClusterState): boolean {
  return !cluster.practice && attempts.length > 0 && attempts.every(({ offer }) => offer.trust === 'own');
}

function toEnvironment(state: ClusterState, around: Surroundings): ClusterEnvironment {
  const { id, change, problem, added } = state.cluster.environment;
  const lock = id === null ? null : around.lockOf(id);
  const said = presentNodes(state).flatMap(node => around.environmentOf(node.id) ?? []);
  const going = around.changeOf(state.cluster.id);
  const wrong = said.map(each => each.problem).find(each => each !== '') ?? null;
  return {
    id,
    file: lock?.file ?? '',
    python: lock?.python ?? '',
    packages: lock?.packages.length ?? 0,
    added: [...added],
    oldKernels: said.flatMap(({ oldKernels }) => oldKernels),
    change:
      change === null
        ? null
        : {
            id: change.id,
            file: change.id === null ? 'Hitch’s packages' : (around.lockOf(change.id)?.file ?? change.id),
            message: going.message,
            sinceMs: change.sinceMs,
            nodes: presentNodes(state).flatMap(({ id: nodeId, index }) => {
              const message = going.said.get(nodeId);
              return message === undefined ? [] : [{ node: index, message }];
            }),
          },
    problem: problem ?? wrong,
  };
}

export function toCluster(state: ClusterState, around: Surroundings): Cluster {
  const { cluster } = state;
  return {
    id: cluster.id,
    name: cluster.name,
    practice: cluster.practice,
    ownMachines: areOwn(state),
    phase: cluster.phase,
    phaseSinceMs: cluster.phaseSinceMs,
    message: cluster.message,
    conditions: cluster.conditions,
    engine: cluster.engine,
    template: cluster.template,
    nodes: presentNodes(state).map(node => toNode(state, node, around)),
    caps: cluster.caps,
    save: cluster.save,
    saved: [...cluster.saved],
    saving: around.savingOf(cluster.id),
    environment: toEnvironment(state, around),
    createdAtMs: cluster.createdAtMs,
    endedAtMs: cluster.endedAtMs,
    usage: usageOf(state, around.nowMs),
    jupyterPath: `/clusters/${cluster.id}/jupyter`,
    lastEventSeq: cluster.lastEventSeq,
  };
}
