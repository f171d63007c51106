/** Reading what is to be copied from a disk: a manifest, small files in one stream, large ones from any place. */
import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { cutText } from '@hitch/contract/src/said.ts';
import { breath, open, type OpenedFile, realpath } from './disk-now.ts';
import { codeOf, isMissing, isPassing, reasonOf, timeOf } from './disk-calls.ts';
import { type Entry, type Listed, pathOf, SMALL_BYTES, type WalkRules } from './entry.ts';
import { decodeName, encodePath, escapedBytes, plainPath } from './names.ts';
import { addEntry, fileName, type Miss, missName, packed } from './packed.ts';
import type { OpenFile, Source } from './sides.ts';
import { walk } from './walk.ts';

const PIECE_BYTES = 256 * 1024;
/** After so much of a checksum others have their turn. */
const BREATH_BYTES = 16 * 1024 * 1024;
/**
 * A pipe that stands where a file was must not make anybody wait for its writer. Windows has neither flag; what is missing
 * counts as 0.
 */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;
const NO_LINK = constants.O_NOFOLLOW;

/** @param confinedTo a real folder that nothing may be read outside of, however it is named; null: anything. */
export class DiskSource implements Source {
  readonly #confinedTo: string | null;

  constructor(confinedTo: string | null) {
    this.#confinedTo = confinedTo;
  }

  async *list(
    roots: readonly string[],
    rules: WalkRules,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Listed[]> {
    const places = [];
    for (const root of roots) {
      const absolute = this.#absolute(root);
      const inside = await this.#leadsInside(absolute);
      await this.#checkFolder(absolute, new Map());
      places.push({ absolute, follow: inside });
    }
    yield* walk(places, rules, signal);
  }

  read(roots: readonly string[], entries: readonly Entry[], signal: AbortSignal): AsyncIterable<Uint8Array> {
    return packed(async to => {
      const checked = new Map<string, Promise<void>>();
      for (const [index, entry] of entries.entries()) {
        signal.throwIfAborted();
        if (entry.kind === 'file') {
          const { name, content } = await this.#small(roots, entry, index, checked);
          await addEntry(to, name, content);
        }
      }
    });
  }

  async open(roots: readonly string[], entry: Entry, offset: number, signal: AbortSignal): Promise<OpenFile> {
    const file = await this.#open(roots, entry, new Map()).catch((error: unknown) => {
      throw openError(error, plainPath(pathOf(roots, entry)));
    });
    try {
      const before = await file.stat();
      if (!before.isFile()) {
        throw new HitchError('CONFLICT', `${plainPath(pathOf(roots, entry))} is not a file any more.`);
      }
      let changed = false;
      const { size } = before;
      const bytes = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = offset; at < size;) {
          signal.throwIfAborted();
          const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at));
          const { bytesRead } = await file.read(piece, 0, piece.length, at);
          if (bytesRead === 0) {
            changed = true;
            return;
          }
          at += bytesRead;
          yield piece.subarray(0, bytesRead);
        }
        const after = await file.stat();
        changed = after.size !== size || after.mtimeMs !== before.mtimeMs;
      };
      return {
        sizeBytes: size,
        modifiedAtMs: timeOf(before),
        mode: before.mode & 0o777,
        bytes: bytes(),
        changed: () => changed,
        close: () => file.close(),
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async hash(
    roots: readonly string[],
    entries: readonly Entry[],
    upTo: readonly number[],
    signal: AbortSignal,
  ): Promise<(string | null)[]> {
    const hashes: (string | null)[] = [];
    for (const [index, entry] of entries.entries()) {
      const file = await this.#open(roots, entry, new Map()).catch(() => null);
      hashes.push(file === null ? null : await hashOf(file, upTo[index] ?? entry.sizeBytes, signal));
    }
    return hashes;
  }

  /** A root that a person names by its plain path may have bytes that are no UTF-8. */
  #absolute(path: string): string {
    const absolute = this.#confinedTo === null ? path : join(this.#confinedTo, path);
    return path.includes('%') && !existsSync(encodePath(absolute)) ? escapedBytes(absolute) : absolute;
  }

  async #leadsInside(absolute: string): Promise<boolean> {
    if (this.#confinedTo === null) {
      return true;
    }
    const real = await realpath(encodePath(absolute), 'buffer').then(decodeName, () => null);
    return real !== null && isInside(this.#confinedTo, real);
  }

  /** @throws HitchError when the folder of what is named lies elsewhere, through a link for example. */
  #checkFolder(absolute: string, checked: Map<string, Promise<void>>): Promise<void> {
    const confinedTo = this.#confinedTo;
    const folder = dirname(absolute);
    if (confinedTo === null || absolute === confinedTo) {
      return Promise.resolve();
    }
    const known = checked.get(folder);
    if (known !== undefined) {
      return known;
    }
    const check = realpath(encodePath(folder), 'buffer').then(
      real => {
        if (!isInside(confinedTo, decodeName(real))) {
          throw new HitchError(
            'BAD_INPUT',
            `The path ${JSON.stringify(cutText(plainPath(relative(confinedTo, absolute)), 200))} leads out of the work folder.`,
            { field: 'path' },
          );
        }
      },
      (error: unknown) => {
        if (!isMissing(error)) {
          throw error;
        }
      },
    );
    checked.set(folder, check);
    return check;
  }

  async #open(
    roots: readonly string[],
    entry: Entry,
    checked: Map<string, Promise<void>>,
  ): Promise<OpenedFile> {
    // Only a root is named by a person: below it a name is taken as it was listed.
    const root = this.#absolute(pathOf(roots, { root: entry.root, path: '' }));
    const absolute = pathOf([root], { root: 0, path: entry.path });
    await this.#checkFolder(absolute, checked);
    // The root itself may be a link that leads inside; below it nothing is read through one here.
    const throughLink =
      this.#confinedTo === null || (entry.path === '' && (await this.#leadsInside(absolute)));
    return open(encodePath(absolute), throughLink ? READ : READ | NO_LINK);
  }

  async #small(
    roots: readonly string[],
    entry: Entry,
    index: number,
    checked: Map<string, Promise<void>>,
  ): Promise<SmallFile> {
    const miss = (word: Miss, detail = ''): SmallFile => ({
      name: missName({ index, miss: word, detail }),
      content: NOTHING,
    });
    try {
      const file = await this.#open(roots, entry, checked);
      try {
        const before = await file.stat();
        if (!before.isFile()) {
          return miss('leftOut', 'not a file any more');
        }
        if (before.size > SMALL_BYTES) {
          return miss('grown');
        }
        const content = await readUpTo(file, before.size);
        const after = await file.stat();
        const changed =
          content.length < before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs;
        const modifiedAtMs = timeOf(before);
        return { name: fileName({ index, modifiedAtMs, mode: before.mode & 0o777, changed }), content };
      } finally {
        await file.close();
      }
    } catch (error) {
      if (codeOf(error) === 'ELOOP') {
        return miss('leftOut', 'a link now');
      }
      if (error instanceof HitchError) {
        return miss('leftOut', 'leads elsewhere now');
      }
      if (isPassing(error)) {
        throw new HitchError(
          'UNREACHABLE',
          `The system cannot open files at the moment (${codeOf(error)}).`,
          {
            cause: error,
          },
        );
      }
      return isMissing(error) ? miss('gone') : miss('unreadable', reasonOf(error));
    }
  }
}

