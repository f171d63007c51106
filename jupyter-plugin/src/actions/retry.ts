/** Asking a cluster that does not answer once more. */
import type { Cluster } from '@hitch/contract';
import type { Deps } from './deps.ts';
import { attempt, said, warned } from './report.ts';

export async function retry(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const again = () => void retry(deps, cluster);
  const present = await attempt(deps, () => hitch.client.api.clusters.get({ clusterId: cluster.id }), again);
  if (present === null) {
    return;
  }
  await hitch.refresh();
  if (present.phase === 'unreachable') {
    warned(
      trans.__(
        '%1 still does not answer. Hitch keeps trying; the cluster’s limits still apply.',
        cluster.name,
      ),
      { label: trans.__('Try again'), run: again },
    );
  } else {
    said(trans.__('%1 is reachable again.', cluster.name));
  }
}
