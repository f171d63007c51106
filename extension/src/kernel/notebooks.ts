/** Which notebooks hang on a cluster, in words for the question before a stop. */
import type { Kernel } from '@hitch/contract';

/** VS Code's Jupyter names a session `train-jvsc-<uuid>.ipynb` or `train.ipynb-jvsc-<uuid>`; a person knows `train.ipynb`. */
export function notebookName(path: string): string {
  const name = path.split(/[\\/]/).at(-1) ?? path;
  const plain = name.replace(/-jvsc-[0-9a-f-]{32,}/i, '');
  return plain.replace(/\.ipynb\.ipynb$/, '.ipynb');
}

/** Where a notebook hangs after Run on…; @param isSame it hung there before. */
export function runsOn(path: string, cluster: string, isSame: boolean): string {
  const name = notebookName(path);
  return isSame
    ? `${name} already runs on ${cluster}.`
    : `${name} now runs on ${cluster}. Variables are lost: the new kernel starts empty, so run the cells again.`;
}

/** A sentence, or null when nothing hangs on it. */
export function stopWarning(kernels: readonly Kernel[], openNotebooks: readonly string[]): string | null {
  const busy = kernels.filter(({ state }) => state === 'busy');
  const names = [
    ...new Set([
      ...openNotebooks,
      ...kernels.flatMap(({ path }) => (path === null || path === '' ? [] : [notebookName(path)])),
    ]),
  ];
  if (names.length === 0 && kernels.length === 0) {
    return null;
  }
  const who =
    names.length === 0
      ? `${kernels.length} ${kernels.length === 1 ? 'kernel runs' : 'kernels run'} on it`
      : `${listed(names)} ${names.length === 1 ? 'runs' : 'run'} on it`;
  const what =
    busy.length === 0
      ? ''
      : `, ${busy.length === 1 ? 'one is' : `${busy.length} are`} busy and will be interrupted`;
  return `${who}${what}: variables are lost, and open notebooks need another kernel afterwards.`;
}

const SHOWN = 4;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN);
  const more = names.length - shown.length;
  const all = more > 0 ? [...shown, `${more} more`] : shown;
  return all.length === 1 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
}
