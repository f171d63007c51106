/** A notebook whose cluster is stopped offers to start it again, and waits for it. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { type ISessionContext, ISessionContextDialogs } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import { depsOf } from '../actions/deps.ts';
import { IKernelRouter } from '../kernels/tokens.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import type { KernelDialogs } from './dialogs.ts';
import type { WaitingNotices } from './notices.ts';

export const waitingPlugin: JupyterFrontEndPlugin<ISessionContextDialogs> = {
  id: 'jupyterlab-hitch:waiting',
  description: 'Offers to start the cluster of a notebook again, and shows its progress.',
  autoStart: true,
  provides: ISessionContextDialogs,
  requires: [IHitch, IKernelRouter, IPreferences],
  optional: [ITranslator, ISettingRegistry],
  activate: (
    app,
    hitch: IHitch,
    router: IKernelRouter,
    preferences: IPreferences,
    translator: ITranslator | null,
    settingRegistry: ISettingRegistry | null,
  ) => {
    const deps = depsOf(app, hitch, preferences, translator);
    const stock = { settingRegistry, ...(translator === null ? {} : { translator }) };
    let dialogs: Promise<KernelDialogs> | null = null;
    const load = () =>
      (dialogs ??= import('./dialogs.ts').then(
        ({ KernelDialogs: Dialogs }) => new Dialogs({ deps, router, ...stock }),
      ));
    const choose = (context: ISessionContext) => void load().then(loaded => loaded.chooseKernel(context));
    let notices: Promise<WaitingNotices> | null = null;
    const look = () => {
      if (notices !== null || router.waiting.all.size > 0) {
        notices ??= import('./notices.ts').then(
          ({ WaitingNotices: Notices }) => new Notices({ deps, router, choose }),
        );
        void notices.then(loaded => loaded.look());
      }
    };
    router.waiting.changed.connect(look);
    hitch.changed.connect(look);
    return {
      selectKernel: async context => (await load()).selectKernel(context),
      restart: async (context, options) => (await load()).restart(context, options),
    };
  },
};
