/** The two ends that `ssh` gives to the program in its `ProxyCommand`. */
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { shownLine } from '@hitch/contract';
import { HELD_BYTES } from './ssh-way.ts';

export interface SshStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** `ssh` gives pipes, which are read and written without Node's own, blocking streams; anything else gets those. */
export function sshStreams(): SshStreams {
  const held = { highWaterMark: HELD_BYTES };
  return {
    input: bare(() => new Socket({ ...held, fd: 0, readable: true, writable: false })) ?? process.stdin,
    output: bare(() => new Socket({ ...held, fd: 1, readable: false, writable: true })) ?? process.stdout,
  };
}

function bare(open: () => Socket): Socket | null {
  try {
    return open();
  } catch {
    return null;
  }
}

/** To whoever reads what `ssh` writes: `ssh` itself has the other two streams. */
export function say(message: string, next?: string): void {
  const lines = [`hitch: ${message}`, ...(next === undefined ? [] : [next])];
  process.stderr.write(lines.map(line => `${shownLine(line)}\n`).join(''));
}
