/**
 * Secrets by name. Values lie in the keychain, or, where there is none, in a 0600 file, which is said. They leave only
 * towards a cluster that a person marked for them; no message, log or error holds one.
 */
import { chmodSync, readFileSync } from 'node:fs';
import { HitchError, secretNameSchema, type secretStoreSchema } from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Keychain } from './keychain.ts';

export type SecretList = z.infer<typeof secretStoreSchema>;

/** Name to value; null: the value lies in the keychain. */
const fileSchema = z.object({ secrets: z.record(secretNameSchema, z.string().nullable()) });
type Held = ReadonlyMap<string, string | null>;

export class SecretStore {
  readonly #path: string;
  readonly #keychain: Keychain;

  constructor(path: string, keychain: Keychain) {
    this.#path = path;
    this.#keychain = keychain;
  }

  async list(): Promise<SecretList> {
    const held = this.#read();
    const inFile = [...held.values()].filter(value => value !== null).length;
    const problem = await this.#keychain.problem();
    return {
      names: [...held.keys()].sort(),
      kind: problem === null ? 'keychain' : 'file',
      warning: problem === null && inFile === 0 ? null : this.#warning(problem),
    };
  }

  #warning(problem: string | null): string {
    return problem === null
      ? `Some secrets still lie readable by you in ${this.#path}; set them again to move them into the keychain.`
      : `This computer’s keychain cannot be used (${problem}): secrets lie in ${this.#path}, readable by you alone but not encrypted.`;
  }

  /** @throws HitchError STORAGE_FULL. */
  async set(name: string, value: string): Promise<void> {
    const usable = (await this.#keychain.problem()) === null;
    if (usable) {
      await this.#keychain.set(name, value).catch((error: unknown) => {
        throw new HitchError('INTERNAL', `The keychain did not take ${name}.`, {
          next: 'Unlock the keychain and try again.',
          cause: error,
        });
      });
    }
    // Read after the wait above: another secret may have been set meanwhile.
    this.#write(new Map([...this.#read(), [name, usable ? null : value]]));
  }

  /** @throws HitchError NOT_FOUND. */
  async remove(name: string): Promise<void> {
    const held = this.#read();
    if (!held.has(name)) {
      throw new HitchError('NOT_FOUND', `There is no secret ${name}.`, { field: 'name' });
    }
    if (held.get(name) === null) {
      await this.#keychain.remove(name);
    }
    this.#write(new Map([...this.#read()].filter(([other]) => other !== name)));
  }

  /** Values for a cluster; names that are not stored (any more) are left out. */
  async values(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const held = this.#read();
    const values: [string, string][] = [];
    for (const name of names.filter(one => held.has(one))) {
      const value = held.get(name) ?? (await this.#keychain.get(name).catch(() => null));
      if (value !== null) {
        values.push([name, value]);
      }
    }
    return Object.fromEntries(values);
  }

  /** Where it lies; null: it is not stored. */
  where(name: string): SecretList['kind'] | null {
    const value = this.#read().get(name);
    return value === undefined ? null : value === null ? 'keychain' : 'file';
  }

  /** Null: it is not stored. @throws HitchError where it is, and the keychain does not give it. */
  async value(name: string): Promise<string | null> {
    const held = this.#read().get(name);
    if (held !== null) {
      return held ?? null;
    }
    const value = await this.#keychain.get(name).catch((error: unknown) => {
      throw new HitchError('INTERNAL', 'The keychain does not give what is kept in it.', {
        next: 'Unlock the keychain and try again.',
        cause: error,
      });
    });
    if (value === null) {
      throw new HitchError('INTERNAL', 'The keychain does not hold what was kept in it.', {
        next: 'Store it again.',
      });
    }
    return value;
  }

  #read(): Held {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return new Map();
      }
      throw new HitchError('INTERNAL', `The list of secrets ${this.#path} cannot be read.`, { cause: error });
    }
    try {
      return new Map(Object.entries(fileSchema.parse(JSON.parse(text)).secrets));
    } catch {
      // No cause: a parser's message quotes what it read.
      throw new HitchError('INTERNAL', `The list of secrets ${this.#path} is damaged.`, {
        next: 'Correct or remove the file, then set the secrets again.',
      });
    }
  }

  #write(held: Held): void {
    writeFileAtomic(this.#path, `${JSON.stringify({ secrets: Object.fromEntries(held) }, null, 2)}\n`, 0o600);
    // An umask can only take rights away, but a file kept from before may have more.
    chmodSync(this.#path, 0o600);
  }
}
