/** A card in the launcher. The cards of clusters are their kernels', which stand there by themselves. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { COMMANDS, NEIGHBOURS } from '../actions/ids.ts';

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:launcher',
  description: 'A card in the launcher that rents a GPU cluster.',
  autoStart: true,
  optional: [ILauncher, ITranslator],
  activate: (_app, launcher: ILauncher | null, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_hitch');
    launcher?.add({
      command: NEIGHBOURS.rentQuickly,
      args: { isLauncher: true },
      category: trans.__('GPUs'),
      rank: 0,
    });
    launcher?.add({
      command: COMMANDS.newCluster,
      args: { isLauncher: true },
      category: trans.__('GPUs'),
      rank: 1,
    });
  },
};
