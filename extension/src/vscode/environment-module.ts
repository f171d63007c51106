/** Another environment for a cluster that runs, and what was added to it by hand. */
import type { Cluster, EnvironmentRequest, LockedEnvironment } from '@hitch/contract';
import {
  addedLines,
  changeLines,
  changeQuestion,
  environmentFacts,
  environmentWords,
} from '@hitch/contract/src/environment-words.ts';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { canRun } from '../daemon/state.ts';
import { packagesLines } from '../rent/packages.ts';
import { ask, fail, inform } from './messages.ts';
import type { Host, Module } from './module.ts';
import { findPackages, lockPackages } from './package-steps.ts';
import { askLine, pickOne, withProgress } from './screen.ts';
import { fittingCluster } from './which-cluster.ts';

type Wish =
  | { readonly kind: 'lock'; readonly request: Pick<EnvironmentRequest, 'path' | 'add'> }
  | { readonly kind: 'reset' }
  | { readonly kind: 'cancel' };

export function createEnvironmentModule({ commands, connection }: Host): Module<object> {
  const { model } = connection;
  const title = (cluster: Cluster): string => `Environment of ${cluster.name}`;
  const chosen = (argument: unknown): Promise<Cluster | null> =>
    fittingCluster(
      model,
      argument,
      'Change Environment',
      canRun,
      ({ name }) => `${name} cannot be changed now.`,
    );

  /** Null: given up. */
  const askWish = async (cluster: Cluster): Promise<Wish | null> => {
    const { environment } = cluster;
    if ((environment?.change ?? null) !== null) {
      const cancel = 'Cancel the Change';
      const said = await ask(
        `The environment of ${cluster.name} is being changed.`,
        environment === undefined ? '' : changeLines(environment, cluster.nodes.length).join('\n'),
        cancel,
      );
      return said === cancel ? { kind: 'cancel' } : null;
    }
    const found = await findPackages(model.client);
    const canAdd = (environment?.id ?? null) !== null;
    const picked = await pickOne(
      [
        ...packagesLines(found, null, false).map(({ value, ...line }) => ({
          ...line,
          wish: { path: value.kind === 'file' ? value.path : '' },
        })),
        ...(canAdd ? [{ icon: 'add', label: 'Those it has, and more…', wish: 'add' as const }] : []),
        {
          icon: 'discard',
          label: 'Those it was rented with',
          detail: 'Without what was added',
          wish: 'reset' as const,
        },
      ],
      {
        title: title(cluster),
        placeholder: environment === undefined ? '' : `Now: ${environmentFacts(environment)}`,
      },
    );
    if (picked === undefined) {
      return null;
    }
    if (picked.wish === 'reset') {
      return { kind: 'reset' };
    }
    if (picked.wish !== 'add') {
      return { kind: 'lock', request: picked.wish };
    }
    const typed = await askLine({
      title: title(cluster),
      prompt: 'More packages, separated by spaces',
      placeholder: 'einops>=0.8',
    });
    const add = (typed ?? '').split(/[\s,]+/).filter(Boolean);
    return add.length === 0 ? null : { kind: 'lock', request: { add } };
  };

  const find = (id: Cluster['id']): Cluster | undefined =>
    model.state.clusters?.find(cluster => cluster.id === id);

  /** Until it is done; giving up ends the change, and all stays as it was. */
  const follow = (cluster: Cluster): Thenable<void> =>
    withProgress(
      'notification',
      `Hitch: changing the environment of ${cluster.name}`,
      ({ cancelled, report }) =>
        new Promise<void>((resolve, reject) => {
          const end = (): void => {
            stop();
            listener.dispose();
            resolve();
          };
          const look = (): void => {
            const { environment } = find(cluster.id) ?? cluster;
            const going = environment?.change ?? null;
            if (environment === undefined || going === null) {
              end();
            } else {
              report(changeLines(environment, cluster.nodes.length).join('; '));
            }
          };
          const stop = model.onChange(look);
          const listener = cancelled.onCancellationRequested(() => {
            keep(cluster).catch(reject);
          });
          look();
        }),
    );
  const keep = async ({ id }: Cluster): Promise<void> => {
    await model.client.api.clusters.keepEnvironment({ clusterId: id });
    await model.refresh();
  };

  const change = async (argument: unknown): Promise<void> => {
    const cluster = await chosen(argument);
    const wish = cluster === null ? null : await askWish(cluster);
    if (cluster === null || wish === null) {
      return;
    }
    if (wish.kind === 'cancel') {
      await keep(cluster);
      return;
    }
    let environment: LockedEnvironment | null = null;
    if (wish.kind === 'lock') {
      environment = await lockPackages(model.client, { clusterId: cluster.id, ...wish.request });
      if (environment === null) {
        return;
      }
    }
    const yes = 'Change It';
    const detail = [
      environment === null ? 'Back to what it was rented with.' : environmentWords(environment),
      ...changeQuestion(cluster),
    ].join('\n');
    if ((await ask(`Change the environment of ${cluster.name}?`, detail, yes)) !== yes) {
      return;
    }
    await model.client.api.clusters.changeEnvironment({
      clusterId: cluster.id,
      environment: environment?.id ?? null,
    });
    await model.refresh();
    await follow(cluster);
    const { environment: now } = find(cluster.id) ?? cluster;
    if (now?.problem !== null && now?.problem !== undefined) {
      void fail(`${cluster.name}: ${now.problem}`);
    } else if (now?.id === (environment?.id ?? now?.id)) {
      void inform(`The environment of ${cluster.name} is changed. Restart a kernel to use it.`);
    } else {
      void inform(`Cancelled; the environment of ${cluster.name} is what it was.`);
    }
  };

  const showAdded = async (argument: unknown): Promise<void> => {
    const cluster = await chosen(argument);
    if (cluster === null) {
      return;
    }
    const { environment, nodes } = cluster;
    const lines = environment === undefined ? [] : addedLines(environment, nodes.length, Date.now());
    if (lines.length === 0) {
      throw new HitchError('NOT_FOUND', `Nothing was added to ${cluster.name} by hand.`, {
        next: 'Packages that “%pip install” brings stand here, and are installed again at the next start.',
      });
    }
    await pickOne(
      lines.map(label => ({ icon: 'package', label })),
      {
        title: `Packages that were added to ${cluster.name}`,
        placeholder: 'Installed again at the next start',
      },
    );
  };

  return {
    api: {},
    disposables: [
      commands.register('hitch.cluster.environment', change),
      commands.register('hitch.cluster.addedPackages', showAdded),
    ],
  };
}
