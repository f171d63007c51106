/** The files of clusters in JupyterLab: drives, a browser, *Send to…*, *Fetch*. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { NEIGHBOURS, paletteCategory } from '../actions/ids.ts';
import { IHitch } from '../tokens.ts';

export const files: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:files',
  description: 'Shows the files of clusters, and copies files to and from them.',
  autoStart: true,
  requires: [IHitch, IDocumentManager, IFileBrowserFactory],
  optional: [IDefaultFileBrowser, INotebookTracker, ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    hitch: IHitch,
    documents: IDocumentManager,
    factory: IFileBrowserFactory,
    localBrowser: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
  ): void => {
    const category = paletteCategory((translator ?? nullTranslator).load('jupyterlab_hitch'));
    palette?.addItem({ command: NEIGHBOURS.openFiles, category });
    void import('./start.ts').then(({ startFiles }) => {
      startFiles({
        app,
        hitch,
        documents,
        factory,
        localBrowser,
        notebooks,
        translator: translator ?? nullTranslator,
      });
    });
  },
};
