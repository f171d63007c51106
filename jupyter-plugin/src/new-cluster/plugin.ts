/** The New cluster tab. */
import { ILabShell, ILayoutRestorer, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { setTitle } from '../ui/text.ts';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf, type Deps } from '../actions/deps.ts';
import { COMMANDS, paletteCategory } from '../actions/ids.ts';
import { localPathOf } from '../files/local-files.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { gpusIcon } from '../ui/icons.ts';
import { placeTab } from '../ui/place.ts';
import type { NewClusterView } from './view.ts';

type Tab = MainAreaWidget<NewClusterView>;

export const newClusterPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:new-cluster',
  description: 'A tab to choose an offer, see its full price, and rent it.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator, ILabShell, ILayoutRestorer, ICommandPalette, IDocumentManager, IDefaultFileBrowser],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    translator: ITranslator | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    documents: IDocumentManager | null,
    browser: IDefaultFileBrowser | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const { commands, trans } = deps;
    const folder = (): string => localPathOf(app.serviceManager.contents, browser?.model.path ?? '') ?? '';
    const tracker = new WidgetTracker<Tab>({ namespace: 'jupyterlab-hitch-new-cluster' });
    commands.addCommand(COMMANDS.newCluster, {
      label: ({ isLauncher }) =>
        isLauncher === true ? trans.__('New cluster') : trans.__('New GPU Cluster…'),
      caption: trans.__('Choose an offer, see its full price, and rent it'),
      icon: gpusIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            template: {
              type: 'string',
              description: trans.__('Rent for this template: its name or folder.'),
            },
            preset: { type: 'string', description: trans.__('The template’s preset.') },
            values: {
              type: 'object',
              description: trans.__('Values of the template’s parameters, by name.'),
            },
          },
        },
      },
      // It answers no widget: a launcher would put that in its own place and close.
      execute: async args => {
        let tab = tracker.currentWidget;
        if (tab === null) {
          tab = await makeTab(deps, documents, folder);
          await tracker.add(tab);
        }
        placeTab(app, labShell, tab);
        const { choiceIn } = await import('./for-template.ts');
        const choice = choiceIn(args);
        if (choice !== null) {
          await tab.content.rentFor(choice);
        }
      },
    });
    void restorer?.restore(tracker, { command: COMMANDS.newCluster, name: () => 'new-cluster' });
    palette?.addItem({ command: COMMANDS.newCluster, category: paletteCategory(trans) });
  },
};

async function makeTab(deps: Deps, documents: IDocumentManager | null, folder: () => string): Promise<Tab> {
  const { commands, hitch, trans } = deps;
  const [{ NewClusterView }, { SEND_COMMAND, sendLater }] = await Promise.all([
    import('./view.ts'),
    import('./send-later.ts'),
  ]);
  const content = new NewClusterView({
    deps,
    folder,
    chooseFiles:
      documents === null || !commands.hasCommand(SEND_COMMAND)
        ? null
        : async () => (await import('./choose-files.ts')).chooseFiles(documents, trans),
    rented: (clusterId, send) => {
      sendLater(hitch, commands).add(clusterId, send);
      void commands.execute(COMMANDS.showTimeline, { clusterId, ref: tab.id }).then(() => tab.dispose());
    },
  });
  const tab: Tab = new MainAreaWidget({ content });
  tab.id = 'jp-hitch-new-cluster';
  tab.title.icon = gpusIcon;
  setTitle(tab.title, trans.__('New cluster'));
  tab.title.closable = true;
  return tab;
}
