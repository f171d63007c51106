/** Deleting files of a cluster. JupyterLab's own question speaks of this computer's trash, which they never see. */
import { shownName } from '@hitch/contract';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import { sentenceOf } from '../actions/report.ts';
import { Dialog, showProblem, showQuestion } from '../ui/dialogs.ts';
import type { ClusterDrive } from './drive.ts';

export async function deleteSelected(
  browser: FileBrowser,
  { name }: Pick<ClusterDrive, 'name'>,
  trans: TranslationBundle,
): Promise<void> {
  const items = [...browser.selectedItems()];
  if (items.length === 0) {
    return;
  }
  const { button } = await showQuestion({
    title: trans.__('Delete from %1?', name),
    body: trans._n(
      '“%2” is deleted permanently.',
      '%1 items, such as “%2”, are deleted permanently.',
      items.length,
      shownName(items[0]?.name ?? ''),
    ),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
    defaultButton: 0,
  });
  if (!button.accept || browser.isDisposed) {
    return;
  }
  for (const { path } of items) {
    try {
      await browser.model.manager.deleteFile(path);
    } catch (error) {
      await showProblem(trans.__('Not deleted from %1', name), sentenceOf(error));
      return;
    }
  }
}
