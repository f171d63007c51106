/** Notebooks of clusters come back whole after a page was reloaded, closed, or opened elsewhere. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IKernelRouter } from '../kernels/tokens.ts';
import { IHitch } from '../tokens.ts';
import type { Memory } from './memory.ts';

export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:cells',
  description: 'Fills in the output that a kernel on a cluster printed while the notebook was closed.',
  autoStart: true,
  requires: [IHitch, IKernelRouter],
  optional: [IStateDB, ITranslator],
  activate: (
    app,
    hitch: IHitch,
    router: IKernelRouter,
    state: IStateDB | null,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_hitch');
    let memory: Promise<Memory> | null = null;
    const remembered = () => (memory ??= import('./memory.ts').then(({ openMemory }) => openMemory(state)));
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: panel => {
        if (panel instanceof NotebookPanel) {
          void Promise.all([import('./notebook.ts'), remembered()]).then(([{ NotebookFiller }, kept]) => {
            if (!panel.isDisposed) {
              new NotebookFiller({ panel, hitch, router, trans, ...kept });
            }
          });
        }
      },
    });
  },
};
