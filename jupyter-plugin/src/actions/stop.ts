/** Stop, Cancel and Save: what ends a cluster, and what is kept of it. */
import { format, type Cluster, type Kernel } from '@hitch/contract';
import { interruptsOf, lossesOf, workWords } from '@hitch/contract/src/stop-plan.ts';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ask, LinesBody } from './ask.ts';
import { titlesOf, type Deps } from './deps.ts';
import { attempt, said, showPanelStep, warned } from './report.ts';

/** How long the dialog waits to learn what is running; it is open meanwhile. */
const ASK_MS = 4_000;

/** What is asked of the cluster while the dialog is open already; null while unknown. */
interface Learned {
  kernels: readonly Kernel[] | null;
  /** What would not be saved, as a sentence. */
  losses: string | null;
}

/** What a stop interrupts, saves and destroys, a line each. */
export function stopLines(
  cluster: Cluster,
  { kernels, losses }: Learned,
  network: string,
  trans: TranslationBundle,
): string[] {
  const { save, nodes, usage } = cluster;
  const busy = interruptsOf(kernels ?? []);
  const machines = nodes.filter(({ phase }) => phase !== 'gone' && phase !== 'failed').length;
  return [
    kernels === null
      ? trans.__('Interrupts whatever is running there.')
      : busy.length === 0
        ? trans.__('Nothing is running there now.')
        : trans.__('Interrupts %1.', busy.join(', ')),
    save.paths.length === 0
      ? trans.__('Saves nothing: no paths to save were named for it.')
      : trans.__(
          'Saves %1 to %2.',
          save.paths.map(workWords).join(', '),
          save.toFolder ?? trans.__('this computer'),
        ),
    ...(losses === null ? [] : [losses]),
    trans._n(
      'Destroys %1 machine and everything else on it.',
      'Destroys %1 machines and everything else on them.',
      Math.max(1, machines),
    ),
    cluster.practice
      ? trans.__('Practice: nothing is paid.')
      : trans.__(
          'Billing (%1/h) ends when %2 confirms. Spent so far: %3.',
          format.dollars(usage.ratePerHourMicroUsd),
          network,
          format.dollars(usage.accruedMicroUsd),
        ),
  ];
}

function networkOf({ hitch }: Deps, cluster: Cluster, trans: TranslationBundle): string {
  const provider = cluster.nodes.map(node => node.provider).find(id => id !== null);
  return provider === undefined ? trans.__('the network') : titlesOf(hitch)(provider);
}

type Way = 'save' | 'skip';

async function askHowToStop(deps: Deps, cluster: Cluster): Promise<Way | null> {
  const { hitch, trans } = deps;
  const network = networkOf(deps, cluster, trans);
  const learned: Learned = { kernels: null, losses: null };
  const body = new LinesBody(stopLines(cluster, learned, network, trans));
  const show = (news: Partial<Learned>): void => {
    Object.assign(learned, news);
    if (!body.isDisposed) {
      body.lines = stopLines(cluster, learned, network, trans);
    }
  };
  const { api } = hitch.client;
  api.kernels.list({ clusterId: cluster.id }, { signal: AbortSignal.timeout(ASK_MS) }).then(
    kernels => show({ kernels }),
    // The first lines are true as they stand.
    () => undefined,
  );
  void lossesOf(api, cluster).then(losses => show({ losses }));
  const saves = cluster.save.paths.length > 0;
  return ask<Way>(trans, {
    title: trans.__('Stop %1?', cluster.name),
    body,
    choices: saves
      ? [
          { value: 'skip', label: trans.__('Stop without saving'), warn: true },
          { value: 'save', label: trans.__('Save and stop') },
        ]
      : [{ value: 'save', label: trans.__('Stop'), warn: true }],
  });
}

export interface StopOptions {
  /** Do it without the dialog: the person has just been told what it does. */
  readonly asked?: boolean;
  /** Show the dialog whatever the settings say. */
  readonly mustAsk?: boolean;
}

/** Whether it is being stopped now. */
export async function stop(
  deps: Deps,
  cluster: Cluster,
  { asked = false, mustAsk = false }: StopOptions = {},
): Promise<boolean> {
  const { hitch, preferences, trans } = deps;
  const silent = asked || (!mustAsk && !preferences.present.confirmStop);
  const way = silent ? 'save' : await askHowToStop(deps, cluster);
  if (way === null) {
    return false;
  }
  const stopping = await attempt(
    deps,
    () => hitch.client.api.clusters.stop({ clusterId: cluster.id, skipSave: way === 'skip' }),
    () => void stop(deps, cluster, { asked: true }),
  );
  if (stopping === null) {
    return false;
  }
  await hitch.refresh();
  said(
    trans.__('%1 is stopping. It is gone once %2 confirms.', cluster.name, networkOf(deps, cluster, trans)),
    showPanelStep(deps),
  );
  return true;
}

/** While it is being rented: asks what to do with what was bought already. */
export async function cancel(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const answer = await ask<'release'>(trans, {
    title: trans.__('Also release what was bought for %1?', cluster.name),
    body: new LinesBody([
      trans.__('Release: whatever was bought is destroyed, and billing ends when the network confirms.'),
      trans.__('Leave it: it goes on by itself until it is ready, and bills.'),
    ]),
    stay: trans.__('Leave it'),
    choices: [{ value: 'release', label: trans.__('Release'), warn: true }],
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
    said(trans.__('%1 is being released.', cluster.name), showPanelStep(deps));
  }
}

export async function saveNow(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const answer = await attempt(
    deps,
    () => hitch.client.api.clusters.save({ clusterId: cluster.id }),
    () => void saveNow(deps, cluster),
  );
  if (answer === null) {
    return;
  }
  if (answer.saved.length === 0) {
    warned(trans.__('Nothing of %1 was saved: there is nothing at the paths named for it.', cluster.name));
  } else {
    said(trans.__('Saved from %1: %2', cluster.name, answer.saved.join(', ')));
  }
}
