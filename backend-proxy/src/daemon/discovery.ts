/** The discovery file: how faces find the daemon. Written only once it listens, removed only by the one it names. */
import { readFileSync, rmSync } from 'node:fs';
import { type Discovery, discoverySchema } from '@hitch/contract';
import { writeFileAtomic } from '../platform/atomic-file.ts';
import type { Home } from '../platform/paths.ts';

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

/** @throws HitchError STORAGE_FULL. */
export function writeDiscovery(home: Home, discovery: Discovery): void {
  writeFileAtomic(home.discovery, `${JSON.stringify(discovery, null, 2)}\n`, 0o600);
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
