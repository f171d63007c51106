/** A file that somebody else writes on, read from a place. A job names its files: a pipe or a device under such a name holds nobody up. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Windows has no such flag, and no pipes among its files. */
const READ_NOW = constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK);

export interface ReadPart {
  readonly data: Buffer;
  /** Of the whole file, by now. */
  readonly size: number;
}

/** @returns null where there is no such plain file. */
export async function readFrom(path: string, from: number, most: number): Promise<ReadPart | null> {
  // Without waiting: opening a pipe waits for its other end.
  const file = await open(path, READ_NOW).catch(() => null);
  if (file === null) {
    return null;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) {
      return null;
    }
    const data = Buffer.alloc(Math.max(0, Math.min(most, stat.size - from)));
    let read = 0;
    while (read < data.length) {
      const { bytesRead } = await file.read(data, read, data.length - read, from + read);
      if (bytesRead === 0) {
        break;
      }
      read += bytesRead;
    }
    return { data: data.subarray(0, read), size: stat.size };
  } catch {
    return null;
  } finally {
    await file.close();
  }
}
