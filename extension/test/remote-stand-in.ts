/** A cluster's files in memory, with the daemon's refusals. */
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

  /** A file that says it has this size. */
  put(path: string, sizeBytes: number, text = ''): void {
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

  readonly files = {
    stat: async ({ path }: { path: string }) => this.#entry(path),
    list: async ({ path }: { path: string }) => {
      if (this.#get(path).kind === 'file') {
        throw new HitchError('CONFLICT', `${path} is not a folder, or lies under a file.`);
      }
      return [...this.#held.keys()].filter(each => parentOf(each) === path).map(each => this.#entry(each));
    },
    makeFolder: async ({ path }: { path: string }) => {
      this.#held.set(path, { kind: 'folder' });
      return this.#entry(path);
    },
    move: async ({ from, to }: { from: string; to: string }) => {
      const held = this.#get(from);
      if (this.#held.has(to)) {
        throw new HitchError('CONFLICT', `${to} exists already.`);
      }
      this.#held.delete(from);
      this.#held.set(to, held);
      return this.#entry(to);
    },
    remove: async ({ path }: { path: string }) => {
      this.#get(path);
      this.#held.delete(path);
      return {};
    },
  };

  /** Only what a face's files ask for is there. */
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
        const content = await source.read(0, source.sizeBytes);
        this.#held.set(path, { kind: 'file', content, sizeBytes: content.length });
        return { path, receivedBytes: content.length, complete: true, sha256: null };
      },
    };
  }
}
