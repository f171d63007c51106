/** Paths of the work folder, and nothing else: what a caller names, as a real path that is certainly inside. */
import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { cutText, HitchError, workPathSchema } from '@hitch/contract';

/** Names that Windows gives to devices in every folder, with or without an extension. */
const WINDOWS_DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?$/i;

/**
 * Checks a path as text and splits it into names; '' and '.' are the work folder itself.
 * @throws HitchError BAD_INPUT naming what is wrong with it.
 */
export function pathNames(path: string, platform: NodeJS.Platform = process.platform): string[] {
  const parsed = workPathSchema.safeParse(path);
  if (!parsed.success) {
    throw refused(path, parsed.error.issues[0]?.message ?? 'is not valid');
  }
  const names = path.split('/').filter(name => name !== '' && name !== '.');
  for (const name of names) {
    if (Buffer.byteLength(name) > 255) {
      throw refused(path, 'has a name longer than 255 bytes');
    }
    if (platform === 'win32' && (/[<>:"|?*\\\x01-\x1f]|[. ]$/.test(name) || WINDOWS_DEVICES.test(name))) {
      throw refused(path, `holds the name ${name}, which Windows does not allow`);
    }
  }
  return names;
}

/** A file or folder that may or may not exist, inside the work folder with every link on the way to it followed. */
export interface Confined {
  /** As callers write it, without '.', '//' and the like. */
  readonly path: string;
  /** Absolute; its parent is real, its last name may be a link. */
  readonly entry: string;
}

export class WorkFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Where the entry itself is: a link is not followed, so that removing one removes the link.
   * @throws HitchError NOT_FOUND when its folder does not exist, BAD_INPUT when that lies outside.
   */
  async entry(path: string): Promise<Confined> {
    const names = pathNames(path);
    const root = await realpath(this.#root);
    const clean = names.join('/');
    if (names.length === 0) {
      return { path: '', entry: root };
    }
    const parent = await this.#real(join(root, ...names.slice(0, -1)), path, root);
    return { path: clean, entry: join(parent, names.at(-1) ?? '') };
  }

  /** Where the entry's content is, links followed; for reading. @throws as {@link entry}, and when it does not exist. */
  async target(path: string): Promise<Confined> {
    const { path: clean, entry } = await this.entry(path);
    return { path: clean, entry: await this.#real(entry, path, await realpath(this.#root)) };
  }

  /** As {@link target} for what need not exist yet; a link there leads nowhere outside. For writing. */
  async writable(path: string): Promise<Confined> {
    try {
      return await this.target(path);
    } catch (error) {
      const missing = error instanceof HitchError && error.code === 'NOT_FOUND';
      if (!missing) {
        throw error;
      }
      return this.entry(path);
    }
  }

  async #real(absolute: string, path: string, root: string): Promise<string> {
    let real: string;
    try {
      real = await realpath(absolute);
    } catch (error) {
      throw fileError(error, path);
    }
    if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw refused(path, 'leads out of the work folder');
    }
    return real;
  }
}

const refused = (path: string, why: string): HitchError =>
  new HitchError('BAD_INPUT', `The path ${JSON.stringify(cutText(path, 200))} ${why}.`, { field: 'path' });

const SENTENCES: Readonly<
  Record<string, readonly ['NOT_FOUND' | 'CONFLICT' | 'STORAGE_FULL' | 'BAD_INPUT', string]>
> = {
  ENOENT: ['NOT_FOUND', 'does not exist'],
  ENOTDIR: ['CONFLICT', 'is not a folder, or lies under a file'],
  EISDIR: ['CONFLICT', 'is a folder'],
  ENXIO: [
    'CONFLICT',
    'is not a file, but a folder, a pipe or a device: it has no content that could be read',
  ],
  EEXIST: ['CONFLICT', 'exists already'],
  ENOTEMPTY: ['CONFLICT', 'is not empty'],
  ELOOP: ['BAD_INPUT', 'is a link that leads to itself'],
  ENAMETOOLONG: ['BAD_INPUT', 'is too long for this file system'],
  EACCES: ['CONFLICT', 'may not be touched: permission is denied'],
  EPERM: ['CONFLICT', 'may not be touched: permission is denied'],
  EBUSY: ['CONFLICT', 'is in use'],
  EINVAL: ['BAD_INPUT', 'cannot be used that way'],
  ENOSPC: ['STORAGE_FULL', 'cannot be written: the disk is full'],
  EDQUOT: ['STORAGE_FULL', 'cannot be written: the disk quota is used up'],
  EROFS: ['STORAGE_FULL', 'cannot be written: the file system is read-only'],
};

/** A file-system error as a sentence about the path that the caller named; anything else passes through. */
export function fileError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = SENTENCES[code];
  if (known === undefined) {
    return error;
  }
  const [kind, words] = known;
  return new HitchError(kind, `${path === '' ? 'The work folder' : path} ${words}.`, {
    field: 'path',
    ...(kind === 'STORAGE_FULL' ? { next: 'Free some space in the work folder.' } : {}),
    cause: error,
  });
}

/** Runs a file operation, turning its error into a sentence about `path`. */
export async function onFile<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw fileError(error, path);
  }
}
