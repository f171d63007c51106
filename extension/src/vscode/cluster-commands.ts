/** What can be done with a cluster besides running on it: extend, save, stop, start again, remove. */
import * as vscode from 'vscode';
import type { Cluster, ClusterAction } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { showDollars } from '@hitch/contract/src/money.ts';
import { clusterActions } from '@hitch/contract/src/words.ts';
import { canRun, isLive, titlesOf } from '../daemon/state.ts';
import { stopWarning } from '../kernel/notebooks.ts';
import { readDollars, readDuration } from '../rent/read.ts';
import { chooseCluster, clusterOf } from './which-cluster.ts';
import type { Host, Module } from './module.ts';
import type { RentApi } from './rent-module.ts';
import type { RunOnApi } from './run-on.ts';

export interface ClusterCommandsDeps {
  readonly rent: RentApi | null;
  readonly runOn: RunOnApi | null;
}

export function createClusterCommands(host: Host, deps: ClusterCommandsDeps): Module<object> {
  const { commands, connection, contextKeys } = host;
  const { model } = connection;

  /** The cluster a command is about; null when nobody chose one. */
  const target = async (
    argument: unknown,
    title: string,
    fits: (cluster: Cluster) => boolean,
  ): Promise<Cluster | null> => clusterOf(argument, model.state) ?? (await chooseCluster(model, title, fits));
  const can = (action: ClusterAction) => (cluster: Cluster) => clusterActions(cluster).includes(action);

  const stopNow = async (cluster: Cluster, skipSave: boolean): Promise<void> => {
    await model.client.api.clusters.stop({ clusterId: cluster.id, skipSave });
    contextKeys.set('hitch.did.stop', true);
    await model.refresh();
  };

  /** @param said the person has said yes to a save and a stop of the named cluster already. */
  const stop = async (argument: unknown, said?: unknown): Promise<void> => {
    const cluster = await target(argument, 'Stop', can('stop'));
    if (cluster === null) {
      return;
    }
    if (said === true && clusterOf(argument, model.state) !== null) {
      await stopNow(cluster, false);
      return;
    }
    const kernels = canRun(cluster)
      ? await model.client.api.kernels.list({ clusterId: cluster.id }).catch(() => [])
      : [];
    const warning = stopWarning(kernels, deps.runOn?.notebooksOn(cluster.id) ?? []);
    const { paths } = cluster.save;
    const saves = paths.length > 0;
    const { lossesOf } = await import('@hitch/contract/src/stop-plan.ts');
    const lost = canRun(cluster) ? await lossesOf(model.client.api, cluster) : null;
    const detail = [
      ...(warning === null ? [] : [warning]),
      saves ? `Then: save ${paths.join(', ')} here, destroy.` : 'Then: destroy. Nothing is saved.',
      ...(lost === null ? [] : [lost]),
      `Spent so far: ${format.dollars(cluster.usage.accruedMicroUsd)}. Billing ends when the network confirms.`,
    ];
    const yes = saves ? 'Save and Stop' : 'Stop';
    const without = 'Stop without Saving';
    const answer = await vscode.window.showWarningMessage(
      `Stop ${cluster.name}?`,
      { modal: true, detail: detail.join('\n') },
      yes,
      ...(saves ? [without] : []),
    );
    if (answer !== undefined) {
      await stopNow(cluster, answer === without);
    }
  };

  const cancel = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Cancel', can('cancel'));
    const yes = 'Cancel and Release';
    if (cluster === null) {
      return;
    }
    const said = await vscode.window.showWarningMessage(
      `Cancel ${cluster.name}?`,
      { modal: true, detail: 'What was bought for it is released. What it has cost until now stays.' },
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
      label: `$(clock) ${hours} h later`,
      description: stopWords(cluster, hours * 3_600_000),
      what: { hours },
    }));
    const picked = await vscode.window.showQuickPick(
      [
        ...(cluster.caps.stopAtMs === null ? [] : later),
        {
          label: '$(credit-card) A higher cap…',
          description: `now ${format.dollars(cluster.caps.totalMicroUsd)}, spent ${format.dollars(cluster.usage.accruedMicroUsd)}`,
          what: 'cap' as const,
        },
        {
          label: '$(coffee) Another idle time…',
          description:
            cluster.caps.idleMs === null ? 'now never' : `now ${format.duration(cluster.caps.idleMs)}`,
          what: 'idle' as const,
        },
      ],
      { title: `Extend ${cluster.name}, ${format.dollars(cluster.usage.ratePerHourMicroUsd)}/h` },
    );
    if (picked === undefined) {
      return;
    }
    const change = await extension(cluster, picked.what);
    if (change !== null) {
      await model.client.api.clusters.extend({ clusterId: cluster.id, ...change });
      await model.refresh();
    }
  };

  const save = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Save Now', canRun);
    if (cluster === null) {
      return;
    }
    const text =
      cluster.save.paths.length > 0
        ? cluster.save.paths.join(', ')
        : await vscode.window.showInputBox({
            title: `Save from ${cluster.name}`,
            prompt: 'Files and folders of ~/work to fetch now, with commas between them',
            placeHolder: 'results, model.pt',
          });
    const paths = (text ?? '')
      .split(',')
      .map(path => path.trim())
      .filter(path => path !== '');
    if (paths.length === 0) {
      return;
    }
    const { saved } = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: `Saving ${paths.join(', ')} of ${cluster.name}`,
      },
      () => model.client.api.clusters.save({ clusterId: cluster.id, paths }),
    );
    const [first] = saved;
    if (first === undefined) {
      void vscode.window.showWarningMessage(
        `${cluster.name}: there was nothing to save at ${paths.join(', ')}.`,
      );
      return;
    }
    void vscode.window.showInformationMessage(`Saved from ${cluster.name}: ${saved.join(', ')}.`);
  };

  /** A stopped cluster rents again with its own limits; the person sees a fresh price and says yes to it. */
  const startAgain = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Start Again…', can('startAgain'));
    if (cluster === null || deps.rent === null) {
      return;
    }
    const quote = await model.client.api.quotes.create({
      template: cluster.template,
      nodes: Math.max(1, cluster.nodes.length),
      filter: cluster.practice ? { practice: 'only' } : {},
      capMicroUsd: cluster.caps.totalMicroUsd,
      idleMs: cluster.caps.idleMs ?? 0,
      save: cluster.save,
    });
    const said = await deps.rent.confirm(quote, ({ id }) =>
      model.client.api.clusters.startAgain({ clusterId: cluster.id, quoteId: id }),
    );
    if (said === 'change') {
      await deps.rent.rentAndWait({ template: cluster.template });
    } else if (said !== null) {
      await deps.rent.follow(said, quote.candidates.length);
    }
  };

  const another = async (argument: unknown): Promise<void> => {
    const cluster = clusterOf(argument, model.state);
    await deps.rent?.rentAndWait(cluster === null ? {} : { template: cluster.template });
  };

  const replace = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Replace…', can('replace'));
    if (cluster === null) {
      return;
    }
    const rent = 'Rent Another…';
    const said = await vscode.window.showWarningMessage(
      `A lost node of ${cluster.name} is not replaced in place.`,
      { modal: true, detail: 'Rent another cluster, move what you need, then stop this one.' },
      rent,
    );
    if (said === rent) {
      await another(cluster.id);
    }
  };

  const remove = async (argument: unknown): Promise<void> => {
    const cluster = await target(argument, 'Remove from List', can('remove'));
    if (cluster !== null) {
      await model.client.api.clusters.remove({ clusterId: cluster.id });
      await model.refresh();
    }
  };

  return {
    api: {},
    disposables: [
      commands.register('hitch.cluster.stop', stop),
      commands.register('hitch.cluster.cancel', cancel),
      commands.register('hitch.cluster.extend', extend),
      commands.register('hitch.cluster.save', save),
      commands.register('hitch.cluster.startAgain', startAgain),
      commands.register('hitch.cluster.nextOffer', another),
      commands.register('hitch.cluster.replace', replace),
      commands.register('hitch.cluster.remove', remove),
      commands.register('hitch.cluster.retry', async argument => {
        await model.need();
        await model.refresh();
        const cluster = clusterOf(argument, model.state);
        if (cluster !== null && isLive(cluster) && cluster.phase === 'unreachable') {
          const title = titlesOf(model.state.providers)(cluster.nodes[0]?.provider ?? 'the network');
          throw new HitchError('UNREACHABLE', `${cluster.name} still does not answer.`, {
            next: `Hitch goes on trying; work may continue there. See what ${title} says on its own site.`,
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
  const more = (BigInt(cluster.usage.ratePerHourMicroUsd) * BigInt(laterMs)) / 3_600_000n;
  return `stops ${format.clock(stopAtMs + laterMs, Date.now())}, up to ${showDollars(more)} more`;
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
    const text = await vscode.window.showInputBox({
      title: `Cap of ${cluster.name}`,
      prompt: `The most it may cost, in dollars; ${format.dollars(cluster.usage.accruedMicroUsd)} is spent`,
      value: format.dollars(cluster.caps.totalMicroUsd).slice(1),
      validateInput: value => {
        const read = readDollars(value);
        return 'problem' in read ? read.problem : undefined;
      },
    });
    const read = text === undefined ? null : readDollars(text);
    return read !== null && 'amount' in read ? { capMicroUsd: read.amount.toString() } : null;
  }
  const text = await vscode.window.showInputBox({
    title: `Idle time of ${cluster.name}`,
    prompt: 'How long it may be without work, or “never”',
    value: cluster.caps.idleMs === null ? 'never' : format.duration(cluster.caps.idleMs),
    validateInput: value => {
      const read = readDuration(value);
      return 'problem' in read ? read.problem : undefined;
    },
  });
  const read = text === undefined ? null : readDuration(text);
  return read !== null && 'ms' in read ? { idleMs: read.ms === 0 ? null : read.ms } : null;
}
