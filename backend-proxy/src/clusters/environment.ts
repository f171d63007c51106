/**
 * The environment of a cluster's own: made on its machines, changed while it runs, and what people add to it by hand. A change is
 * prepared on every machine before it is one: where a machine cannot, all of them keep what they have.
 */
import { type AgentEnvironment, type ClusterId, HitchError, type NodeId, shownName } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import { type EnvironmentLock, type Host, HostError } from '../access/host.ts';
import { engineFor } from '../engines/engines.ts';
import { type ClusterState, isLost, presentNodes } from '../ledger/cluster-state.ts';
import { type EnvironmentRecord, HITCHS_OWN } from '../ledger/kinds/cluster.ts';
import type { NodeRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { ADDED_LOOK_MS } from './limits.ts';
import type { Parts } from './parts.ts';
import type { Reconciler, Result } from './runner.ts';

type Say = (sentence: string) => void;

/** Changes that go on in this daemon: how far each machine is, and what ends them. */
export class EnvironmentChanges {
  readonly #changes = new Map<
    ClusterId,
    { readonly abort: AbortController; readonly said: Map<NodeId, string> }
  >();

  begin(id: ClusterId): { readonly signal: AbortSignal; say(node: NodeId, sentence: string): void } {
    const abort = new AbortController();
    const said = new Map<NodeId, string>();
    this.#changes.set(id, { abort, said });
    return { signal: abort.signal, say: (node, sentence) => said.set(node, sentence) };
  }

  end(id: ClusterId): void {
    this.#changes.delete(id);
  }

  cancel(id: ClusterId): void {
    this.#changes.get(id)?.abort.abort(new Error('The change was cancelled.'));
  }

  /** What each machine says. */
  said(id: ClusterId): ReadonlyMap<NodeId, string> {
    return this.#changes.get(id)?.said ?? new Map<NodeId, string>();
  }

  /** What the machines say, each sentence once; '' while none says anything. */
  message(id: ClusterId): string {
    return [...new Set(this.#changes.get(id)?.said.values() ?? [])].join(' ');
  }
}

/**
 * What an agent is told of the environment that its cluster has now; undefined: Hitch's own packages, with nothing added.
 * @param python the interpreter with Hitch's own packages there
 * @throws HostError with a sentence
 */
export async function environmentOn(
  parts: Pick<Parts, 'calls' | 'locks'>,
  { cluster: { environment } }: ClusterState,
  { index }: Pick<NodeRecord, 'index'>,
  there: { readonly host: Host; readonly python: string; readonly say: Say },
): Promise<AgentEnvironment | undefined> {
  const { id, generation, added } = environment;
  const add = added.filter(({ node }) => node === index).map(({ name, version }) => `${name}==${version}`);
  if (id === null) {
    return generation === 0 && add.length === 0 ? undefined : { id, python: there.python, generation, add };
  }
  const python = await makeOn(parts, there.host, id, there.say);
  return { id, python, generation, add };
}

function makeOn(
  { calls, locks }: Pick<Parts, 'calls' | 'locks'>,
  host: Host,
  id: string,
  say: Say,
  cancelled?: AbortSignal,
): Promise<string> {
  const lock = locks.get(id);
  if (lock === null) {
    throw new HostError(
      `The lock of the cluster’s environment (${id}) is not on this computer any more: lock its file again.`,
      { fatal: true },
    );
  }
  if (host.ensureEnvironment === undefined) {
    throw new HostError('This machine has no environments of clusters’ own.', { fatal: true });
  }
  const ensure = host.ensureEnvironment.bind(host);
  return calls.limited('environment', signal =>
    ensure(lock, say, cancelled === undefined ? signal : AbortSignal.any([signal, cancelled])),
  );
}

/** Why a cluster cannot have the environment, as an error with a sentence. */
export function checkFits(
  lock: Pick<EnvironmentLock, 'file' | 'ray'>,
  engine: ClusterState['cluster']['engine'],
): void {
  if (engine === 'ray' && lock.ray === null) {
    throw new HitchError('BAD_INPUT', `${shownName(lock.file)} has no Ray, which the cluster runs on.`, {
      field: 'environment',
      next: 'Lock it for the engine ray, which adds it.',
    });
  }
}

/** Asks for another environment. @throws HitchError CONFLICT */
export function askForEnvironment(tx: ClusterTransaction, id: string | null): void {
  const { cluster } = tx;
  if (cluster.desired !== 'up') {
    throw new HitchError('CONFLICT', `${cluster.name} is not running.`, {
      next: `Start it with the file: “hitch start ${cluster.name} --env FILE”.`,
    });
  }
  if (cluster.environment.change !== null) {
    throw new HitchError('CONFLICT', `The environment of ${cluster.name} is being changed already.`, {
      next: `Wait, or end that: “hitch env ${cluster.name} cancel”.`,
    });
  }
  tx.setCluster({
    environment: { ...cluster.environment, change: { id, sinceMs: tx.nowMs }, problem: null },
  });
}

export function createEnvironment(parts: Parts): Reconciler<ClusterId> {
  const lookedAtMs = new Map<ClusterId, number>();
  return {
    name: 'environment',
    targets: state => (state.cluster.desired === 'up' ? [state.cluster.id] : []),
    reconcile: async id => {
      const state = parts.ledger.state(id);
      if (state?.cluster.desired !== 'up') {
        lookedAtMs.delete(id);
        return {};
      }
      if (state.cluster.environment.change !== null) {
        await makeChange(parts, state);
        return {};
      }
      await tellAgents(parts, state);
      return noteAdded(parts, state, lookedAtMs);
    },
  };
}

/** Nodes whose agents answer. */
function reached(parts: Parts, state: ClusterState): readonly NodeRecord[] {
  return presentNodes(state).filter(
    node => !isLost(node) && parts.links.get(node.id) !== null && parts.live.has(node.id),
  );
}

async function makeChange(parts: Parts, state: ClusterState): Promise<void> {
  const { cluster } = state;
  const { change } = cluster.environment;
  if (change === null) {
    return;
  }
  const running = parts.environmentChanges.begin(cluster.id);
  let problem: string | null = null;
  try {
    const standing = presentNodes(state).filter(
      node =>
        !isLost(node) &&
        (node.phase === 'ready' || node.phase === 'starting' || node.phase === 'unreachable'),
    );
    const results = await Promise.allSettled(
      standing.map(async node => {
        const door = parts.links.get(node.id);
        const where = standing.length === 1 ? '' : `Node ${(node.index + 1).toString()}: `;
        if (door === null) {
          throw new Error(`${where}it does not answer.`);
        }
        const say: Say = sentence => running.say(node.id, `${where}${sentence}`);
        try {
          if (change.id !== null) {
            await makeOn(parts, door.host, change.id, say, running.signal);
          }
        } catch (error) {
          throw new Error(`${where}${errorText(error)}`, { cause: error });
        }
      }),
    );
    if (running.signal.aborted && !parts.ending.aborted && change.id !== null) {
      await endMaking(parts, standing, change.id);
    }
    const failures = results.flatMap(result =>
      result.status === 'rejected' ? [errorText(result.reason)] : [],
    );
    problem =
      failures.length === 0 ? null : `The environment stays as it was. ${[...new Set(failures)].join(' ')}`;
    if (running.signal.aborted) {
      problem = null;
    }
    if (parts.ending.aborted) {
      // The next daemon goes on.
      return;
    }
    const isDone = failures.length === 0 && !running.signal.aborted;
    await parts.ledger.change(cluster.id, tx => {
      const now = tx.cluster.environment;
      // Cancelled in this moment, or asked for anew.
      if (now.change?.sinceMs === change.sinceMs && now.change.id === change.id) {
        if (isDone) {
          take(tx, change.id);
        } else {
          tx.setCluster({ environment: { ...now, change: null, problem } });
        }
      }
    });
  } finally {
    parts.environmentChanges.end(cluster.id);
  }
  if (problem !== null) {
    await parts.ledger.change(cluster.id, tx =>
      tx.say({ kind: 'warning', value: 'environment', message: problem }),
    );
  }
}

/** A far machine goes on by itself when its connection is given up: whoever cancels means the work there too. */
async function endMaking(
  { links, locks, calls, log }: Parts,
  nodes: readonly NodeRecord[],
  lockId: string,
): Promise<void> {
  const lock = locks.get(lockId);
  await Promise.all(
    nodes.map(async ({ id }) => {
      const host = links.get(id)?.host;
      if (lock === null || host?.endEnvironment === undefined) {
        return;
      }
      const end = host.endEnvironment.bind(host);
      try {
        await calls.limited('environmentCancelled', signal => end(lock, signal));
      } catch (error) {
        log.warn('A cancelled environment may still be made', { nodeId: id, error: errorText(error) });
      }
    }),
  );
}

function take(tx: ClusterTransaction, id: string | null): void {
  const { environment, order, name } = tx.cluster;
  const generation = environment.generation + 1;
  tx.setCluster({
    environment: { ...HITCHS_OWN, id, generation },
    // The next start is like this one.
    ...(order === null ? {} : { order: { ...order, request: { ...order.request, environment: id } } }),
  });
  tx.say({
    kind: 'condition',
    value: 'environment',
    message: `The environment of ${name} is another one. Kernels that run keep the old one until they are restarted.`,
  });
}

/** Every agent that still has an earlier one. */
async function tellAgents(parts: Parts, state: ClusterState): Promise<void> {
  const { environment, engine } = state.cluster;
  const behind = reached(parts, state).filter(({ id }) => {
    const said = parts.live.get(id)?.environment;
    return said !== undefined && said.generation < environment.generation;
  });
  // The head first: its Ray is the one that the others join.
  for (const node of behind) {
    const door = parts.links.get(node.id);
    if (door === null) {
      continue;
    }
    const python = await parts.calls.limited('python', signal =>
      door.host.ensurePython(engineFor(engine).needs, () => undefined, signal),
    );
    const told = await environmentOn(parts, state, node, { host: door.host, python, say: () => undefined });
    if (told !== undefined) {
      const said = await parts.calls.limited('environmentTold', signal =>
        door.agent.setEnvironment(told, signal),
      );
      const live = parts.live.get(node.id);
      if (live !== undefined) {
        parts.live.set(node.id, { ...live, environment: said });
      }
    }
  }
}

/** What was installed by hand is written down, for the next start. A machine may say anything, so not each time it does. */
async function noteAdded(
  parts: Parts,
  state: ClusterState,
  lookedAtMs: Map<ClusterId, number>,
): Promise<Result> {
  const { id, environment } = state.cluster;
  const since = parts.clock.monotonic() - (lookedAtMs.get(id) ?? Number.NEGATIVE_INFINITY);
  const added = addedOn(parts, state);
  if (JSON.stringify(added) === JSON.stringify(environment.added)) {
    return {};
  }
  if (since < ADDED_LOOK_MS) {
    return { requeueAfterMs: ADDED_LOOK_MS - since };
  }
  lookedAtMs.set(id, parts.clock.monotonic());
  await parts.ledger.change(id, tx => {
    const now = tx.cluster.environment;
    if (tx.cluster.desired === 'up' && now.change === null && now.generation === environment.generation) {
      tx.setCluster({ environment: { ...now, added } });
    }
  });
  return {};
}

/** Of nodes that are silent, or not made yet, what was known stays. */
function addedOn({ live }: Parts, state: ClusterState): EnvironmentRecord['added'] {
  const { environment } = state.cluster;
  const said = new Map(
    presentNodes(state).flatMap(({ id, index }) => {
      const of = live.get(id)?.environment;
      return of === undefined || of.generation !== environment.generation || of.problem !== ''
        ? []
        : [[index, of.added] as const];
    }),
  );
  return [
    ...environment.added.filter(({ node }) => !said.has(node)),
    ...[...said].flatMap(([node, packages]) => packages.map(each => ({ ...each, node }))),
  ];
}
