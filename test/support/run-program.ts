/** Runs a program to its end. */
import { execFile } from 'node:child_process';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function capture(program: string, args: readonly string[], withinMs: number): Promise<Ran> {
  return new Promise(resolve => {
    const PATH = `/usr/sbin:/sbin:${process.env['PATH'] ?? '/usr/bin:/bin'}`;
    const child = execFile(
      program,
      [...args],
      { timeout: withinMs, env: { ...process.env, PATH } },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr }),
    );
  });
}
