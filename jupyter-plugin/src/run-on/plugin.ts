/** Run on: gives a notebook a kernel on a cluster or on this computer. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { Panel } from '@lumino/widgets';
import { depsOf } from '../actions/deps.ts';
import { NEIGHBOURS, paletteCategory } from '../actions/ids.ts';
import { IPreferences } from '../settings/settings.ts';
import { IQuick } from '../quick/plugin.ts';
import { IHitch } from '../tokens.ts';

export const runOnPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:run-on',
  description: 'Moves a notebook between this computer and GPU clusters, from its toolbar.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [IQuick, INotebookTracker, IToolbarWidgetRegistry, ITranslator, ICommandPalette],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    quick: IQuick | null,
    notebooks: INotebookTracker | null,
    toolbars: IToolbarWidgetRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
  ) => {
    if (notebooks === null) {
      return;
    }
    const deps = depsOf(app, hitch, preferences, translator);
    void app.restored
      .then(() => import('./command.ts'))
      .then(({ addRunOn }) => addRunOn(app, deps, notebooks));
    palette?.addItem({ command: NEIGHBOURS.runOn, category: paletteCategory(deps.trans) });
    toolbars?.addFactory('Notebook', 'hitch-run-on', panel => {
      const place = new Panel();
      if (panel instanceof NotebookPanel) {
        void Promise.all([import('./button.ts'), quick?.load() ?? null]).then(([{ RunOnButton }, loaded]) => {
          if (!place.isDisposed) {
            place.addWidget(new RunOnButton(deps, panel, loaded));
          }
        });
      }
      return place;
    });
  },
};
