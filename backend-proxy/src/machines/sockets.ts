/** Where an agent on this computer listens. */
import { join } from 'node:path';
import { HostError } from '../access/host.ts';
import type { Home } from '@hitch/platform/src/paths.ts';

/** Systems cut a Unix socket's path at 103 to 107 bytes. */
const LONGEST_PATH_BYTES = 100;

export function socketPathOf(home: Home, ref: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\${ref}` : join(home.sockets, `${ref}.sock`);
}

/** @throws HostError when the path is too long for a socket. */
export function checkedSocketPath(home: Home, ref: string): string {
  const path = socketPathOf(home, ref);
  if (process.platform !== 'win32' && Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
    throw new HostError(
      `${path} is too long for a socket: set TMPDIR to a folder with a shorter path and start the daemon again.`,
      { fatal: true },
    );
  }
  return path;
}
