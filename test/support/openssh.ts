/** The real ssh, scp and sshd for the tests, and a folder that stands for a person's home. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Context } from 'mocha';
import { skip } from './processes.ts';

const PROGRAMS = ['/usr/bin/ssh', '/usr/bin/scp', '/usr/bin/ssh-keygen', '/usr/sbin/sshd'];
const ENDS_WITHIN_MS = 120_000;

/** Why OpenSSH cannot be tried here, with what to install; null where it can. */
export const withoutOpenssh = (): string | null =>
  PROGRAMS.every(program => existsSync(program))
    ? null
    : 'there is no OpenSSH: install openssh-client and openssh-server';

/** Skips the suite where something is missing, and says what to install. */
export function needsOpenssh(context: Context): void {
  const reason = withoutOpenssh();
  if (reason !== null) {
    skip(context, reason);
  }
}

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of OpenSSH to its end. */
export function openssh(
  program: 'ssh' | 'scp' | 'ssh-keygen',
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Said> {
  return new Promise(resolve => {
    const child = execFile(
      `/usr/bin/${program}`,
      [...args],
      { env: environment, cwd: '/', timeout: ENDS_WITHIN_MS, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}
