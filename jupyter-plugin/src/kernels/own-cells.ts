/**
 * Cells of clusters where the Jupyter server runs the cells of its own kernels (server-side execution): the page runs
 * them itself, as JupyterLab does where no extension has changed that.
 */
import type { INotebookCellExecutor } from '@jupyterlab/notebook';
import { isRemoteName } from './names.ts';

type Options = INotebookCellExecutor.IRunCellOptions;

/** The kernel that the cell's notebook has, or asks for while it has none. */
function kernelNameOf({ sessionContext }: Options): string | undefined {
  return sessionContext?.session?.kernel?.name ?? sessionContext?.kernelPreference.name;
}

/**
 * There is one executor for all notebooks, given once to JupyterLab, so the one that is there is changed and not
 * replaced: local kernels stay with it.
 * @returns false where it cannot be changed
 */
export function runOwnCells(
  executor: INotebookCellExecutor | null,
  inPage: INotebookCellExecutor['runCell'],
): boolean {
  if (executor === null || !Object.isExtensible(executor)) {
    return false;
  }
  const onServer = executor.runCell.bind(executor);
  executor.runCell = options => (isRemoteName(kernelNameOf(options)) ? inPage : onServer)(options);
  return true;
}
