/** The manifest while its copy goes on: on the disk, because it may have a million entries. */
import { mkdir, open, type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { storageProblem } from './writing.ts';
import { entrySchema, standingSchema } from './entry.ts';

const spooledSchema = z.object({ entry: entrySchema, standing: standingSchema });
export type Spooled = z.infer<typeof spooledSchema>;

/** Written at once. */
const PAGE_BYTES = 32 * 1024;
/** No honest tree has a manifest of that size; it would be some 30 million entries. */
const MOST_BYTES = 4 * 1024 ** 3;

export class Spool {
  readonly #path: string;
  readonly #file: FileHandle;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #bytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @param name of this copy alone. @throws HitchError STORAGE_FULL */
  static async create(folder: string, name: string): Promise<Spool> {
    const path = join(folder, `${name}.manifest`);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return new Spool(path, await open(path, 'w+', 0o600));
    } catch (error) {
      throw storageProblem(error, path);
    }
  }

  async add(entries: readonly Spooled[]): Promise<void> {
    for (const each of entries) {
      const line = `${JSON.stringify(each)}\n`;
      this.#waiting.push(line);
      this.#waitingBytes += line.length;
    }
    if (this.#waitingBytes >= PAGE_BYTES) {
      await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const page = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#bytes += page.length;
    if (this.#bytes > MOST_BYTES) {
      throw new HitchError(
        'TOO_LARGE',
        'The list of files to copy is larger than 4 GB; no folder has that many.',
        {
          next: 'Name the folders you need one by one.',
        },
      );
    }
    try {
      await this.#file.appendFile(page);
    } catch (error) {
      throw storageProblem(error, this.#path);
    }
  }

  /** Every entry, in the order they were added. */
  async *read(): AsyncGenerator<Spooled> {
    await this.#flush();
    let rest = '';
    const decoder = new TextDecoder();
    const page = Buffer.allocUnsafe(PAGE_BYTES);
    for (let at = 0; at < this.#bytes;) {
      const { bytesRead } = await this.#file.read(page, 0, page.length, at);
      if (bytesRead === 0) {
        return;
      }
      at += bytesRead;
      const lines = (rest + decoder.decode(page.subarray(0, bytesRead), { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        yield spooledSchema.parse(JSON.parse(line));
      }
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }
}
