/** Whether a cluster can run a job that is on several of its nodes. */
import { HitchError, type JobSpec } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';

/** @throws HitchError BAD_INPUT with a sentence. */
export function checkNodes({ work, memoryBytes }: JobSpec, { cluster, nodes }: ClusterState): void {
  if (work.kind !== 'nodes') {
    return;
  }
  if (work.nodes > nodes.length) {
    const many = nodes.length === 1 ? '1 node' : `${nodes.length.toString()} nodes`;
    throw new HitchError(
      'BAD_INPUT',
      `${cluster.name} has ${many}; the job wants ${work.nodes.toString()}.`,
      {
        field: 'nodes',
        next: `Run it on ${nodes.length.toString()}, or rent a cluster with more.`,
      },
    );
  }
  if (work.nodes > 1 && cluster.engine !== 'ray') {
    throw new HitchError(
      'BAD_INPUT',
      `${cluster.name} has no Ray, by which programs begin on its other nodes.`,
      {
        field: 'nodes',
      },
    );
  }
  if (memoryBytes !== null) {
    throw new HitchError(
      'BAD_INPUT',
      'A memory limit holds on one machine; a job of several nodes has none.',
      {
        field: 'memoryBytes',
      },
    );
  }
}
