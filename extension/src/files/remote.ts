/** The files of one cluster, as an editor's file system asks for them: every refusal has a kind and a sentence. */
import type { Cluster, FileEntry, HitchClient } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import * as format from '@hitch/contract/src/format.ts';
import { isLive } from '../daemon/state.ts';
import { sentence } from '../sentence.ts';
import { folderOf, joinPath, nameOf } from './places.ts';

export type FileProblem = 'missing' | 'exists' | 'is-folder' | 'not-folder' | 'refused' | 'away';

export class FileFailure extends Error {
  override readonly name = 'FileFailure';
  readonly problem: FileProblem;

  constructor(problem: FileProblem, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.problem = problem;
  }
}

/** An editor holds a file as a whole; what is larger is for fetching. */
export const MOST_BYTES = 64_000_000;

export type FilesWire = Pick<HitchClient, 'api' | 'raw' | 'upload'>;

/** @throws FileFailure for every failure but a caller's own abort. */
export class RemoteFiles {
  readonly #wire: FilesWire;
  readonly #cluster: Cluster;

  /** @param cluster the newest that is known; undefined: it is not in the list. */
  constructor(wire: FilesWire, cluster: Cluster | undefined) {
    if (cluster === undefined) {
      throw new FileFailure('away', 'This cluster is no longer in the list, and its files are deleted.');
    }
    if (!isLive(cluster)) {
      throw new FileFailure(
        'away',
        `${cluster.name} has stopped, and its files are deleted. Files that were saved are on this computer.`,
      );
    }
    this.#wire = wire;
    this.#cluster = cluster;
  }

  get #at() {
    return { clusterId: this.#cluster.id };
  }

  stat(path: string): Promise<FileEntry> {
    return told(() => this.#wire.api.files.stat({ ...this.#at, path }));
  }

  async #standing(path: string): Promise<FileEntry | null> {
    try {
      return await this.stat(path);
    } catch (error) {
      if (error instanceof FileFailure && error.problem === 'missing') {
        return null;
      }
      throw error;
    }
  }

  async list(path: string): Promise<readonly FileEntry[]> {
    try {
      return await told(() => this.#wire.api.files.list({ ...this.#at, path }));
    } catch (error) {
      if (error instanceof FileFailure && error.problem === 'refused' && (await this.#isFile(path))) {
        throw new FileFailure('not-folder', `${path} is a file.`, { cause: error });
      }
      throw error;
    }
  }

  async #isFile(path: string): Promise<boolean> {
    return (await this.#standing(path).catch(() => null))?.kind === 'file';
  }

  async read(path: string): Promise<Uint8Array> {
    const query = new URLSearchParams({ path }).toString();
    const answer = await told(() => this.#wire.raw(`/clusters/${this.#cluster.id}/raw-files?${query}`)).catch(
      async (error: unknown) => {
        throw (await this.#isFolder(path)) ? isFolder(path) : error;
      },
    );
    const sizeBytes = Number(answer.headers.get('content-length') ?? 0);
    if (sizeBytes > MOST_BYTES) {
      await answer.body?.cancel();
      throw tooLarge(path, format.bytes(sizeBytes));
    }
    return told(() => this.#bytesOf(answer, path));
  }

  /** Counted while they come: how many there are is only what a stranger's machine says. */
  async #bytesOf(answer: Response, path: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const part of answer.body ?? []) {
      sizeBytes += part.length;
      if (sizeBytes > MOST_BYTES) {
        throw tooLarge(path, `more than ${format.bytes(MOST_BYTES)}`);
      }
      parts.push(part);
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  async #isFolder(path: string): Promise<boolean> {
    return (await this.#standing(path).catch(() => null))?.kind === 'folder';
  }

  /** The file stands there whole or as it was. @returns whether it is a new one. */
  async write(
    path: string,
    content: Uint8Array,
    options: { readonly create: boolean; readonly overwrite: boolean },
  ): Promise<boolean> {
    const standing = await this.#standing(path);
    if (standing?.kind === 'folder') {
      throw isFolder(path);
    }
    if (standing === null && !options.create) {
      throw new FileFailure('missing', `${path} does not exist.`);
    }
    if (standing !== null && options.create && !options.overwrite) {
      throw exists(path);
    }
    const source = {
      sizeBytes: content.length,
      read: (offset: number, length: number) =>
        Promise.resolve(new Uint8Array(content.subarray(offset, offset + length))),
    };
    await told(() => this.#wire.upload(this.#cluster.id, path, source));
    return standing === null;
  }

  async makeFolder(path: string): Promise<void> {
    if ((await this.#standing(path)) !== null) {
      throw exists(path);
    }
    await told(() => this.#wire.api.files.makeFolder({ ...this.#at, path }));
  }

  async remove(path: string, recursive: boolean): Promise<void> {
    await told(() => this.#wire.api.files.remove({ ...this.#at, path, recursive }));
  }

  /** What stands in the way is put aside first and removed last: at no moment are both gone. */
  async move(from: string, to: string, overwrite: boolean): Promise<void> {
    const move = (source: string, target: string) =>
      told(() => this.#wire.api.files.move({ ...this.#at, from: source, to: target }));
    const standing = from === to ? null : await this.#standing(to);
    if (standing === null) {
      await move(from, to);
      return;
    }
    if (!overwrite) {
      throw exists(to);
    }
    // Before anything is put aside.
    await this.stat(from);
    const aside = joinPath(folderOf(to), `.${nameOf(to)}.hitch-replaced`);
    if ((await this.#standing(aside)) !== null) {
      // Left by an earlier move whose last step got no answer.
      await this.remove(aside, true);
    }
    await move(to, aside);
    try {
      await move(from, to);
    } catch (error) {
      await move(aside, to);
      throw error;
    }
    await this.remove(aside, true);
  }
}

const isFolder = (path: string): FileFailure => new FileFailure('is-folder', `${path} is a folder.`);
const tooLarge = (path: string, size: string): FileFailure =>
  new FileFailure(
    'away',
    `${nameOf(path)} has ${size}, and the editor opens at most ${format.bytes(MOST_BYTES)}. Fetch it to this computer instead.`,
  );
const exists = (path: string): FileFailure => new FileFailure('exists', `${path} already exists.`);

async function told<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof HitchError
      ? new FileFailure(problemOf(error), sentence(error), { cause: error })
      : error;
  }
}

function problemOf({ code }: HitchError): FileProblem {
  switch (code) {
    case 'NOT_FOUND':
      return 'missing';
    case 'CONFLICT':
    case 'BAD_INPUT':
      return 'refused';
    default:
      return 'away';
  }
}
