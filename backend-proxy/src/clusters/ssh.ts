/** Tells each machine which key may come in by ssh, and `ssh` on this computer which machines there are. */
import { type ClusterId, HitchError, sshAlias } from '@hitch/contract';
import type { Door } from '../access/links.ts';
import type { SshHosts } from '../access/ssh/hosts.ts';
import { type ClusterState, isUnfinished, presentNodes } from '../ledger/cluster-state.ts';
import type { NodeRecord } from '../ledger/records.ts';
import type { Parts } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';
import { tellAll } from './tell-all.ts';

/** Whether something of it may be reached by ssh still. */
export const needsKey = ({ cluster, attempts }: ClusterState): boolean =>
  cluster.desired === 'up' || attempts.some(isUnfinished);

/** A reconciler of clusters: it asks each machine once for each way that is opened to it. */
export function createSsh(
  parts: Parts,
  hosts: Pick<SshHosts, 'publicKey' | 'note' | 'forget' | 'discardKey'>,
): Reconciler<ClusterId> {
  const told = new WeakSet<Door>();
  /** Nothing of them is left: what had ended before was put in order when the daemon started. */
  const ended = new Set<ClusterId>(
    [...parts.ledger.states()].flatMap(state => (needsKey(state) ? [] : [state.cluster.id])),
  );
  return {
    name: 'ssh',
    targets: ({ cluster }) => (cluster.desired === 'up' || !ended.has(cluster.id) ? [cluster.id] : []),
    reconcile: async (id): Promise<Result> => {
      const state = parts.ledger.state(id);
      if (state?.cluster.desired !== 'up') {
        hosts.forget(id);
        // Machines behind ssh are saved from, and looked at, with this very key.
        if (state === undefined || !state.attempts.some(isUnfinished)) {
          hosts.discardKey(id);
          parts.far?.forget(id);
          ended.add(id);
        }
        return {};
      }
      ended.delete(id);
      const nodes = presentNodes(state);
      hosts.forget(id, pin => nodes.some(({ attemptId }) => attemptId === pin.attemptId));
      await tellAll(
        nodes.map(async node => {
          const door = parts.links.get(node.id);
          if (door !== null && !told.has(door)) {
            await tell(parts, hosts, state.cluster.name, node, door);
            told.add(door);
          }
        }),
      );
      return {};
    },
  };
}

async function tell(
  parts: Parts,
  hosts: Pick<SshHosts, 'publicKey' | 'note'>,
  name: string,
  node: NodeRecord,
  { agent }: Door,
): Promise<void> {
  const publicKey = await hosts.publicKey(node.clusterId);
  const said = await parts.calls
    .limited('agent', signal => agent.allowSsh(publicKey, signal))
    .catch((error: unknown) => {
      if (error instanceof HitchError && error.code === 'NOT_FOUND') {
        const message = 'The agent of this machine is older than ssh: start the cluster again.';
        return { available: false, message, hostKey: '', user: '', workFolder: '' };
      }
      throw error;
    });
  const state = parts.ledger.state(node.clusterId);
  // Meanwhile the cluster may have ended, or another machine be in this one's place.
  const isThere =
    state?.cluster.desired === 'up' &&
    presentNodes(state).some(({ id, attemptId }) => id === node.id && attemptId === node.attemptId);
  if (isThere) {
    const { clusterId, index: nodeIndex } = node;
    hosts.note(
      { clusterId, nodeIndex, attemptId: node.attemptId ?? '', alias: sshAlias(name, nodeIndex) },
      said,
    );
  }
}
