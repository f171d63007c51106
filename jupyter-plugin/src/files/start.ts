/** Puts the parts of the files together, once JupyterLab is on its way. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import type { IHitch } from '../tokens.ts';
import { FileActions } from './actions.ts';
import { AwayNotes } from './away-notes.ts';
import { addFileCommands } from './commands.ts';
import { ClusterDrives } from './drives.ts';
import { MissingFiles } from './missing-offer.ts';
import { offerPackage } from './missing-package.ts';
import { ClusterFiles } from './panel.ts';
import { uploadTo } from './upload.ts';

const sentences =
  (trans: TranslationBundle) =>
  (state: 'unreachable' | 'gone', name: string): string =>
    state === 'gone'
      ? trans.__('%1 has ended and its files are deleted. Changes here can no longer be saved to it.', name)
      : trans.__(
          '%1 does not answer. Showing the last known folders; nothing can be saved until it answers again.',
          name,
        );

export interface FilesOptions {
  readonly app: JupyterFrontEnd;
  readonly hitch: IHitch;
  readonly documents: IDocumentManager;
  readonly factory: IFileBrowserFactory;
  readonly localBrowser: IDefaultFileBrowser | null;
  readonly notebooks: INotebookTracker | null;
  readonly translator: ITranslator;
}

export function startFiles(options: FilesOptions): void {
  const { app, hitch, documents, factory, localBrowser, notebooks, translator } = options;
  const trans = translator.load('jupyterlab_hitch');
  const { contents, serverSettings } = app.serviceManager;
  const { client } = hitch;
  const drives = new ClusterDrives({ hitch, contents, sentence: sentences(trans) });
  const actions = new FileActions({ trans, client, contents, drives, localBrowser });
  const panel = new ClusterFiles({
    drives,
    factory,
    contents,
    commands: app.commands,
    translator,
    trans,
    upload: (drive, file, path) => uploadTo({ client, trans }, drive, file, path),
  });
  addFileCommands({ app, trans, drives, factory, panel, actions });
  new AwayNotes({ shell: app.shell, documents, drives, trans });
  if (notebooks !== null) {
    new MissingFiles({
      trans,
      notebooks,
      drives,
      serverSettings,
      actions,
      offerPackage: (drive, module, again) => {
        const cluster = hitch.clusters.find(({ id }) => id === drive.clusterId);
        if (cluster !== undefined) {
          offerPackage({ trans, commands: app.commands, api: client.api, cluster, module, again });
        }
      },
    });
  }
}
