/** Files of the work folder: list, look, make, move, remove. */
import { constants } from 'node:fs';
import { access, lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HitchError, MOST_LISTED, type FileEntry } from '@hitch/contract';
import { decodeName, encodePath, plainPath } from '@hitch/transfer';
import { onFile, pathNames, type WorkFolder } from './confine.ts';
import { sha256OfFile } from './checksum.ts';

const AT_ONCE = 64;

export class Files {
  readonly #work: WorkFolder;

  constructor(work: WorkFolder) {
    this.#work = work;
  }

  /**
   * Folders first, then by name, {@link MOST_LISTED} at most. Bytes of a name that are no UTF-8 are written as `%XX`: such
   * a thing is seen and counted, and copied by that name, but not opened by it.
   */
  async list(path: string): Promise<FileEntry[]> {
    const folder = await this.#work.target(path);
    const names = await onFile(folder.path, () => readdir(folder.entry, { encoding: 'buffer' }));
    const paths = names.slice(0, MOST_LISTED).map(bytes => {
      const name = decodeName(bytes);
      return { name, path: plainPath(folder.path === '' ? name : `${folder.path}/${name}`) };
    });
    const entries: FileEntry[] = [];
    for (let from = 0; from < paths.length; from += AT_ONCE) {
      const some = paths.slice(from, from + AT_ONCE);
      const found = await Promise.all(
        some.map(child => describe(join(folder.entry, child.name), child.path)),
      );
      entries.push(...found.filter(entry => entry !== null));
    }
    return entries.sort(
      (one, other) =>
        Number(other.kind === 'folder') - Number(one.kind === 'folder') || compare(one.name, other.name),
    );
  }

  async stat(path: string): Promise<FileEntry> {
    const { path: clean, entry } = await this.#work.target(path);
    return this.#described(entry, clean);
  }

  /** Makes the folder and those above it; one that is there already is fine. */
  async makeFolder(path: string): Promise<FileEntry> {
    const names = pathNames(path);
    let made = await this.#work.target('');
    // One level at a time: each is checked with its links followed before the next is made in it.
    for (let depth = 1; depth <= names.length; depth++) {
      const next = await this.#work.writable(names.slice(0, depth).join('/'));
      await onFile(next.path, async () => {
        await mkdir(next.entry).catch(async (error: unknown) => {
          if (!(await isFolder(next.entry))) {
            throw error;
          }
        });
      });
      made = next;
    }
    return this.stat(made.path);
  }

  /** Never over something that exists. */
  async move(from: string, to: string): Promise<FileEntry> {
    const source = await this.#work.entry(from);
    const target = await this.#work.entry(to);
    if (source.path === '' || target.path === '') {
      throw new HitchError('BAD_INPUT', 'The work folder itself cannot be moved.', { field: 'from' });
    }
    if (`${target.path}/`.startsWith(`${source.path}/`) && target.path !== source.path) {
      throw new HitchError('BAD_INPUT', `${source.path} cannot be moved into itself.`, { field: 'to' });
    }
    await onFile(source.path, () => lstat(source.entry));
    if ((await lstat(target.entry).catch(() => null)) !== null) {
      throw new HitchError('CONFLICT', `${target.path} exists already.`, {
        field: 'to',
        next: 'Remove it first, or choose another name.',
      });
    }
    await onFile(source.path, () => rename(source.entry, target.entry));
    return this.#described(target.entry, target.path);
  }

  async remove(path: string, recursive: boolean): Promise<void> {
    const { path: clean, entry } = await this.#work.entry(path);
    if (clean === '') {
      throw new HitchError('BAD_INPUT', 'The work folder itself cannot be removed.', { field: 'path' });
    }
    const found = await onFile(clean, () => lstat(entry));
    if (found.isDirectory() && !recursive && (await readdir(entry)).length > 0) {
      throw new HitchError('CONFLICT', `${clean} is not empty.`, {
        field: 'recursive',
        next: 'Remove it with all it holds.',
      });
    }
    await onFile(clean, () => rm(entry, { recursive: found.isDirectory() }));
  }

  async checksum(path: string): Promise<{ path: string; sizeBytes: number; sha256: string }> {
    const { path: clean, entry } = await this.#work.target(path);
    const { sizeBytes, sha256 } = await onFile(clean, () => sha256OfFile(entry));
    return { path: clean, sizeBytes, sha256 };
  }

  async #described(entry: string, path: string): Promise<FileEntry> {
    const found = await describe(entry, path);
    if (found === null) {
      throw new HitchError('NOT_FOUND', `${path} does not exist.`, { field: 'path' });
    }
    return found;
  }
}

/** Links are described by what they lead to, a broken one as `other`; null: it went away meanwhile. */
async function describe(absolute: string, path: string): Promise<FileEntry | null> {
  const at = encodePath(absolute);
  const link = await lstat(at).catch(() => null);
  if (link === null) {
    return null;
  }
  const found = link.isSymbolicLink() ? await stat(at).catch(() => link) : link;
  return {
    path,
    name: path === '' ? '' : (path.split('/').at(-1) ?? ''),
    kind: found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other',
    sizeBytes: found.isFile() ? found.size : 0,
    modifiedAtMs: Math.floor(found.mtimeMs),
    writable: await canWrite(at),
  };
}

async function canWrite(absolute: string | Buffer): Promise<boolean> {
  try {
    await access(absolute, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function isFolder(absolute: string): Promise<boolean> {
  return (await stat(absolute).catch(() => null))?.isDirectory() ?? false;
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
