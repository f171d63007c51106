/** JupyterLab's own file dialog, for what is sent with a new cluster. */
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';

export async function chooseFiles(manager: IDocumentManager, trans: TranslationBundle): Promise<string[]> {
  const { value } = await FileDialog.getOpenFiles({
    manager,
    title: trans.__('Files and folders to send'),
  });
  return (value ?? []).map(({ path }) => path).filter(path => path !== '');
}
