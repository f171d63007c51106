/** Runs the programs of far/ on a machine that is reached by ssh, and reads what they answer. */
import { HostError } from '../../access/host.ts';
import { FarError, type FarShell } from '../../access/tunnel/far-shell.ts';
import { type FarFacts, parseLook } from './facts.ts';
import { LOOK } from './program-texts.ts';
import { valueLines } from './values.ts';

/** What another look at the machine cannot change: a person has to do something first. */
const LASTING: readonly FarError['kind'][] = [
  'login',
  'host_key_changed',
  'host_key_unknown',
  'shell',
  'no_ssh',
];

/** `nvidia-smi` says some 40 kB a GPU. */
const LOOK_BYTES = 4 * 1024 * 1024;

/** Asks a machine what it is. Changes nothing there. @throws HostError */
export async function lookAt(shell: FarShell, signal: AbortSignal): Promise<FarFacts> {
  const { stdout } = await overSsh(() => shell.run(LOOK, { signal, maxBytes: LOOK_BYTES }));
  try {
    return parseLook(stdout);
  } catch (cause) {
    throw new HostError(`${shell.name} did not say what it is: no POSIX shell answers there.`, {
      fatal: false,
      cause,
    });
  }
}

/** Runs a program that reads values. @returns the lines it printed. @throws HostError */
export async function runWith(
  shell: FarShell,
  program: string,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly lines: readonly string[]; readonly said: string }> {
  const { code, stdout, stderr } = await overSsh(() =>
    shell.run(program, { input: valueLines(values), signal }),
  );
  return { code, lines: stdout.split('\n').filter(line => line !== ''), said: stderr.trim() };
}

/** What a {@link FarShell} throws, as a host says it. */
export async function overSsh<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof FarError
      ? new HostError(cause.message, { fatal: LASTING.includes(cause.kind), cause })
      : cause;
  }
}

/** Whether a machine answered and did not let the key in, as far as any cause of the error says. */
export const isKeyRefused = (error: unknown): boolean =>
  error instanceof Error &&
  ((error instanceof FarError && error.kind === 'login') || isKeyRefused(error.cause));
