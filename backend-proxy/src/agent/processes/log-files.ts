/**
 * Log files that bounded disks can bear. A supervised program writes to its file itself, so that it needs no reader
 * and outlives the agent; the file is opened for appending, which is what makes emptying it under the writer safe.
 */
import { closeSync, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';

const LOOK_EVERY_MS = 60_000;

export function openLog(path: string): number {
  return openSync(path, 'a', 0o600);
}

/** The last `bytes` of a log; '' when there is none. */
export function readTail(path: string, bytes = 4096): string {
  try {
    const file = openSync(path, 'r');
    try {
      const tail = Buffer.alloc(bytes);
      const read = readSync(file, tail, 0, bytes, Math.max(0, fstatSync(file).size - bytes));
      return tail.toString('utf8', 0, read);
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** Moves a log's content to `<path>.1` and empties it once it is over `maxBytes`. */
export function rotateLog(path: string, maxBytes: number): void {
  try {
    if (statSync(path).size > maxBytes) {
      copyFileSync(path, `${path}.1`);
      truncateSync(path, 0);
    }
  } catch {
    // Not there yet, or no room for the copy: the next look tries again.
  }
}

/** Keeps `paths` bounded until cancelled. */
export function keepLogsBounded(clock: Clock, paths: readonly string[], maxBytes = 16 * 1024 * 1024): Timer {
  let timer: Timer;
  const look = (): void => {
    paths.forEach(path => rotateLog(path, maxBytes));
    timer = clock.setTimer(look, LOOK_EVERY_MS);
  };
  timer = clock.setTimer(look, LOOK_EVERY_MS);
  return { cancel: () => timer.cancel() };
}