/** What a large file's opening fails with: gone and refused are the file's, all else is ours. */
function openError(error: unknown, path: string): unknown {
  if (error instanceof HitchError || codeOf(error) === '') {
    return error;
  }
  return isMissing(error)
    ? new HitchError('NOT_FOUND', `${path} does not exist.`, { cause: error })
    : new HitchError('CONFLICT', `${path} cannot be read: ${reasonOf(error)}.`, { cause: error });
}

interface SmallFile {
  readonly name: string;
  readonly content: Buffer;
}

const NOTHING = Buffer.alloc(0);

const isInside = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** As many bytes as there are, up to `length`. */
async function readUpTo(file: OpenedFile, length: number): Promise<Buffer> {
  const content = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(content, at, length - at, at);
    if (bytesRead === 0) {
      break;
    }
    at += bytesRead;
  }
  return content.subarray(0, at);
}

/** SHA-256 of the first `length` bytes; null when there are fewer. Closes the file. */
export async function hashOf(file: OpenedFile, length: number, signal: AbortSignal): Promise<string | null> {
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = 0; at < length;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, length - at), at);
      if (bytesRead === 0) {
        return null;
      }
      hash.update(piece.subarray(0, bytesRead));
      at += bytesRead;
      if (at % BREATH_BYTES < bytesRead) {
        await breath();
      }
    }
    return hash.digest('hex');
  } catch (error) {
    signal.throwIfAborted();
    if (codeOf(error) === '') {
      throw error;
    }
    // It cannot be read, or is a folder by now.
    return null;
  } finally {
    await file.close();
  }
}
