/** A tab for each cluster that a person opens: timeline, cost, machines, kernels and logs. */
import type { ClusterId } from '@hitch/contract';
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from '@jupyterlab/application';
import { setTitle } from '../ui/text.ts';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { depsOf, type Deps } from '../actions/deps.ts';
import { COMMANDS, paletteCategory } from '../actions/ids.ts';
import { clusterArgs, clusterIdIn, targetCluster } from '../actions/target.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { gpusIcon } from '../ui/icons.ts';
import { placeTab } from '../ui/place.ts';
import type { ClusterView } from './view.ts';

type Tab = MainAreaWidget<ClusterView>;

const PREFIX = 'jp-hitch-cluster-';

export const clusterTabPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:cluster-tab',
  description: 'A tab with the timeline, cost, machines, kernels and logs of a GPU cluster.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator, ILabShell, ILayoutRestorer, ICommandPalette],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    translator: ITranslator | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const tracker = new WidgetTracker<Tab>({ namespace: 'jupyterlab-hitch-clusters' });
    addTabCommands(app, deps, tracker, labShell);
    void restorer?.restore(tracker, {
      command: COMMANDS.showTimeline,
      args: ({ id }) => ({ clusterId: id.slice(PREFIX.length) }),
      name: ({ id }) => id,
    });
    palette?.addItem({ command: COMMANDS.showTimeline, category: paletteCategory(deps.trans) });
    palette?.addItem({ command: COMMANDS.showLogs, category: paletteCategory(deps.trans) });
  },
};

async function makeTab(deps: Deps, id: ClusterId): Promise<Tab> {
  const { ClusterView } = await import('./view.ts');
  const tab = new MainAreaWidget({ content: new ClusterView(deps, id) });
  tab.id = `${PREFIX}${id}`;
  tab.title.icon = gpusIcon;
  setTitle(tab.title, deps.hitch.clusters.find(each => each.id === id)?.name ?? deps.trans.__('GPU cluster'));
  tab.title.closable = true;
  return tab;
}

function addTabCommands(
  app: JupyterFrontEnd,
  deps: Deps,
  tracker: WidgetTracker<Tab>,
  labShell: ILabShell | null,
): void {
  const { commands, trans } = deps;
  const open = async (args: ReadonlyPartialJSONObject): Promise<Tab | null> => {
    // A restored tab names a cluster that is not heard of yet.
    const id = clusterIdIn(args) ?? (await targetCluster(deps, args, () => true))?.id;
    if (id === undefined) {
      return null;
    }
    let tab = tracker.find(each => each.id === `${PREFIX}${id}`);
    if (tab === undefined) {
      tab = await makeTab(deps, id);
      await tracker.add(tab);
    }
    const ref = args['ref'];
    placeTab(app, labShell, tab, typeof ref === 'string' ? ref : undefined);
    return tab;
  };
  commands.addCommand(COMMANDS.showTimeline, {
    label: trans.__('Show a GPU Cluster’s Timeline and Cost'),
    describedBy: { args: clusterArgs },
    execute: open,
  });
  commands.addCommand(COMMANDS.showLogs, {
    label: trans.__('Show a GPU Cluster’s Logs'),
    describedBy: { args: clusterArgs },
    execute: async args => {
      const tab = await open(args);
      tab?.content.showLogs();
      return tab;
    },
  });
}
