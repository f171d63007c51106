/** Whether a cluster can run a job that is on several of its nodes. */
import { HitchError, type JobSpec } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';

/** @throws HitchError BAD_INPUT with a sentence. */
export function checkNodes(spec: JobSpec, { cluster, nodes }: ClusterState): void {
  const { work } = spec;
  if (work.kind !== 'nodes') {
    return;
  }
  checkCount(spec, nodes.length, `${cluster.name} has`);
  if (work.nodes > 1 && cluster.engine !== 'ray') {
    throw new HitchError(
      'BAD_INPUT',
      `${cluster.name} has no Ray, by which programs begin on its other nodes.`,
      {
        field: 'nodes',
      },
    );
  }
}

/** Before a cluster is rented for it. @throws HitchError BAD_INPUT with a sentence. */
export const checkWanted = (spec: JobSpec, nodes: number): void =>
  checkCount(spec, nodes, 'The cluster would have');

function checkCount({ work, memoryBytes }: JobSpec, nodes: number, has: string): void {
  if (work.kind !== 'nodes') {
    return;
  }
  if (work.nodes > nodes) {
    const many = nodes === 1 ? '1 node' : `${nodes.toString()} nodes`;
    throw new HitchError('BAD_INPUT', `${has} ${many}; the job wants ${work.nodes.toString()}.`, {
      field: 'nodes',
      next: `Run it on ${nodes.toString()}, or rent a cluster with more.`,
    });
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
