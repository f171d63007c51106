/**
 * What others (a kernel, a terminal) change in folders that were looked at. No message comes from there, so the newest
 * of those folders are listed again now and then.
 */
import type { FileEntry } from '@hitch/contract';

export interface Change {
  readonly kind: 'created' | 'changed' | 'deleted';
  /** A path in the work folder. */
  readonly path: string;
}

type Listing = readonly Pick<FileEntry, 'path' | 'kind' | 'sizeBytes' | 'modifiedAtMs'>[];

export function changesBetween(before: Listing, after: Listing): Change[] {
  const old = new Map(before.map(entry => [entry.path, entry]));
  const now = new Set(after.map(({ path }) => path));
  return [
    ...before.filter(({ path }) => !now.has(path)).map(({ path }) => ({ kind: 'deleted' as const, path })),
    ...after.flatMap((entry): Change[] => {
      const was = old.get(entry.path);
      if (was === undefined) {
        return [{ kind: 'created', path: entry.path }];
      }
      const same =
        was.kind === entry.kind &&
        (entry.kind === 'folder' ||
          (was.sizeBytes === entry.sizeBytes && was.modifiedAtMs === entry.modifiedAtMs));
      return same ? [] : [{ kind: 'changed', path: entry.path }];
    }),
  ];
}

const MOST_FOLDERS = 24;

/** The folders of one cluster that were looked at last, as they were then. */
export class SeenFolders {
  readonly #seen = new Map<string, Listing>();

  /** @returns what is different from the last time. */
  note(path: string, entries: Listing): Change[] {
    const before = this.#seen.get(path);
    this.#seen.delete(path);
    this.#seen.set(path, entries);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= MOST_FOLDERS) {
        break;
      }
      this.#seen.delete(oldest);
    }
    return before === undefined ? [] : changesBetween(before, entries);
  }

  forget(path: string): void {
    this.#seen.delete(path);
  }

  get paths(): readonly string[] {
    return [...this.#seen.keys()];
  }
}
