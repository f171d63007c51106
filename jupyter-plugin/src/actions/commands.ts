/** The commands that act on one cluster: for rows, menus, the palette, and other plugins. */
import type { Cluster } from '@hitch/contract';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { titlesOf, type Deps } from './deps.ts';
import {
  COMMAND_OF,
  COMMANDS,
  isRowAction,
  offers,
  paletteCategory,
  rowActionLabel,
  type RowAction,
} from './ids.ts';
import { clusterArgs, targetCluster } from './target.ts';

const ACTED: readonly { readonly action: RowAction; readonly command: string }[] = [
  { action: 'stop', command: COMMANDS.stop },
  { action: 'cancel', command: COMMANDS.cancel },
  { action: 'extend', command: COMMANDS.extend },
  { action: 'remove', command: COMMANDS.remove },
  { action: 'retry', command: COMMANDS.retry },
  { action: 'save', command: COMMANDS.saveNow },
  { action: 'endSave', command: COMMANDS.endSave },
  { action: 'startAgain', command: COMMANDS.startAgain },
  { action: 'nextOffer', command: COMMANDS.nextOffer },
  { action: 'replace', command: COMMANDS.replace },
  { action: 'environment', command: COMMANDS.changeEnvironment },
  { action: 'keepEnvironment', command: COMMANDS.keepEnvironment },
  { action: 'template', command: COMMANDS.saveTemplate },
  { action: 'ports', command: COMMANDS.openPort },
];

/** What the palette calls each: a sentence that stands alone. */
function paletteLabels({ trans }: Deps): Readonly<Partial<Record<RowAction, string>>> {
  return {
    stop: trans.__('Stop a GPU Cluster…'),
    cancel: trans.__('Cancel Renting…'),
    extend: trans.__('Extend a GPU Cluster…'),
    remove: trans.__('Remove a GPU Cluster from the List…'),
    retry: trans.__('Reconnect to a GPU Cluster'),
    save: trans.__('Save Files of a GPU Cluster Now…'),
    endSave: trans.__('Stop Saving Files of a GPU Cluster…'),
    startAgain: trans.__('Start a GPU Cluster Again…'),
    nextOffer: trans.__('Try a Similar GPU Offer…'),
    replace: trans.__('Replace Lost Nodes…'),
    environment: trans.__('Change the Environment of a GPU Cluster…'),
    keepEnvironment: trans.__('Cancel a Change of a GPU Cluster’s Environment'),
    template: trans.__('Save a GPU Cluster as a Template…'),
    ports: trans.__('Open a Dashboard or Port of a GPU Cluster…'),
  };
}

export interface ActingOptions {
  readonly deps: Deps;
  readonly palette: ICommandPalette | null;
  /** The cluster whose row the context menu is on. */
  readonly underMenu: () => Cluster | undefined;
}

export function addActingCommands({ deps, palette, underMenu }: ActingOptions): IDisposable {
  const { commands, hitch, trans } = deps;
  const added = new DisposableSet();
  const category = paletteCategory(trans);
  const labels = paletteLabels(deps);
  for (const { action, command } of ACTED) {
    const suits = (cluster: Cluster) => offers(cluster, action);
    added.add(
      commands.addCommand(command, {
        label: labels[action] ?? command,
        describedBy: { args: clusterArgs },
        isEnabled: args => args['clusterId'] !== undefined || hitch.clusters.some(suits),
        execute: async args => {
          const cluster = await targetCluster(deps, args, suits);
          if (cluster !== null) {
            const { ACTS } = await import('./acts.ts');
            await ACTS[command]?.(deps, cluster);
          }
        },
      }),
    );
    if (palette !== null) {
      added.add(palette.addItem({ command, category }));
    }
  }
  added.add(addMenuCommand(deps, underMenu));
  return added;
}

/** One command for the whole context menu of a row: which entries there are follows from the cluster's state. */
function addMenuCommand(deps: Deps, underMenu: () => Cluster | undefined): IDisposable {
  const { commands, hitch, trans } = deps;
  const meant = (action: unknown) => {
    const cluster = underMenu();
    const command = isRowAction(action) ? COMMAND_OF[action] : null;
    return isRowAction(action) && cluster !== undefined && command !== null && commands.hasCommand(command)
      ? { action, cluster, command }
      : null;
  };
  return commands.addCommand(COMMANDS.actOnCluster, {
    label: ({ action }) => {
      const found = meant(action);
      return found === null
        ? trans.__('GPU Cluster Action')
        : rowActionLabel(found.action, found.cluster, titlesOf(hitch), trans);
    },
    describedBy: {
      args: {
        type: 'object',
        additionalProperties: false,
        required: ['action'],
        properties: {
          action: { type: 'string', description: trans.__('What to do with the cluster of this row.') },
        },
      },
    },
    isVisible: ({ action }) => {
      const found = meant(action);
      return found !== null && offers(found.cluster, found.action);
    },
    execute: async ({ action }) => {
      const found = meant(action);
      if (found !== null) {
        await commands.execute(found.command, { clusterId: found.cluster.id });
      }
    },
  });
}
