/**
 * The calls of `node:fs/promises` that copies make, done at once: a trip through Node's thread pool costs more than such a
 * call takes, and this runs in a thread where nobody else waits (see thread/).
 */
import * as fs from 'node:fs';
import type { Stats } from 'node:fs';

type Path = string | Buffer;

/** What fails, fails by its promise, as a call of `node:fs/promises` does. */
const now = async <T>(run: () => T): Promise<T> => run();

/** Lets others have their turn: without it a long file would hold up whatever else its thread is asked, an end to it as well. */
export const breath = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** As much of a `FileHandle` as is used here. */
export class OpenedFile {
  readonly #fd: number;
  #isOpen = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  stat(): Promise<Stats> {
    return now(() => fs.fstatSync(this.#fd));
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    return now(() => ({ bytesRead: fs.readSync(this.#fd, buffer, offset, length, position) }));
  }

  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }> {
    return now(() => ({ bytesWritten: fs.writeSync(this.#fd, buffer, offset, length, position) }));
  }

  chmod(mode: number): Promise<void> {
    return now(() => fs.fchmodSync(this.#fd, mode));
  }

  utimes(atime: number, mtime: number): Promise<void> {
    return now(() => fs.futimesSync(this.#fd, atime, mtime));
  }

  truncate(length: number): Promise<void> {
    return now(() => fs.ftruncateSync(this.#fd, length));
  }

  sync(): Promise<void> {
    return now(() => fs.fsyncSync(this.#fd));
  }

  close(): Promise<void> {
    return now(() => {
      if (this.#isOpen) {
        this.#isOpen = false;
        fs.closeSync(this.#fd);
      }
    });
  }
}

export const open = (path: Path, flags: number, mode?: number): Promise<OpenedFile> =>
  now(() => new OpenedFile(fs.openSync(path, flags, mode)));
export const lstat = (path: Path): Promise<Stats> => now(() => fs.lstatSync(path));
/** Null where nothing is: an error for each new file would cost more than all the looking. */
export const lstatOrNone = (path: Path): Promise<Stats | null> =>
  now(() => fs.lstatSync(path, { throwIfNoEntry: false }) ?? null);
/** What is found is so until the next `await`: nothing else of ours comes between. */
export const lstatAtOnce = (path: Path): Stats | null =>
  fs.lstatSync(path, { throwIfNoEntry: false }) ?? null;
export const renameAtOnce = (from: Path, to: Path): void => fs.renameSync(from, to);
export const stat = (path: Path): Promise<Stats> => now(() => fs.statSync(path));
export const statfs = (path: Path): Promise<fs.StatsFs> => now(() => fs.statfsSync(path));
export const chmod = (path: Path, mode: number): Promise<void> => now(() => fs.chmodSync(path, mode));
export const utimes = (path: Path, atime: number, mtime: number): Promise<void> =>
  now(() => fs.utimesSync(path, atime, mtime));
export const lutimes = (path: Path, atime: number, mtime: number): Promise<void> =>
  now(() => fs.lutimesSync(path, atime, mtime));
export const link = (from: Path, to: Path): Promise<void> => now(() => fs.linkSync(from, to));
export const symlink = (target: Path, path: Path): Promise<void> => now(() => fs.symlinkSync(target, path));
export const rename = (from: Path, to: Path): Promise<void> => now(() => fs.renameSync(from, to));
/** Removes a file or a link; where there is none, that is fine. */
export const rm = (path: Path, _options: { force: true }): Promise<void> =>
  now(() => {
    try {
      fs.unlinkSync(path);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
        throw error;
      }
    }
  });
export const mkdir = (path: Path, options?: { recursive: true }): Promise<unknown> =>
  now(() => fs.mkdirSync(path, options));
export const readFile = (path: Path): Promise<Buffer> => now(() => fs.readFileSync(path));
export const readdir = (path: Path): Promise<string[]> => now(() => fs.readdirSync(path));
export const copyFile = (from: Path, to: Path, mode?: number): Promise<void> =>
  now(() => fs.copyFileSync(from, to, mode));
/** Links as the bytes they are. */
export const readlink = (path: Path, _encoding: 'buffer'): Promise<Buffer> =>
  now(() => fs.readlinkSync(path, 'buffer'));
export function realpath(path: Path): Promise<string>;
export function realpath(path: Path, encoding: 'buffer'): Promise<Buffer>;
export function realpath(path: Path, encoding?: 'buffer'): Promise<string | Buffer> {
  return now(() =>
    encoding === undefined ? fs.realpathSync.native(path) : fs.realpathSync.native(path, encoding),
  );
}
