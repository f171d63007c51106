/** Where what a failed cell missed would lie, here and there. Pure. */
import { joinPath, tidy } from './paths.ts';

/** Where a kernel looks for its files: absolute folders, as it says itself. */
export interface KernelPlace {
  readonly cwd: string;
  readonly workFolder: string;
}

export interface Places {
  /** In JupyterLab's files. */
  readonly local: string;
  /** In the cluster's work folder. */
  readonly remote: string;
}

/**
 * Where a missed file would lie here, beside the notebook as it lay when the notebook ran here, and where the cell
 * looked for it there. Null: it is not to be had here, or could not be put there.
 */
export function placesOf(missed: string, notebookFolder: string, place: KernelPlace): Places | null {
  const cwd = below(place.cwd, place.workFolder);
  const relative = missed.startsWith('/') ? below(missed, place.cwd) : missed;
  if (cwd === null || relative === null) {
    return null;
  }
  const local = tidy(joinPath(notebookFolder, relative));
  const remote = tidy(joinPath(cwd, relative));
  return local === null || remote === null ? null : { local, remote };
}

/** The rest of an absolute path below a folder; null when it is not in there. */
function below(path: string, folder: string): string | null {
  const root = folder.replace(/\/+$/, '');
  return path === root ? '' : path.startsWith(`${root}/`) ? path.slice(root.length + 1) : null;
}

/** An expression, for a kernel, whose text is its {@link KernelPlace} in JSON. */
export const PLACE_EXPRESSION =
  "__import__('json').dumps([__import__('os').path.realpath(p) for p in (__import__('os').getcwd(), __import__('os').environ.get('HITCH_WORK_FOLDER', ''))])";

/** Reads the answer to {@link PLACE_EXPRESSION}: Python's text of a string that holds JSON. */
export function parsePlace(text: string): KernelPlace | null {
  try {
    const parsed: unknown = JSON.parse(text.replace(/^['"]|['"]$/g, '').replace(/\\\\/g, '\\'));
    const [cwd, workFolder] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
    return typeof cwd === 'string' && typeof workFolder === 'string' ? { cwd, workFolder } : null;
  } catch {
    return null;
  }
}
