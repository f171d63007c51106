/** What can be done with a cluster besides running on it: extend, save, stop, start again, remove. */
import type { Cluster, ClusterAction } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { parseMicroUsd, showDollars, typedDollars } from '@hitch/contract/src/money.ts';
import { extendLines } from '@hitch/contract/src/paid-words.ts';
import { agreedRate, rateWords } from '@hitch/contract/src/waiting-words.ts';
import { clusterActions } from '@hitch/contract/src/words.ts';
import type { StopChoice } from '../clusters/stop.ts';
import { canRun, isLive, isSavingAtStop, titlesOf } from '../daemon/state.ts';
import { stopWarning } from '../kernel/notebooks.ts';
import { readDollars, readDuration } from '../rent/read.ts';
import { chooseCluster, clusterOf } from './which-cluster.ts';
import { ask } from './messages.ts';
import type { Host, Module } from './module.ts';
import type { RentApi } from './rent-module.ts';
import type { ReportsApi } from './reports.ts';
import type { RunOnApi } from './run-on.ts';
import { askLine, pickOne } from './screen.ts';

export interface ClusterCommandsDeps {
  readonly rent: RentApi | null;
  readonly runOn: RunOnApi | null;
  readonly reports: ReportsApi | null;
}

export interface ClusterCommandsApi {
  /**
   * For a message that has said what a save and a stop of this cluster do: asks only where something would be lost. No
   * command has this: a link can hand a command whatever its writer likes.
   */
  saveAndStop(clusterId: string): Promise<void>;
}

type AgainAction = 'startAgain' | 'nextOffer' | 'replace';
const AGAIN_TITLES: Readonly<Record<AgainAction, string>> = {
  startAgain: 'Start Again…',
  nextOffer: 'Try a Similar Offer…',
  replace: 'Replace…',
};

