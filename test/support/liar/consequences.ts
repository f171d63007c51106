/** What lies could do to a daemon: the memory it took, what lies on its disk, a socket that it does not close. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { DaemonHome } from '../daemon-home.ts';

/** Resolves once the socket to this path is closed, whoever closes it. */
export async function closedSocket(home: DaemonHome, path: string): Promise<void> {
  const { baseUrl, token } = home.place();
  const socket = new WebSocket(`${baseUrl.replace('http', 'ws')}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on('error', () => undefined);
  await new Promise(resolve => socket.once('close', resolve));
}

/** The most memory that the process ever took, in MB. */
export function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid.toString()}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}

/** Of all files in it. */
export function bytesBelow(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
