/** An sshd of its own on this computer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { findSshd, makeEmptyFolder } from '../../agent/ssh/find-sshd.ts';
import { MarketRefusal } from './market-refusal.ts';

export interface SshdFiles {
  readonly config: string;
  readonly log: string;
}

/**
 * It goes on when its parent ends.
 * @param environment all that it has besides the way to programs: nothing of this computer's is for a rented machine
 * @throws MarketRefusal where there is none
 */
export function startSshd(
  { config, log }: SshdFiles,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const program = findSshd();
  if (program === null) {
    throw new MarketRefusal('conflict', 'There is no sshd on this computer: install openssh-server.');
  }
  makeEmptyFolder();
  const sshd = spawn(program, ['-D', '-E', log, '-f', config], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...environment },
  });
  sshd.on('error', () => undefined);
  sshd.unref();
  return sshd;
}

/** Whether somebody there says something first, as an sshd does. */
export function speaksFirst(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
