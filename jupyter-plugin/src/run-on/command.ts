/** The Run on command: the current notebook, or a new one, on a cluster or on this computer. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Deps } from '../actions/deps.ts';
import { NEIGHBOURS } from '../actions/ids.ts';
import { failed } from '../actions/report.ts';
import { namedCluster, targetCluster } from '../actions/target.ts';
import { canRunOn, clusterOfKernel } from './targets.ts';

/** Stands for this computer in the arguments. */
const HERE = '';
const NEW_NOTEBOOK = 'notebook:create-new';

export function addRunOn(app: JupyterFrontEnd, deps: Deps, notebooks: INotebookTracker): void {
  const { commands, hitch, trans } = deps;
  const panelOf = ({ path }: ReadonlyPartialJSONObject) =>
    typeof path === 'string'
      ? (notebooks.find(({ context }) => context.path === path) ?? null)
      : notebooks.currentWidget;
  const placeOf = (args: ReadonlyPartialJSONObject): string | null =>
    namedCluster(hitch.clusters, args)?.name ?? null;
  commands.addCommand(NEIGHBOURS.runOn, {
    label: args =>
      args['isMenu'] === true
        ? (placeOf(args) ?? trans.__('This computer'))
        : trans.__('Run on a GPU Cluster…'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          clusterId: { type: 'string', description: trans.__('The cluster’s id; empty for this computer.') },
          path: {
            type: 'string',
            description: trans.__('The notebook’s path; the current one when left out.'),
          },
        },
      },
    },
    isToggled: args =>
      args['isMenu'] === true &&
      clusterOfKernel(panelOf(args)?.sessionContext.session?.kernel?.name) === placeOf(args),
    isEnabled: args => args['isMenu'] === true || hitch.clusters.some(canRunOn),
    execute: async args => {
      const here = args['clusterId'] === HERE;
      const cluster = here ? null : await targetCluster(deps, args, canRunOn);
      if (!here && cluster === null) {
        return;
      }
      const moving = { deps, specs: app.serviceManager.kernelspecs, to: cluster?.name ?? null };
      const panel = panelOf(args);
      const { path } = args;
      if (panel === null && typeof path === 'string') {
        failed(trans.__('%1 is not open: open it, then try again.', path));
        return;
      }
      const { findKernel, moveNotebook } = await import('./move.ts');
      if (panel !== null) {
        // What is asked and told next is about this notebook, which may be behind the tab that a person looks at.
        app.shell.activateById(panel.id);
        await moveNotebook(panel, moving);
      } else if (commands.hasCommand(NEW_NOTEBOOK)) {
        await commands.execute(NEW_NOTEBOOK, {
          kernelName: await findKernel(moving, { kernel: undefined, language: undefined }),
        });
      }
    },
  });
}
