/** The list of clusters in the left area, and the commands that act on them. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf, type Deps } from '../actions/deps.ts';
import { COMMANDS, paletteCategory } from '../actions/ids.ts';
import { clusterArgs, namedCluster } from '../actions/target.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { LazyPanel } from './lazy-panel.ts';

/** 0 to 500 is JupyterLab's own. */
const RANK = 510;

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:panel',
  description: 'The list of GPU clusters in the left area, and what can be done with them.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const panel = new LazyPanel(deps);
    app.shell.add(panel, 'left', { rank: RANK, type: 'GPUs' });
    restorer?.add(panel, panel.id);
    addPanelCommands(app, deps, panel);
    const underMenu = () => {
      const row = app.contextMenuHitTest(node => node.dataset['clusterId'] !== undefined);
      return namedCluster(hitch.clusters, { clusterId: row?.dataset['clusterId'] });
    };
    void app.restored
      .then(() => import('../actions/commands.ts'))
      .then(({ addActingCommands }) => addActingCommands({ deps, palette, underMenu }));
    const category = paletteCategory(deps.trans);
    palette?.addItem({ command: COMMANDS.openPanel, category });
    palette?.addItem({ command: COMMANDS.refresh, category });
  },
};

function addPanelCommands(app: JupyterFrontEnd, { commands, hitch, trans }: Deps, panel: LazyPanel): void {
  commands.addCommand(COMMANDS.openPanel, {
    label: trans.__('Show GPU Clusters'),
    describedBy: { args: clusterArgs },
    execute: async args => {
      app.shell.activateById(panel.id);
      const cluster = namedCluster(hitch.clusters, args);
      if (cluster !== undefined) {
        await panel.reveal(cluster.id);
      }
    },
  });
  commands.addCommand(COMMANDS.refresh, {
    label: trans.__('Refresh GPU Clusters'),
    caption: trans.__('Reload the list, and start Hitch if it is not running'),
    describedBy: { args: { type: 'object', additionalProperties: false, properties: {} } },
    execute: () => hitch.refresh(),
  });
}
