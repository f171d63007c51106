/** The files of this JupyterLab's own server, read in ranges and written in pieces, so that none is held in memory. */
import { HitchError, type UploadSource } from '@hitch/contract';
import { URLExt } from '@jupyterlab/coreutils';
import { type Contents, ServerConnection } from '@jupyterlab/services';
import { joinPath, nameOf } from './paths.ts';

export interface Entry {
  readonly path: string;
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number;
}

/** A file of this size or less is read once, though it is wanted twice: for its checksum and to be sent. */
const KEPT_BYTES = 8 * 1024 * 1024;
/** Jupyter's server takes JSON of half a gigabyte; the browser should not have to make one. */
const WRITE_BYTES = 4 * 1024 * 1024;

const toEntry = (model: Contents.IModel): Entry => ({
  path: model.path,
  name: model.name,
  kind: model.type === 'directory' ? 'folder' : 'file',
  sizeBytes: model.size ?? 0,
});

export interface LocalFilesOptions {
  readonly contents: Contents.IManager;
  readonly serverSettings: ServerConnection.ISettings;
}

export class LocalFiles {
  readonly #contents: Contents.IManager;
  readonly #settings: ServerConnection.ISettings;

  constructor({ contents, serverSettings }: LocalFilesOptions) {
    this.#contents = contents;
    this.#settings = serverSettings;
  }

  /** @throws HitchError NOT_FOUND */
  async list(folder: string): Promise<Entry[]> {
    const model = await this.#model(folder, { type: 'directory', content: '1' });
    if (model === null) {
      throw new HitchError('NOT_FOUND', `There is no folder ${folder} here.`);
    }
    return (model.content as Contents.IModel[]).map(toEntry);
  }

  /** Null where nothing is there. */
  async stat(path: string): Promise<Entry | null> {
    const model = await this.#model(path, { content: '0' });
    return model === null ? null : toEntry(model);
  }

  /** Not through the contents manager, which reports to the console what is expected here: that nothing is there. */
  async #model(path: string, query: Record<string, string>): Promise<Contents.IModel | null> {
    const url = URLExt.join(this.#settings.baseUrl, 'api/contents', URLExt.encodeParts(path));
    const asked = `${url}?${new URLSearchParams(query).toString()}`;
    const response = await ServerConnection.makeRequest(asked, {}, this.#settings);
    if (response.status === 404) {
      return null;
    }
    if (!response.ok) {
      throw await ServerConnection.ResponseError.create(response);
    }
    return (await response.json()) as Contents.IModel;
  }

  source({ path, sizeBytes }: Pick<Entry, 'path' | 'sizeBytes'>, signal?: AbortSignal): UploadSource {
    let kept: Uint8Array<ArrayBuffer> | null = null;
    let whole: Blob | null = null;
    const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
      if (length === 0) {
        return new Uint8Array();
      }
      if (whole === null) {
        const response = await this.#range(path, offset, length, signal);
        if (response.status === 206) {
          return new Uint8Array(await response.arrayBuffer());
        }
        // A contents manager without ranges sends it all: the browser keeps a large blob on its disk.
        whole = await response.blob();
      }
      return new Uint8Array(await whole.slice(offset, offset + length).arrayBuffer());
    };
    return {
      sizeBytes,
      read: async (offset, length) => {
        const piece = kept ?? (await read(offset, length));
        if (piece.length !== length) {
          throw new HitchError('CONFLICT', `${path} became shorter while it was sent.`, {
            next: 'Send it again once nothing writes to it.',
          });
        }
        if (sizeBytes <= KEPT_BYTES) {
          kept = piece;
        }
        return piece;
      },
    };
  }

  async #range(path: string, offset: number, length: number, signal?: AbortSignal): Promise<Response> {
    const url = URLExt.join(this.#settings.baseUrl, 'files', URLExt.encodeParts(path));
    const headers = { range: `bytes=${offset}-${offset + length - 1}` };
    const init = { headers, cache: 'no-store' as const, ...(signal === undefined ? {} : { signal }) };
    const response = await ServerConnection.makeRequest(url, init, this.#settings);
    if (!response.ok) {
      throw new HitchError('NOT_FOUND', `${path} cannot be read here (HTTP ${response.status}).`, {
        next: 'Look whether it still exists, and whether Jupyter may show it.',
      });
    }
    return response;
  }

  /**
   * Writes a file beside its place and moves it there once it is whole. What stands in the way goes first, to the
   * trash where this server has one. @throws what `bytes` throws; nothing is left then.
   */
  async write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const part = `${path}.hitch-part`;
    try {
      await this.#writePart(part, bytes);
      if ((await this.stat(path)) !== null) {
        await this.#contents.delete(path);
      }
      await this.#contents.rename(part, path);
    } catch (error) {
      await this.#contents.delete(part).catch(() => undefined);
      throw error;
    }
  }

  async #writePart(part: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let chunk = 0;
    const gathered = new Gathered(WRITE_BYTES);
    for await (const some of bytes) {
      for (const piece of gathered.add(some)) {
        chunk += 1;
        await this.#put(part, piece, chunk);
      }
    }
    await this.#put(part, gathered.rest(), chunk === 0 ? null : -1);
  }

  /** Straight to the server: JupyterLab would look at the folder again after each piece. */
  async #put(path: string, piece: Uint8Array, chunk: number | null): Promise<void> {
    const url = URLExt.join(this.#settings.baseUrl, 'api/contents', URLExt.encodeParts(path));
    const body = JSON.stringify({
      type: 'file',
      format: 'base64',
      content: base64(piece),
      ...(chunk === null ? {} : { chunk }),
    });
    const response = await ServerConnection.makeRequest(url, { method: 'PUT', body }, this.#settings);
    if (!response.ok) {
      throw await ServerConnection.ResponseError.create(response);
    }
  }

  /** Makes the folder and those above it. */
  async makeFolder(path: string): Promise<void> {
    let made = '';
    for (const name of path.split('/').filter(part => part !== '')) {
      made = joinPath(made, name);
      if ((await this.stat(made)) === null) {
        await this.#contents.save(made, { type: 'directory', name: nameOf(made) });
      }
    }
  }
}

/** Pieces of one size out of pieces of any size. */
class Gathered {
  readonly #size: number;
  #buffer: Uint8Array;
  #length = 0;

  constructor(size: number) {
    this.#size = size;
    this.#buffer = new Uint8Array(size);
  }

  *add(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const some = bytes.subarray(at, at + this.#size - this.#length);
      this.#buffer.set(some, this.#length);
      this.#length += some.length;
      at += some.length;
      if (this.#length === this.#size) {
        yield this.rest();
        this.#buffer = new Uint8Array(this.#size);
        this.#length = 0;
      }
    }
  }

  rest(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

/** A multiple of three, so that the texts of the parts make the text of the whole. */
const TEXT_BYTES = 12_288;

function base64(bytes: Uint8Array): string {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += TEXT_BYTES) {
    texts.push(btoa(String.fromCharCode.apply(null, [...bytes.subarray(at, at + TEXT_BYTES)])));
  }
  return texts.join('');
}
