/**
 * Whose session it is. A notebook finds its session by its path, and another JupyterLab or VS Code may use the same
 * cluster for another `Untitled.ipynb`; so sessions carry, in their name, a mark of the folder they belong to.
 */
const MARK = ' ⟨hitch:';
const END = '⟩';

export function withScope(name: string, scope: string): string {
  return `${readScope(name).name}${MARK}${scope}${END}`;
}

export function readScope(marked: string): { name: string; scope: string | null } {
  const at = marked.lastIndexOf(MARK);
  return at >= 0 && marked.endsWith(END)
    ? { name: marked.slice(0, at), scope: marked.slice(at + MARK.length, -END.length) }
    : { name: marked, scope: null };
}

/** Stands after the scope of a document that lies on the cluster itself. */
const THERE = '@';

/** Whether a session with this name is somebody else's. */
export function hidesScope(marked: string, scope: string): boolean {
  const { scope: found } = readScope(marked);
  return found !== scope && found !== `${scope}${THERE}`;
}

export interface Document {
  readonly path: string;
  readonly name: string;
}

/**
 * How a cluster's server is to know a document. JupyterLab puts the name of a drive before a path; there, the kernel
 * would not find the document's folder by it.
 */
export function asKeptThere({ path, name }: Document, cluster: string, scope: string): Document {
  const drive = `${cluster}:`;
  return path.startsWith(drive)
    ? { path: path.slice(drive.length).replace(/^\/+/, ''), name: withScope(name, `${scope}${THERE}`) }
    : { path, name: withScope(name, scope) };
}

export function asSeenHere({ path, name: marked }: Document, cluster: string): Document {
  const { name, scope } = readScope(marked);
  return { name, path: scope?.endsWith(THERE) === true ? `${cluster}:${path}` : path };
}

/** A short name for a folder; FNV-1a is enough to tell a few apart. */
export function scopeOf(folder: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(folder)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(36);
}
