/** The keys that open clusters' machines, as they lie on one computer: whatever daemon made one, the next one finds it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterId } from '@hitch/contract';
import type { ClusterSsh } from '../../../backend-proxy/src/clusters/create-clusters.ts';
import type { Mortal } from '../mortal.ts';
import { keyOf } from './address-book.ts';

/** Linux keeps it in memory: each list is written to the disk for good, and nobody here wants it for longer than a run. */
const IN_MEMORY = '/dev/shm';

export class ClusterKeys {
  /** Where lists of host keys lie: in memory where this computer has such a place. */
  readonly folder = mkdtempSync(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'hitch-chaos-ssh-'));
  readonly #keys = new Map<string, string>();
  /** Every key that each cluster ever had. */
  readonly #ever = new Map<string, Set<string>>();
  #made = 0;

  /** As one daemon has them. */
  of(mortal: Mortal): ClusterSsh {
    return {
      start: running => {
        [...this.#keys.keys()].filter(id => !running.has(id)).forEach(id => this.#keys.delete(id));
      },
      publicKey: id => mortal.step('publicKey', () => Promise.resolve(this.#readOrMake(id))),
      note: () => undefined,
      forget: () => undefined,
      discardKey: id => {
        if (!mortal.dead) {
          this.#keys.delete(id);
        }
      },
    };
  }

  /** The file that holds the private key. */
  readonly fileOf = (clusterId: string): string => join(this.folder, 'keys', clusterId);

  /** The public key of such a file; null: there is none any more. */
  keyIn(file: string): string | null {
    return this.#keys.get(file.slice(file.lastIndexOf('/') + 1)) ?? null;
  }

  /** Whether one of these was ever that cluster's. */
  wasOf(clusterId: string, publicKeys: readonly string[]): boolean {
    const ever = this.#ever.get(clusterId);
    return publicKeys.some(key => ever?.has(bareKey(key)) === true);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #readOrMake(id: ClusterId): string {
    const key = this.#keys.get(id) ?? `${keyOf(`${id} ${(++this.#made).toString()}`)} Hitch, ${id}`;
    this.#keys.set(id, key);
    this.#ever.set(id, (this.#ever.get(id) ?? new Set()).add(bareKey(key)));
    return key;
  }
}

/** Without its comment. */
export const bareKey = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(' ');
