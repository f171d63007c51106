/** A keychain of tests. */
import type { Keychain } from '../../src/secrets/keychain.ts';

export class MemoryKeychain implements Keychain {
  readonly entries = new Map<string, string>();
  broken: string | null = null;
  refuses = false;
  problem = async () => this.broken;
  get = async (name: string) => this.entries.get(name) ?? null;
  set = async (name: string, value: string) => {
    if (this.refuses) {
      throw new Error(`will not store ${value}`);
    }
    this.entries.set(name, value);
  };
  remove = async (name: string) => void this.entries.delete(name);
}
