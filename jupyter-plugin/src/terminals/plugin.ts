/** Terminals on clusters: they go on while nobody looks, and come back with what they show. */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITerminal } from '@jupyterlab/terminal';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { NEIGHBOURS, paletteCategory } from '../actions/ids.ts';
import { IHitch } from '../tokens.ts';
import type { TerminalOpener } from './open.ts';

const OPEN = NEIGHBOURS.openTerminal;

export const terminals: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:terminals',
  description: 'Opens terminals on clusters.',
  autoStart: true,
  requires: [IHitch],
  optional: [ILayoutRestorer, ISettingRegistry, ITranslator, IThemeManager, ILabShell, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    hitch: IHitch,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    languages: ITranslator | null,
    themes: IThemeManager | null,
    labShell: ILabShell | null,
    palette: ICommandPalette | null,
  ): void => {
    const translator = languages ?? nullTranslator;
    const trans = translator.load('jupyterlab_hitch');
    const tracker = new WidgetTracker<MainAreaWidget<ITerminal.ITerminal>>({ namespace: 'hitch-terminal' });
    let opener: Promise<TerminalOpener> | null = null;
    const load = async (): Promise<TerminalOpener> => {
      const { TerminalOpener } = await import('./open.ts');
      const area = labShell === null ? 'down' : 'main';
      return new TerminalOpener({ app, area, hitch, settings, translator, trans, tracker });
    };
    app.commands.addCommand(OPEN, {
      label: ({ fresh }) =>
        fresh === true ? trans.__('New Terminal on a Cluster') : trans.__('Terminal on a Cluster'),
      caption: trans.__('Open a terminal on a cluster; programs keep running when it is closed'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            clusterId: { type: 'string', description: 'The id of the cluster' },
            name: { type: 'string', description: 'A terminal that is already running there' },
            fresh: {
              type: 'boolean',
              description: 'Open a new terminal even if others are running there',
            },
          },
        },
      },
      execute: async args => (await (opener ??= load())).open(args),
    });
    palette?.addItem({ command: OPEN, category: paletteCategory(trans) });
    // JupyterLab does this for its own terminals only.
    themes?.themeChanged.connect(() => {
      tracker.forEach(({ content }) => {
        if (content.getOption('theme') === 'inherit') {
          content.setOption('theme', 'inherit');
        }
      });
    });
    void restorer?.restore(tracker, {
      command: OPEN,
      args: ({ id }) => {
        const [, clusterId = '', name = ''] = id.split('/');
        return { clusterId, name };
      },
      name: ({ id }) => id,
    });
  },
};
