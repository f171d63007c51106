/** Help: the documentation in a tab, and what to add to the report of a problem. */
import { ILabShell, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf } from '../actions/deps.ts';
import { NEIGHBOURS, paletteCategory } from '../actions/ids.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import { gpusIcon } from '../ui/icons.ts';
import { placeTab } from '../ui/place.ts';
import { setTitle } from '../ui/text.ts';
import type { DocumentationView } from './documentation.ts';

const noArguments = { args: { type: 'object', additionalProperties: false, properties: {} } } as const;

export const helpPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:help',
  description: 'The documentation of Hitch, and what to add to the report of a problem.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator, ILabShell, ICommandPalette, IRenderMimeRegistry],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    translator: ITranslator | null,
    labShell: ILabShell | null,
    palette: ICommandPalette | null,
    renderers: IRenderMimeRegistry | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const { commands, trans } = deps;
    const category = paletteCategory(trans);
    commands.addCommand(NEIGHBOURS.reportProblem, {
      label: trans.__('Report a Problem with Hitch…'),
      caption: trans.__('What to add to a report; nothing is sent'),
      icon: gpusIcon,
      describedBy: noArguments,
      execute: async () => (await import('./report-problem.ts')).reportProblem(deps, app.version),
    });
    palette?.addItem({ command: NEIGHBOURS.reportProblem, category });
    if (renderers === null) {
      return;
    }
    let tab: MainAreaWidget<DocumentationView> | null = null;
    commands.addCommand(NEIGHBOURS.documentation, {
      label: trans.__('Hitch Documentation'),
      caption: trans.__('First steps, concepts, commands, settings and errors'),
      icon: gpusIcon,
      describedBy: noArguments,
      execute: async () => {
        if (tab === null || tab.isDisposed) {
          const { DocumentationView } = await import('./documentation.ts');
          tab = new MainAreaWidget({ content: new DocumentationView(renderers, hitch.serverSettings) });
          tab.id = 'jp-hitch-documentation';
          tab.title.icon = gpusIcon;
          tab.title.closable = true;
          setTitle(tab.title, trans.__('Hitch Documentation'));
        }
        placeTab(app, labShell, tab);
        await tab.content.open('index.md');
      },
    });
    palette?.addItem({ command: NEIGHBOURS.documentation, category });
  },
};
