/** The Networks tab: where machines come from, logins there, and machines of one's own. */
import { ILabShell, ILayoutRestorer, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf, type Deps } from '../actions/deps.ts';
import { COMMANDS, paletteCategory } from '../actions/ids.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { gpusIcon } from '../ui/icons.ts';
import { placeTab } from '../ui/place.ts';
import { setTitle } from '../ui/text.ts';
import type { NetworksView } from './view.ts';

type Tab = MainAreaWidget<NetworksView>;

const noArguments = { args: { type: 'object', additionalProperties: false, properties: {} } } as const;

export const networksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:networks',
  description: 'A tab with the networks, your logins there, and machines of your own.',
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
    const { commands, trans } = deps;
    const tracker = new WidgetTracker<Tab>({ namespace: 'jupyterlab-hitch-networks' });
    const open = async (): Promise<Tab> => {
      let tab = tracker.currentWidget;
      if (tab === null) {
        tab = await makeTab(deps);
        await tracker.add(tab);
      }
      placeTab(app, labShell, tab);
      return tab;
    };
    commands.addCommand(COMMANDS.networks, {
      label: trans.__('GPU Networks and Logins'),
      caption: trans.__('Log in to networks, and look after machines of your own'),
      icon: gpusIcon,
      describedBy: noArguments,
      execute: async () => {
        await open();
      },
    });
    commands.addCommand(COMMANDS.addMachine, {
      label: trans.__('Add Your Own GPU Machine…'),
      caption: trans.__('One that your ssh reaches'),
      icon: gpusIcon,
      describedBy: noArguments,
      execute: async () => (await open()).content.addMachine(),
    });
    void restorer?.restore(tracker, { command: COMMANDS.networks, name: () => 'networks' });
    const category = paletteCategory(trans);
    palette?.addItem({ command: COMMANDS.networks, category });
    palette?.addItem({ command: COMMANDS.addMachine, category });
  },
};

async function makeTab(deps: Deps): Promise<Tab> {
  const { NetworksView } = await import('./view.ts');
  const tab: Tab = new MainAreaWidget({ content: new NetworksView(deps) });
  tab.id = 'jp-hitch-networks';
  tab.title.icon = gpusIcon;
  setTitle(tab.title, deps.trans.__('Networks'));
  tab.title.closable = true;
  return tab;
}
