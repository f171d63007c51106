/** The Templates tab: what a cluster can be set up for, with a form for each. */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf, type Deps } from '../actions/deps.ts';
import { COMMANDS, NEIGHBOURS, paletteCategory } from '../actions/ids.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { gpusIcon } from '../ui/icons.ts';
import { placeTab } from '../ui/place.ts';
import { setTitle } from '../ui/text.ts';
import type { TemplatesView } from './view.ts';

type Tab = MainAreaWidget<TemplatesView>;

export const templatesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:templates',
  description:
    'A tab with the templates that a GPU machine can be rented for or that run as a job, and a form for each.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator, ILabShell, ILayoutRestorer, ICommandPalette, IDocumentManager],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    translator: ITranslator | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    documents: IDocumentManager | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const tracker = new WidgetTracker<Tab>({ namespace: 'jupyterlab-hitch-templates' });
    addCommand(app, deps, { tracker, labShell, documents });
    void restorer?.restore(tracker, { command: NEIGHBOURS.templates, name: () => 'templates' });
    palette?.addItem({ command: NEIGHBOURS.templates, category: paletteCategory(deps.trans) });
  },
};

interface Opening {
  readonly tracker: WidgetTracker<Tab>;
  readonly labShell: ILabShell | null;
  readonly documents: IDocumentManager | null;
}

function addCommand(app: JupyterFrontEnd, deps: Deps, { tracker, labShell, documents }: Opening): void {
  const { commands, trans } = deps;
  commands.addCommand(NEIGHBOURS.templates, {
    label: trans.__('GPU Templates'),
    caption: trans.__('Run a template as a job, or rent a machine for it: its form and the full price'),
    icon: gpusIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      let tab = tracker.currentWidget;
      if (tab === null) {
        tab = await makeTab(deps, documents);
        await tracker.add(tab);
      }
      placeTab(app, labShell, tab);
    },
  });
}

async function makeTab(deps: Deps, documents: IDocumentManager | null): Promise<Tab> {
  const { commands, trans } = deps;
  const { TemplatesView } = await import('./view.ts');
  const content = new TemplatesView({
    deps,
    chooseFolder:
      documents === null
        ? null
        : async () => (await import('./choose-folder.ts')).chooseFolder(documents, trans),
    showJob: async jobId => {
      await commands.execute(NEIGHBOURS.openJob, { jobId });
    },
    rent: ({ template, preset, values }) =>
      void commands.execute(COMMANDS.newCluster, { template, preset, values: { ...values } }),
  });
  const tab: Tab = new MainAreaWidget({ content });
  tab.id = 'jp-hitch-templates';
  tab.title.icon = gpusIcon;
  setTitle(tab.title, trans.__('Templates'));
  tab.title.closable = true;
  return tab;
}
