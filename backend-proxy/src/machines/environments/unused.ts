/** Who uses an environment, and the end of those that nobody uses. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { withFolderLock } from '../folder-lock.ts';

/** A file for each machine, by its ref. */
const USERS = '.hitch-users';

export interface Removed {
  readonly removed: number;
  /** Without what uv's cache still has: those files are the same ones. */
  readonly freedBytes: number;
}

export function noteUse(folder: string, ref: string): void {
  const users = join(folder, USERS);
  mkdirSync(users, { recursive: true });
  // Written anew each time: the folder's own time says when it was last taken up.
  rmSync(join(users, ref), { force: true });
  writeFileSync(join(users, ref), '');
}

export async function removeUnused({
  folder,
  machines,
  clock,
  signal,
  forMs,
}: {
  readonly folder: string;
  readonly machines: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Only those that were last taken up so long ago. */
  readonly forMs: number;
}): Promise<Removed> {
  let removed = 0;
  let freedBytes = 0;
  for (const name of namesIn(folder).filter(each => /^[0-9a-f]{16}$/.test(each))) {
    const place = join(folder, name);
    const isUnused = (): boolean => {
      const users = join(place, USERS);
      const isOld = !existsSync(users) || clock.now() - statSync(users).mtimeMs >= forMs;
      return isOld && !namesIn(users).some(ref => existsSync(join(machines, ref, 'machine.json')));
    };
    if (!isUnused() || existsSync(`${place}.lock`)) {
      continue;
    }
    // One that is being made, or taken up at this moment, is held.
    await withFolderLock(`${place}.lock`, { clock, signal, wait: () => undefined }, async () => {
      if (existsSync(place) && isUnused()) {
        freedBytes += await bytesIn(place);
        // In one step: what is half removed is not taken for whole.
        const grave = `${place}.old`;
        rmSync(grave, { recursive: true, force: true });
        renameSync(place, grave);
        rmSync(grave, { recursive: true, force: true });
        removed += 1;
      }
    });
  }
  return { removed, freedBytes };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      sum += await bytesIn(path);
    } else {
      const { nlink, size } = await lstat(path);
      sum += nlink === 1 ? size : 0;
    }
  }
  return sum;
}
