/** GPU clusters among what runs: each can be opened, and stopped after a question. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf } from '../actions/deps.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';

export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:running',
  description: 'GPU clusters in the list of running terminals and kernels.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator, IRunningSessionManagers],
  activate: (
    app,
    hitch: IHitch,
    preferences: IPreferences,
    translator: ITranslator | null,
    running: IRunningSessionManagers | null,
  ) => {
    if (running !== null) {
      const deps = depsOf(app, hitch, preferences, translator);
      void app.restored
        .then(() => import('./section.ts'))
        .then(({ sectionOf }) => running.add(sectionOf(deps)));
    }
  },
};