export function createClusterCommands(host: Host, deps: ClusterCommandsDeps): Module<ClusterCommandsApi> {
  const { commands, connection, contextKeys } = host;
  const { model } = connection;

  /** The cluster a command is about; null when nobody chose one. */
  const target = async (
    argument: unknown,
    title: string,
    fits: (cluster: Cluster) => boolean,
  ): Promise<Cluster | null> => clusterOf(argument, model.state) ?? (await chooseCluster(model, title, fits));
  const can = (action: ClusterAction) => (cluster: Cluster) => clusterActions(cluster).includes(action);

  const stopNow = async (
    cluster: Cluster,
    { skipSave, savePaths }: Pick<StopChoice, 'skipSave' | 'savePaths'>,
  ): Promise<void> => {
    await model.client.api.clusters.stop({ clusterId: cluster.id, skipSave, savePaths: [...savePaths] });
    contextKeys.set('hitch.did.stop', true);
    await model.refresh();
  };

  /** @param isSaid the person has said yes to a save and a stop of this cluster already. */
  const stopAsked = async (cluster: Cluster, isSaid: boolean): Promise<void> => {
    const [{ jobsAtStop, lossesOf }, { isStopClear, stopQuestion }] = await Promise.all([
      import('@hitch/contract/src/stop-plan.ts'),
      import('../clusters/stop.ts'),
    ]);
    const [losses, jobs] = await Promise.all([
      lossesOf(model.client.api, cluster),
      jobsAtStop(model.client.api, cluster),
    ]);
    if (isSaid && isStopClear(cluster, losses, jobs)) {
      await stopNow(cluster, { skipSave: false, savePaths: [] });
      return;
    }
    const kernels = canRun(cluster)
      ? await model.client.api.kernels.list({ clusterId: cluster.id }).catch(() => [])
      : [];
    const warning = stopWarning(kernels, deps.runOn?.notebooksOn(cluster.id) ?? []);
    const { detail, choices } = stopQuestion(cluster, losses, warning, jobs);
    const answer = await ask(`Stop ${cluster.name}?`, detail, ...choices.map(({ label }) => label));
    const chosen = choices.find(({ label }) => label === answer);
    if (chosen !== undefined) {
      await stopNow(cluster, chosen);
    }
  };

  const stop = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Stop', can('stop'));
    if (cluster !== null) {
      await stopAsked(cluster, false);
    }
  };

  const endSave = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Stop Saving…', isSavingAtStop);
    const yes = 'Stop Saving';
    if (cluster === null) {
      return;
    }
    const said = await ask(
      `Stop saving files of ${cluster.name}?`,
      'Files that have not arrived yet are deleted with the cluster.',
      yes,
    );
    // The newest that is known: a cluster that runs is not destroyed by this.
    const now = clusterOf(cluster.id, model.state);
    if (said === yes && now !== null && isSavingAtStop(now)) {
      await stopNow(now, { skipSave: true, savePaths: [] });
    }
  };

  const cancel = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Cancel Renting…', can('cancel'));
    const yes = 'Cancel Renting';
    if (cluster === null) {
      return;
    }
    const said = await ask(
      `Cancel renting ${cluster.name}?`,
      'Machines already rented are returned. The cost until now is not refunded.',
      yes,
    );
    if (said === yes) {
      await model.client.api.clusters.stop({ clusterId: cluster.id, skipSave: true });
      await model.refresh();
    }
  };

  const extend = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Extend…', can('extend'));
    if (cluster === null) {
      return;
    }
    const later = [1, 2, 4, 8].map(hours => ({
      icon: 'clock',
      label: `${hours} h later`,
      description: stopWords(cluster, hours * 3_600_000),
      what: { hours },
    }));
    const picked = await pickOne(
      [
        ...(cluster.caps.stopAtMs === null ? [] : later),
        {
          icon: 'credit-card',
          label: 'Spending limit…',
          description: `now ${format.dollars(cluster.caps.totalMicroUsd)}, spent ${format.dollars(format.costOfRun(cluster.usage))}`,
          what: 'cap' as const,
        },
        {
          icon: 'coffee',
          label: 'Idle limit…',
          description:
            cluster.caps.idleMs === null ? 'now none' : `now ${format.duration(cluster.caps.idleMs)}`,
          what: 'idle' as const,
        },
      ],
      { title: `Extend ${cluster.name}, ${rateWords(cluster.usage)}` },
    );
    if (picked === undefined) {
      return;
    }
    const change = await extension(cluster, picked.what);
    if (change === null) {
      return;
    }
    const yes = 'Extend';
    const said = await ask(`Extend ${cluster.name}?`, extensionWords(cluster, change), CHANGE, yes);
    if (said === CHANGE) {
      await extend(cluster.id);
    } else if (said === yes) {
      await model.client.api.clusters.extend({ clusterId: cluster.id, ...change });
      await model.refresh();
    }
  };

  const save = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Save Now', canRun);
    if (cluster !== null) {
      const { saveNow } = await import('./saving.ts');
      await saveNow({ model, reports: deps.reports }, cluster);
    }
  };

  /** As it was ordered; other machines for lost nodes where it runs. The person sees a fresh price and says yes to it. */
  const again = async (argument: unknown, action: AgainAction): Promise<void> => {
    const cluster = await target(argument, AGAIN_TITLES[action], can(action));
    if (cluster !== null && deps.rent !== null) {
      const { rentOnceMore } = await import('./rent-again.ts');
      await rentOnceMore({ model, rent: deps.rent, extend }, cluster, { skipTried: action === 'nextOffer' });
    }
  };

  const remove = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Remove from List', can('remove'));
    const yes = 'Remove';
    if (
      cluster !== null &&
      (await ask(
        `Remove ${cluster.name} from the list?`,
        `Its timeline is deleted; its cost (${format.dollars(cluster.usage.accruedMicroUsd)}) stays in the totals. Files that were saved from it are kept.`,
        yes,
      )) === yes
    ) {
      await model.client.api.clusters.remove({ clusterId: cluster.id });
      await model.refresh();
    }
  };

  return {
    api: {
      saveAndStop: async clusterId => {
        const cluster = clusterOf(clusterId, model.state);
        if (cluster !== null && can('stop')(cluster)) {
          await stopAsked(cluster, true);
        }
      },
    },
    disposables: [
      commands.register('hitch.cluster.stop', stop),
      commands.register('hitch.cluster.endSave', endSave),
      commands.register('hitch.cluster.cancel', cancel),
      commands.register('hitch.cluster.extend', extend),
      commands.register('hitch.cluster.save', save),
      commands.register('hitch.cluster.startAgain', argument => again(argument, 'startAgain')),
      commands.register('hitch.cluster.nextOffer', argument => again(argument, 'nextOffer')),
      commands.register('hitch.cluster.replace', argument => again(argument, 'replace')),
      commands.register('hitch.cluster.remove', remove),
      commands.register('hitch.cluster.retry', async argument => {
        await model.need();
        await model.refresh();
        const cluster = clusterOf(argument, model.state);
        if (cluster !== null && isLive(cluster) && cluster.phase === 'unreachable') {
          const title = titlesOf(model.state.providers)(cluster.nodes[0]?.provider ?? 'the network');
          throw new HitchError('UNREACHABLE', `${cluster.name} still does not answer.`, {
            next: `Hitch keeps trying; work may continue there. Check ${title}’s own site to see what it says.`,
          });
        }
      }),
    ],
  };
}

