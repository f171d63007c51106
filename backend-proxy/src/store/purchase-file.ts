/** Where the purchase log lies: a file that is only added to, and now and then written anew. */
import { readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { storageError, writeFileAtomicAside } from '@hitch/platform/src/atomic-file.ts';

export interface PurchaseFile {
  /** All of it; empty where there is none. */
  read(): string;
  /** Durable when it resolves. @throws HitchError STORAGE_FULL; nothing of it then stays. */
  append(text: string): Promise<void>;
  /** In one step. @throws HitchError STORAGE_FULL; the old one then stands. */
  replace(text: string): Promise<void>;
  /** Whether it still is what was last written. */
  isWhole(): boolean;
}

export function purchasesOnDisk(path: string): PurchaseFile {
  const see = () => statSync(path, { bigint: true, throwIfNoEntry: false });
  let left = see();
  let isLost = false;
  const isWhole = (): boolean => {
    const now = see();
    return !isLost && now?.ino === left?.ino && now?.dev === left?.dev && now?.size === left?.size;
  };
  return {
    read: () => {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
          return '';
        }
        throw error;
      }
    },
    append: async text => {
      // What was lost before is not made good by what is added now.
      isLost = !isWhole();
      const before = Number(see()?.size ?? 0n);
      try {
        const file = await open(path, 'a', 0o600);
        try {
          await file.appendFile(text);
          await file.sync();
        } catch (error) {
          // Half a line would spoil the next one.
          await file.truncate(before).catch(() => undefined);
          throw error;
        } finally {
          await file.close();
        }
      } catch (error) {
        throw storageError(error, path);
      } finally {
        left = see();
      }
    },
    replace: async text => {
      await writeFileAtomicAside(path, text);
      left = see();
      isLost = false;
    },
    isWhole,
  };
}

/** For tests and the chaos run: it outlives the logs opened on it. */
export function purchasesInMemory(): PurchaseFile {
  let content = '';
  return {
    read: () => content,
    append: text => {
      content += text;
      return Promise.resolve();
    },
    replace: text => {
      content = text;
      return Promise.resolve();
    },
    isWhole: () => true,
  };
}
