/** JupyterLab's own dialog, for a folder that templates lie in. */
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import { localPathOf } from '../files/local-files.ts';

/** Below the server's root; null: none was chosen, or it is not of this server. */
export async function chooseFolder(
  manager: IDocumentManager,
  trans: TranslationBundle,
): Promise<string | null> {
  const { value } = await FileDialog.getExistingDirectory({
    manager,
    title: trans.__('A template’s folder, or one that templates lie in'),
  });
  const [chosen] = value ?? [];
  const path = chosen === undefined ? null : localPathOf(manager.services.contents, chosen.path);
  return path === null ? null : path === '' ? '.' : path;
}
