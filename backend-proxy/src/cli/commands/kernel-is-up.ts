/** Whether a cluster can run code at this moment. */
import { HitchError, type Cluster } from '@hitch/contract';

/** @throws HitchError CONFLICT with the cluster's own reason. */
export function checkKernelIsUp(cluster: Cluster): void {
  if (cluster.conditions.kernel.status === 'no') {
    const { message } = cluster.conditions.kernel;
    throw new HitchError(
      'CONFLICT',
      `${cluster.name} cannot run a notebook now${message === '' ? '' : `: ${message}`}.`,
      { next: `See its state with hitch show ${cluster.name}.` },
    );
  }
}
