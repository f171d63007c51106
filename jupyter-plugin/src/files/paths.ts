/** Paths as JupyterLab and a cluster's work folder both write them: relative, with forward slashes. */
export const joinPath = (...parts: readonly string[]): string => parts.filter(part => part !== '').join('/');

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** `llm-dev:data/x.csv` in JupyterLab, from the cluster's name and its own path. */
export const drivePath = (drive: string, path: string): string => `${drive}:${path}`;

/** The drive a path of JupyterLab names, when it is one of `drives`, and the path on it. */
export function splitDrive(
  path: string,
  isDrive: (name: string) => boolean,
): { readonly drive: string; readonly path: string } | null {
  const colon = path.indexOf(':');
  const drive = path.slice(0, Math.max(0, colon));
  return colon < 1 || drive.includes('/') || !isDrive(drive)
    ? null
    : { drive, path: path.slice(colon + 1).replace(/^\/+/, '') };
}

/** The path with `.` and `..` gone; null where it leads out of its root, or is no relative path at all. */
export function tidy(path: string): string | null {
  const names: string[] = [];
  if (path.startsWith('/') || /^[a-z]:[\\/]/i.test(path)) {
    return null;
  }
  for (const name of path.split('/')) {
    if (name === '..' && names.pop() === undefined) {
      return null;
    }
    if (name !== '' && name !== '.' && name !== '..') {
      names.push(name);
    }
  }
  return names.length === 0 ? null : names.join('/');
}

/** `x-1.csv`, `x-2.csv`: the first name beside `name` that is not taken; the name itself where it is free. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const dot = name.lastIndexOf('.');
  const stemEnd = dot > 0 ? dot : name.length;
  let candidate = name;
  for (let number = 1; taken.has(candidate); number++) {
    candidate = `${name.slice(0, stemEnd)}-${number}${name.slice(stemEnd)}`;
  }
  return candidate;
}
