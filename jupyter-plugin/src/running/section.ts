/** The section of clusters in the list of what runs. */
import { clusterLine, clusterTooltip, type Cluster } from '@hitch/contract';
import type { IRunningSessions } from '@jupyterlab/running';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMANDS, offers } from '../actions/ids.ts';
import { gpusIcon } from '../ui/icons.ts';

/** What Stop or Cancel is offered for: it costs, or is about to. */
const isRunning = (cluster: Cluster): boolean => offers(cluster, 'stop') || offers(cluster, 'cancel');

export function sectionOf(deps: Deps): IRunningSessions.IManager {
  const { hitch, trans } = deps;
  return {
    name: trans.__('GPU clusters'),
    running: () => hitch.clusters.filter(isRunning).map(cluster => itemOf(deps, cluster)),
    refreshRunning: () => void hitch.refresh(),
    runningChanged: hitch.changed,
    shutdownLabel: trans.__('Stop…'),
    shutdownAllLabel: trans.__('Stop All…'),
    shutdownAllConfirmationText: trans.__(
      'You are asked about each cluster next: what is interrupted, saved and deleted.',
    ),
    shutdownAll: () => void stopAll(deps),
  };
}

function itemOf({ commands, hitch, now }: Deps, cluster: Cluster): IRunningSessions.IRunningItem {
  const args = { clusterId: cluster.id };
  const stops = offers(cluster, 'stop') ? COMMANDS.stop : COMMANDS.cancel;
  return {
    icon: () => gpusIcon,
    label: () => cluster.name,
    labelTitle: () => clusterTooltip(cluster, titlesOf(hitch)).join('\n'),
    detail: () => clusterLine(cluster, now(), { titleOf: titlesOf(hitch) }),
    open: () => void commands.execute(COMMANDS.openPanel, args),
    shutdown: () => void commands.execute(stops, args),
    context: 'hitch-cluster',
  };
}

/** One question after the other: nothing ends because of one click, whatever the settings say. */
async function stopAll(deps: Deps): Promise<void> {
  const { cancel, stop } = await import('../actions/stop.ts');
  for (const cluster of deps.hitch.clusters.filter(isRunning)) {
    if (offers(cluster, 'stop')) {
      await stop(deps, cluster, { mustAsk: true });
    } else {
      await cancel(deps, cluster);
    }
  }
}
