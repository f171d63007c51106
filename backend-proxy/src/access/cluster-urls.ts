/**
 * Tokens that open one cluster to programs that know nothing of Hitch, and nothing else. They outlive the daemon, in a file for
 * the user alone, and end with their cluster.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { clusterIdSchema, type ClusterId } from '@hitch/contract';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import * as z from 'zod';

const fileSchema = z.record(clusterIdSchema, z.string().min(20));

export interface ClusterUrlsOptions {
  /** Absolute; it need not be there. */
  readonly file: string;
  readonly ids: Pick<Ids, 'secret'>;
  /** Whether the cluster is there and has not ended. */
  readonly isOpen: (id: ClusterId) => boolean;
  /** Whoever is given here hears of each cluster that has changed. */
  readonly onChange: (listener: (ids: Iterable<ClusterId>) => void) => void;
  readonly log: Log;
}

const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

export class ClusterUrls {
  readonly #options: ClusterUrlsOptions;
  readonly #tokens: Map<ClusterId, string>;
  /** By what a token is known by: looking one up takes the same time whatever was guessed. */
  readonly #byDigest = new Map<string, ClusterId>();
  readonly #sockets = new Map<ClusterId, Set<Duplex>>();

  constructor(options: ClusterUrlsOptions) {
    this.#options = options;
    this.#tokens = new Map(read(options).filter(([id]) => options.isOpen(id)));
    this.#tokens.forEach((token, id) => this.#byDigest.set(digest(token), id));
    options.onChange(ids => this.#look(ids));
  }

  /** The cluster's token: the same one until it is taken back. @throws HitchError STORAGE_FULL; then there is none */
  give(id: ClusterId): string {
    const known = this.#tokens.get(id);
    if (known !== undefined) {
      return known;
    }
    const token = this.#options.ids.secret();
    this.#write([...this.#tokens, [id, token]]);
    this.#tokens.set(id, token);
    this.#byDigest.set(digest(token), id);
    return token;
  }

  /**
   * Nobody comes in by it any more, and who is in is out.
   * @returns whether there was one
   */
  revoke(id: ClusterId): boolean {
    const token = this.#tokens.get(id);
    if (token === undefined) {
      return false;
    }
    this.#tokens.delete(id);
    this.#byDigest.delete(digest(token));
    this.#sockets.get(id)?.forEach(socket => socket.destroy());
    this.#write([...this.#tokens]);
    return true;
  }

  /** Clusters of which something has changed: a token ends with its cluster, and one that is started again gets another. */
  #look(ids: Iterable<ClusterId>): void {
    for (const id of ids) {
      if (this.#tokens.has(id) && !this.#options.isOpen(id)) {
        try {
          this.revoke(id);
        } catch (error) {
          // It opens nothing any more; a daemon that reads it later sees that its cluster has ended.
          this.#options.log.warn('The file of tokens could not be written', { error: errorText(error) });
        }
      }
    }
  }

  /** The cluster that a token opens; null: none. */
  opened(token: string): ClusterId | null {
    return this.#byDigest.get(digest(token)) ?? null;
  }

  /** A socket that came in by the cluster's token. */
  keep(id: ClusterId, socket: Duplex): void {
    const open = this.#sockets.get(id) ?? new Set();
    this.#sockets.set(id, open.add(socket));
    socket.once('close', () => {
      open.delete(socket);
      if (open.size === 0) {
        this.#sockets.delete(id);
      }
    });
  }

  #write(tokens: readonly (readonly [ClusterId, string])[]): void {
    writeFileAtomic(this.#options.file, `${JSON.stringify(Object.fromEntries(tokens), null, 2)}\n`);
  }
}

function read({ file, log }: ClusterUrlsOptions): [ClusterId, string][] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  try {
    const tokens = fileSchema.parse(JSON.parse(text));
    return Object.entries(tokens).map(([id, token]) => [clusterIdSchema.parse(id), token]);
  } catch (error) {
    log.warn('The file of tokens cannot be read; they open nothing any more', { error: errorText(error) });
    return [];
  }
}
