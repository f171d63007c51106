/** Puts the packages that a list pins into an environment: by uv, or by pip where there is no uv that knows its settings. */
import { readFileSync } from 'node:fs';
import { shownName } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { CommandResult, RunCommand } from './python.ts';
import { installWithUv, uvFor } from './uv.ts';

export interface Packages {
  /** Of the environment; it has pip. */
  readonly interpreter: string;
  /** The list, each package with its exact version and all that they need. */
  readonly file: string;
  /** Where uv is kept for the next environment. */
  readonly folder: string;
  /** The pin of uv with the hashes of its files. */
  readonly pins: string;
  readonly run: RunCommand;
  readonly clock: Clock;
  /** What they are, for people, such as `Jupyter, Ray`. */
  readonly called: string;
  /** Receives a sentence for each stage. */
  readonly report: (sentence: string) => void;
}

/** @returns what the last of them said that was tried */
export async function installPackages(packages: Packages, signal: AbortSignal): Promise<CommandResult> {
  const { interpreter, file, folder, pins, run, clock, called, report } = packages;
  report('Fetching uv, which installs packages.');
  const wait = () => report('Another process fetches uv, which installs packages; waiting for it.');
  const uv = await uvFor({ python: interpreter, folder, pins, run, clock, wait }, signal);
  const count = readFileSync(file, 'utf8').match(/^[A-Za-z]/gm)?.length ?? 0;
  const what = `Installing ${count.toString()} packages (${called})`;
  let why = typeof uv === 'string' ? uv : '';
  if (typeof uv !== 'string') {
    report(`${what}.`);
    const installed = await installWithUv(uv, { interpreter, file, run }, signal);
    signal.throwIfAborted();
    if (installed.code === 0) {
      return installed;
    }
    why = `uv could not: ${shownName(installed.stderr.trim().split('\n').at(-1) ?? '')}`;
  }
  report(`${what} with pip, which takes a few minutes (${why}).`);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--no-deps', '-r', file];
  const installed = await run(interpreter, pip, signal);
  signal.throwIfAborted();
  return installed;
}