function stopWords(cluster: Cluster, laterMs: number): string {
  const { stopAtMs } = cluster.caps;
  if (stopAtMs === null) {
    return '';
  }
  const more = (BigInt(agreedRate(cluster.usage)) * BigInt(laterMs)) / 3_600_000n;
  return `stops ${format.clock(stopAtMs + laterMs, Date.now())}, up to ${showDollars(more)} more`;
}

/** The first button, which has the focus: Enter out of habit allows nothing more. */
const CHANGE = 'Change…';

/** What the change allows, a line each. */
function extensionWords(cluster: Cluster, change: Extension): string {
  const { caps, usage } = cluster;
  const stop = (atMs: number | null) => (atMs === null ? 'none' : format.clock(atMs, Date.now()));
  const idle = (ms: number | null) => (ms === null ? 'never' : `after ${format.duration(ms)}`);
  return [
    `It costs ${rateWords(usage)} (${format.dollars(format.costOfRun(usage))} spent so far).`,
    change.capMicroUsd === undefined
      ? `Spending limit: ${format.dollars(caps.totalMicroUsd)}, as before.`
      : `Spending limit: ${format.dollars(change.capMicroUsd)}, instead of ${format.dollars(caps.totalMicroUsd)}.`,
    ...(change.stopAtMs === undefined
      ? []
      : [`Stop time: ${stop(change.stopAtMs)}, instead of ${stop(caps.stopAtMs)}.`]),
    ...(change.idleMs === undefined
      ? []
      : [`Stop when idle: ${idle(change.idleMs)}, instead of ${idle(caps.idleMs)}.`]),
    ...extendLines(cluster, change, Date.now()).map(line => `${line}.`),
  ].join('\n');
}

interface Extension {
  readonly stopAtMs?: number;
  readonly capMicroUsd?: string;
  readonly idleMs?: number | null;
}

async function extension(
  cluster: Cluster,
  what: { readonly hours: number } | 'cap' | 'idle',
): Promise<Extension | null> {
  if (typeof what === 'object') {
    return { stopAtMs: (cluster.caps.stopAtMs ?? Date.now()) + what.hours * 3_600_000 };
  }
  if (what === 'cap') {
    const text = await askLine({
      title: `Spending limit of ${cluster.name}`,
      prompt: `Spending limit in dollars (${format.dollars(format.costOfRun(cluster.usage))} spent so far)`,
      value: typedDollars(parseMicroUsd(cluster.caps.totalMicroUsd)),
      check: value => {
        const read = readDollars(value);
        return 'problem' in read ? read.problem : undefined;
      },
    });
    const read = text === undefined ? null : readDollars(text);
    return read !== null && 'amount' in read ? { capMicroUsd: read.amount.toString() } : null;
  }
  const text = await askLine({
    title: `Idle limit of ${cluster.name}`,
    prompt: 'Stop when idle for, such as 30 min or 2 h; or “never”',
    value: cluster.caps.idleMs === null ? 'never' : format.duration(cluster.caps.idleMs),
    check: value => {
      const read = readDuration(value);
      return 'problem' in read ? read.problem : undefined;
    },
  });
  const read = text === undefined ? null : readDuration(text);
  return read !== null && 'ms' in read ? { idleMs: read.ms === 0 ? null : read.ms } : null;
}
