/**
 * A cluster's files in memory. What they answer and refuse follows `Files` (backend-proxy/src/agent/files/files.ts), `Uploads`
 * beside it, and the sentences of `fileError` (confine.ts there): a real work folder has no file without its folders.
 */
import { type FileEntry, HitchError, type UploadSource } from '@hitch/contract';
import type { FilesWire } from '../src/files/remote.ts';
import { NOW } from './sample.ts';

type Held =
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly content: Uint8Array<ArrayBuffer>; readonly sizeBytes: number };

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

export class RemoteStandIn {
  readonly #held = new Map<string, Held>();
  /** What every call answers instead. */
  failure: HitchError | null = null;

  clear(): void {
    this.#held.clear();
    this.failure = null;
  }

  get paths(): string[] {
    return [...this.#held.keys()].sort();
  }

  /** A file that says it has this size; the folders above it are made. */
  put(path: string, sizeBytes: number, text = ''): void {
    this.#makeFolders(parentOf(path));
    this.#held.set(path, { kind: 'file', content: new Uint8Array(Buffer.from(text)), sizeBytes });
  }

  #get(path: string): Held {
    if (this.failure !== null) {
      throw this.failure;
    }
    const held = path === '' ? { kind: 'folder' as const } : this.#held.get(path);
    if (held === undefined) {
      throw new HitchError('NOT_FOUND', `${path} does not exist.`);
    }
    return held;
  }

  #entry(path: string): FileEntry {
    const held = this.#get(path);
    return {
      path,
      name: path.split('/').at(-1) ?? '',
      kind: held.kind,
      sizeBytes: held.kind === 'file' ? held.sizeBytes : 0,
      modifiedAtMs: NOW,
      writable: true,
    };
  }

  #below(path: string): string[] {
    return [...this.#held.keys()].filter(each => each.startsWith(`${path}/`));
  }

  /** Each level, from the top: one that is there already is fine. */
  #makeFolders(path: string): void {
    const names = path === '' ? [] : path.split('/');
    for (let depth = 1; depth <= names.length; depth++) {
      const folder = names.slice(0, depth).join('/');
      if (this.#held.get(folder)?.kind === 'file') {
        throw new HitchError('CONFLICT', `${folder} exists already.`);
      }
      this.#held.set(folder, { kind: 'folder' });
    }
  }

  #move(from: string, to: string): void {
    const held = this.#get(from);
    this.#held.delete(from);
    this.#held.set(to, held);
  }

  readonly files = {
    stat: async ({ path }: { path: string }) => this.#entry(path),
    list: async ({ path }: { path: string }) => {
      if (this.#get(path).kind === 'file') {
        throw new HitchError('CONFLICT', `${path} is not a folder, or lies under a file.`);
      }
      const rank = ({ kind, name }: FileEntry): string => `${kind === 'folder' ? '0' : '1'}${name}`;
      return [...this.#held.keys()]
        .filter(each => parentOf(each) === path)
        .map(each => this.#entry(each))
        .sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    },
    makeFolder: async ({ path }: { path: string }) => {
      this.#get('');
      this.#makeFolders(path);
      return this.#entry(path);
    },
    move: async ({ from, to }: { from: string; to: string }) => {
      this.#get(from);
      if (`${to}/`.startsWith(`${from}/`) && to !== from) {
        throw new HitchError('BAD_INPUT', `${from} cannot be moved into itself.`);
      }
      if (this.#held.has(to)) {
        throw new HitchError('CONFLICT', `${to} exists already.`);
      }
      this.#get(parentOf(to));
      for (const each of [from, ...this.#below(from)]) {
        this.#move(each, `${to}${each.slice(from.length)}`);
      }
      return this.#entry(to);
    },
    remove: async ({ path, recursive = false }: { path: string; recursive?: boolean }) => {
      this.#get(path);
      const below = this.#below(path);
      if (below.length > 0 && !recursive) {
        throw new HitchError('CONFLICT', `${path} is not empty.`);
      }
      [path, ...below].forEach(each => this.#held.delete(each));
      return {};
    },
  };

  /** Only what a client's files ask for is there. */
  get wire(): FilesWire {
    return {
      api: { files: this.files } as unknown as FilesWire['api'],
      raw: async path => {
        const name = new URLSearchParams(path.split('?')[1]).get('path') ?? '';
        const held = this.#get(name);
        if (held.kind === 'folder') {
          throw new HitchError('CONFLICT', `${name} is a folder.`);
        }
        return new Response(held.content, { headers: { 'content-length': held.sizeBytes.toString() } });
      },
      upload: async (_clusterId, path, source: UploadSource) => {
        if ((path === '' ? { kind: 'folder' } : this.#held.get(path))?.kind === 'folder') {
          throw new HitchError('CONFLICT', `${path} is a folder.`);
        }
        this.#get(parentOf(path));
        const content = await source.read(0, source.sizeBytes);
        this.#held.set(path, { kind: 'file', content, sizeBytes: content.length });
        return { path, receivedBytes: content.length, complete: true, sha256: null };
      },
    };
  }
}
