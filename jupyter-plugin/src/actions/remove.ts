/** Forgetting a cluster that is gone. */
import { format, type Cluster } from '@hitch/contract';
import { ask, LinesBody } from './ask.ts';
import type { Deps } from './deps.ts';
import { attempt, said } from './report.ts';

export async function remove(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, preferences, trans } = deps;
  if (preferences.present.confirmRemove) {
    const answer = await ask<'remove'>(trans, {
      title: trans.__('Remove %1 from the list?', cluster.name),
      body: new LinesBody([
        trans.__('Its machines are gone already; nothing is billed any more.'),
        trans.__(
          'Its timeline is deleted; its cost (%1) stays in the totals.',
          format.dollars(cluster.usage.accruedMicroUsd),
        ),
        trans.__('Files that were saved from it are kept.'),
      ]),
      choices: [{ value: 'remove', label: trans.__('Remove'), warn: true }],
    });
    if (answer === null) {
      return;
    }
  }
  const removed = await attempt(
    deps,
    () => hitch.client.api.clusters.remove({ clusterId: cluster.id }),
    () => void remove(deps, cluster),
  );
  if (removed !== null) {
    await hitch.refresh();
    said(trans.__('%1 was removed from the list.', cluster.name));
  }
}
