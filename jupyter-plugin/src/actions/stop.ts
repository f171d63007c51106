/** Stop, Cancel, and the end of a save before a stop: what ends a cluster, and what is lost by it. */
import type { Cluster, ClusterId } from '@hitch/contract';
import { jobsAtStop, lossesOf, type Losses } from '@hitch/contract/src/stop-plan.ts';
import { ask, LinesBody } from './ask.ts';
import { titlesOf, type Deps } from './deps.ts';
import { offers } from './ids.ts';
import { attempt, said, showPanelStep } from './report.ts';
import { stopChoices, stopLines, type StopWay } from './stop-words.ts';

/** How long the dialog waits to learn what is running; it is open meanwhile. */
const ASK_MS = 4_000;

function networkOf({ hitch, trans }: Deps, cluster: Cluster): string {
  const provider = cluster.nodes.map(node => node.provider).find(id => id !== null);
  return provider === undefined ? trans.__('the network') : titlesOf(hitch)(provider);
}

async function askHowToStop(
  deps: Deps,
  cluster: Cluster,
  { losses, jobs }: { readonly losses: Losses; readonly jobs: string | null },
): Promise<StopWay | null> {
  const { hitch, trans } = deps;
  const network = networkOf(deps, cluster);
  const body = new LinesBody(stopLines(cluster, null, losses, network, trans, jobs));
  hitch.client.api.kernels.list({ clusterId: cluster.id }, { signal: AbortSignal.timeout(ASK_MS) }).then(
    kernels => {
      if (!body.isDisposed) {
        body.lines = stopLines(cluster, kernels, losses, network, trans, jobs);
      }
    },
    // The first lines are true as they stand.
    () => undefined,
  );
  return ask<StopWay>(trans, {
    title: trans.__('Stop %1?', cluster.name),
    body,
    choices: stopChoices(cluster, losses, trans),
  });
}

export interface StopOptions {
  /** The person has just been told what it does: no dialog, unless something would be lost. */
  readonly asked?: boolean;
  /** Show the dialog whatever the settings say. */
  readonly mustAsk?: boolean;
}

/** Clusters whose question is on its way: what would be lost is counted before it is shown. */
const asking = new Set<ClusterId>();

/** Whether it is being stopped now. */
export async function stop(deps: Deps, cluster: Cluster, options: StopOptions = {}): Promise<boolean> {
  if (asking.has(cluster.id)) {
    return false;
  }
  asking.add(cluster.id);
  try {
    const { api } = deps.hitch.client;
    const [losses, jobs] = await Promise.all([lossesOf(api, cluster), jobsAtStop(api, cluster)]);
    const { asked = false, mustAsk = false } = options;
    const silent =
      losses.words === null &&
      jobs === null &&
      (asked || (!mustAsk && !deps.preferences.present.confirmStop));
    const way = silent ? 'save' : await askHowToStop(deps, cluster, { losses, jobs });
    return way !== null && (await stopNow(deps, cluster, way, losses));
  } finally {
    asking.delete(cluster.id);
  }
}

async function stopNow(deps: Deps, cluster: Cluster, way: StopWay, losses: Losses): Promise<boolean> {
  const { hitch, trans } = deps;
  const stopping = await attempt(
    deps,
    () =>
      hitch.client.api.clusters.stop({
        clusterId: cluster.id,
        skipSave: way === 'skip',
        savePaths: way === 'save-these' ? [...losses.paths] : [],
      }),
    () => void stopNow(deps, cluster, way, losses),
  );
  if (stopping === null) {
    return false;
  }
  await hitch.refresh();
  said(
    trans.__('Stopping %1; waiting for %2 to confirm.', cluster.name, networkOf(deps, cluster)),
    showPanelStep(deps),
  );
  return true;
}

/** While it is being rented: asks what to do with what was bought already. */
export async function cancel(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const answer = await ask<'release'>(trans, {
    title: trans.__('Cancel renting %1?', cluster.name),
    body: new LinesBody([
      trans.__('Machines already rented are returned, and billing ends when the network confirms.'),
      trans.__('If you keep renting, the cluster goes on until it is ready, and is billed.'),
    ]),
    stay: trans.__('Keep renting'),
    choices: [{ value: 'release', label: trans.__('Cancel renting'), warn: true }],
  });
  if (answer === null) {
    return;
  }
  const released = await attempt(
    deps,
    () => hitch.client.api.clusters.stop({ clusterId: cluster.id, skipSave: true }),
    () => void cancel(deps, cluster),
  );
  if (released !== null) {
    await hitch.refresh();
    said(
      trans.__('Cancelling %1; waiting for %2 to confirm.', cluster.name, networkOf(deps, cluster)),
      showPanelStep(deps),
    );
  }
}

/** While it saves before a stop: what has arrived is kept, and the machines are destroyed now. */
export async function endSave(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const answer = await ask<'end'>(trans, {
    title: trans.__('Stop saving files of %1?', cluster.name),
    body: new LinesBody([trans.__('Files that have not arrived yet are deleted with the cluster.')]),
    stay: trans.__('Keep saving'),
    choices: [{ value: 'end', label: trans.__('Stop saving'), warn: true }],
  });
  // A cluster that was started again meanwhile is not destroyed by this.
  const present = hitch.clusters.find(({ id }) => id === cluster.id);
  if (answer === null || present === undefined || !offers(present, 'endSave')) {
    return;
  }
  const ended = await attempt(
    deps,
    () => hitch.client.api.clusters.stop({ clusterId: cluster.id, skipSave: true }),
    () => void endSave(deps, cluster),
  );
  if (ended !== null) {
    await hitch.refresh();
  }
}
