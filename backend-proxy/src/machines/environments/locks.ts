/** The locks that were made, each in a file of its own whose name is its hash. They outlive the quotes and clusters that name them. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HitchError, type LockedEnvironment, lockedEnvironmentSchema } from '@hitch/contract';
import * as z from 'zod';
import type { EnvironmentLock } from '../../access/host.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';

export type Lock = EnvironmentLock;

const lockSchema = lockedEnvironmentSchema.extend({ text: z.string() }) satisfies z.ZodType<Lock>;

export type LockFacts = Pick<Lock, 'text' | 'python' | 'platform' | 'accelerator'>;

export function lockId({ text, python, platform, accelerator }: LockFacts): string {
  return createHash('sha256')
    .update([text, python, platform, accelerator].join('\n'))
    .digest('hex')
    .slice(0, 16);
}

export class Locks {
  readonly #folder: string;
  readonly #read = new Map<string, Lock>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  put(lock: Lock): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileAtomic(this.#path(lock.id), JSON.stringify(lock));
    this.#read.set(lock.id, lock);
  }

  /** Null where it is not here, or is not what its name says any more. */
  get(id: string): Lock | null {
    const known = this.#read.get(id);
    if (known !== undefined) {
      return known;
    }
    try {
      const lock = lockSchema.parse(JSON.parse(readFileSync(this.#path(id), 'utf8')));
      if (lockId(lock) !== id) {
        return null;
      }
      this.#read.set(id, lock);
      return lock;
    } catch {
      return null;
    }
  }

  /** @throws HitchError NOT_FOUND */
  need(id: string): Lock {
    const lock = this.get(id);
    if (lock === null) {
      throw new HitchError('NOT_FOUND', `The lock ${id} of the environment is not on this computer.`, {
        field: 'environment',
        next: 'Lock the file again.',
      });
    }
    return lock;
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

/** Without the text, as it travels. */
export const shownLock = ({ text: _text, ...shown }: Lock): LockedEnvironment => shown;
