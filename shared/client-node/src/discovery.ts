/** The discovery file: how clients find the daemon. Written only once it listens, removed only by the one it names. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { type Discovery, discoverySchema } from '@hitch/contract';
import { writeFileAtomic, writeInPlace } from '@hitch/platform/src/atomic-file.ts';
import type { Home } from '@hitch/platform/src/paths.ts';

/** What the file says, or null when there is none that can be read. */
export function readDiscovery(home: Home): Discovery | null {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(home.discovery, 'utf8'));
  } catch {
    return null;
  }
  const parsed = discoverySchema.safeParse(content);
  return parsed.success ? parsed.data : null;
}

/**
 * On a full disk the room that an earlier daemon's file takes is used again. @throws HitchError STORAGE_FULL where there
 * is none.
 */
export function writeDiscovery(home: Home, discovery: Discovery): void {
  const text = `${JSON.stringify(discovery, null, 2)}\n`;
  try {
    writeFileAtomic(home.discovery, text, 0o600);
  } catch (error) {
    if (!existsSync(home.discovery)) {
      throw error;
    }
    writeInPlace(home.discovery, text, error);
  }
}

export function removeDiscovery(home: Home, pid: number): void {
  if (readDiscovery(home)?.pid === pid) {
    rmSync(home.discovery, { force: true });
  }
}

/** Whether a process with this id exists; one of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
