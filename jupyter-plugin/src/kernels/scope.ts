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

/** Whether a session with this name is somebody else's. */
export const hidesScope = (marked: string, scope: string): boolean => readScope(marked).scope !== scope;

/** A short name for a folder; FNV-1a is enough to tell a few apart. */
export function scopeOf(folder: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(folder)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(36);
}
