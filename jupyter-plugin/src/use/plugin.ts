/** How the machine that a notebook runs on does, as a small plot in the notebook's toolbar. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { Panel } from '@lumino/widgets';
import { depsOf } from '../actions/deps.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';

export const usePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:use',
  description: 'Shows in a notebook’s toolbar how its cluster’s machine does.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [IToolbarWidgetRegistry, ITranslator],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    toolbars: IToolbarWidgetRegistry | null,
    translator: ITranslator | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    toolbars?.addFactory('Notebook', 'hitch-use', panel => {
      const place = new Panel();
      if (panel instanceof NotebookPanel) {
        void import('./glance.ts').then(({ UseGlance }) => {
          if (!place.isDisposed) {
            place.addWidget(new UseGlance(deps, panel));
          }
        });
      }
      return place;
    });
  },
};
