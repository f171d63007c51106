/** GPU clusters on the status bar, while some run. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf } from '../actions/deps.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';

const ID = 'jupyterlab-hitch:status';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Running clusters, their cost per hour and stop time, on the status bar.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator, IStatusBar],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    translator: ITranslator | null,
    statusBar: IStatusBar | null,
  ) => {
    if (statusBar === null) {
      return;
    }
    const deps = depsOf(app, hitch, preferences, translator);
    void app.restored
      .then(() => import('./item.ts'))
      .then(({ StatusItem }) => {
        const item = new StatusItem(deps);
        statusBar.registerStatusItem(ID, {
          item,
          align: 'left',
          rank: 50,
          isActive: () => item.active,
          activeStateChanged: item.activeChanged,
        });
      });
  },
};
