/** Opening what is a file, and nothing else: a pipe (FIFO) would be waited for, a device need not end. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { encodePath } from './names.ts';

/** Thrown for a pipe, a device, a socket. Its code is that of the system for the same. */
class NoRegularFile extends Error {
  override readonly name = 'NoRegularFile';
  readonly code = 'ENXIO';
}

/** Opens a regular file for reading, links followed. @throws Error with the system's code, `ENXIO` for anything else. */
export async function openRegular(path: string): Promise<FileHandle> {
  // A folder opens too; without the flag a pipe that nobody writes to would hold one of few threads for ever.
  const file = await open(encodePath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if ((await file.stat()).isFile()) {
      return file;
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  throw new NoRegularFile('not a regular file');
}
