/** Renting in three clicks: what is usually rented, a line each, and the notebook that then runs there. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { depsOf } from '../actions/deps.ts';
import { NEIGHBOURS, paletteCategory } from '../actions/ids.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import type { Quick } from './rent.ts';

/** Loaded once JupyterLab stands. */
export interface IQuick {
  load(): Promise<Quick>;
}

export const IQuick = new Token<IQuick>(
  'jupyterlab-hitch:IQuick',
  'What is usually rented, and the notebooks that wait for what is being rented.',
);

export const quickPlugin: JupyterFrontEndPlugin<IQuick> = {
  id: 'jupyterlab-hitch:quick',
  description: 'Rents what a person usually rents, and moves the notebook there.',
  autoStart: true,
  provides: IQuick,
  requires: [IHitch, IPreferences, INotebookTracker],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    notebooks: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const quick = app.restored
      .then(() => import('./start.ts'))
      .then(({ startQuick }) => startQuick(app, deps, notebooks));
    for (const command of [NEIGHBOURS.rentQuickly, NEIGHBOURS.editPresets]) {
      palette?.addItem({ command, category: paletteCategory(deps.trans) });
    }
    return { load: () => quick };
  },
};
