/** Where the agent listens: a Unix socket in a private folder, a Windows pipe, or a loopback port. */
import { chmodSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { dirname } from 'node:path';
import { HitchError } from '@hitch/contract';
import { isPrivate } from '../folders.ts';

const LONGEST_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/** @throws HitchError BAD_INPUT when it is anything but a socket path, a pipe or `127.0.0.1:port`. */
export function parseListen(listen: string): ListenOptions {
  const port = /^127\.0\.0\.1:(\d{1,5})$/.exec(listen)?.[1];
  if (port !== undefined) {
    return { host: '127.0.0.1', port: Number(port) };
  }
  if (listen.startsWith('\\\\.\\pipe\\')) {
    return { path: listen };
  }
  if (!listen.startsWith('/')) {
    throw new HitchError('BAD_INPUT', `The agent cannot listen on ${listen}.`, {
      field: 'listen',
      next: 'Give an absolute socket path, a Windows pipe or 127.0.0.1:port.',
    });
  }
  if (Buffer.byteLength(listen) > LONGEST_SOCKET_PATH_BYTES) {
    throw new HitchError(
      'BAD_INPUT',
      `The agent's socket path is longer than ${LONGEST_SOCKET_PATH_BYTES.toString()} bytes: ${listen}.`,
      { field: 'listen', next: 'Choose a shorter folder.' },
    );
  }
  return { path: listen };
}

/** Listens; a socket file that a killed agent left is replaced, one that a live agent serves is not. */
export async function listenOn(server: Server, listen: string): Promise<void> {
  const where = parseListen(listen);
  const file = where.path !== undefined && where.path.startsWith('/') ? where.path : null;
  if (file !== null) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (!isPrivate(dirname(file))) {
      throw new HitchError('BAD_INPUT', `The folder of the agent's socket ${file} is open to others.`, {
        field: 'listen',
        next: `Run chmod 700 ${dirname(file)}, or choose a folder of your own.`,
      });
    }
    await removeStaleSocket(file);
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
  if (file !== null) {
    chmodSync(file, 0o600);
  }
}

async function removeStaleSocket(file: string): Promise<void> {
  const served = await new Promise<boolean>(resolve => {
    const probe = connect(file);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (served) {
    throw new HitchError('CONFLICT', `Another agent already listens on ${file}.`);
  }
  try {
    unlinkSync(file);
  } catch {
    // It was not there.
  }
}
