/** `hitch doctor`: what this computer has for Hitch, each check a sentence and, where something is wrong, a next step. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import type { DoctorCheck } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { type Keychain, NO_KEYCHAIN_MODULE } from '../secrets/keychain.ts';

const OLDEST_NODE = [22, 13] as const;
const LOW_DISK_BYTES = 5 * 1024 ** 3;
const NO_DISK_BYTES = 512 * 1024 ** 2;
const PROBE_TIMEOUT_MS = 15_000;

export interface DoctorOptions {
  readonly home: Home;
  readonly port: () => number;
  readonly keychain: Keychain;
  /** What the records and the networks say. */
  readonly more?: () => Promise<readonly DoctorCheck[]>;
  /** The interpreter the person named (`HITCH_PYTHON`), if any. */
  readonly namedPython: string | null;
}

type Outcome = Omit<DoctorCheck, 'name'>;

const ok = (message: string): Outcome => ({ status: 'ok', message, next: null });
const warning = (message: string, next: string): Outcome => ({ status: 'warning', message, next });
const problem = (message: string, next: string): Outcome => ({ status: 'problem', message, next });

/** Runs a program and answers what it prints, or null when it is not there or fails. */
function output(file: string, args: readonly string[], signal: AbortSignal): Promise<string | null> {
  return new Promise(resolve => {
    execFile(
      file,
      args,
      { timeout: PROBE_TIMEOUT_MS, signal, windowsHide: true },
      (error, stdout, stderr) => {
        // ssh tells its version on the other stream.
        resolve(error === null ? stdout.trim() || stderr.trim() : null);
      },
    );
  });
}

function node(): Outcome {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const enough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return enough
    ? ok(`Node ${process.versions.node} runs the daemon.`)
    : problem(
        `Node ${process.versions.node} is older than ${OLDEST_NODE.join('.')}.`,
        'Install a newer Node, or start Hitch from its wheel, which brings one.',
      );
}

function home({ home: { root } }: DoctorOptions): Outcome {
  try {
    accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return problem(
      `${root} cannot be written.`,
      'Correct its rights, or point HITCH_HOME at another folder.',
    );
  }
  const mode = statSync(root).mode & 0o077;
  return process.platform !== 'win32' && mode !== 0
    ? warning(`${root} can be entered by other users of this computer.`, `Run chmod 700 ${root}.`)
    : ok(`${root} belongs to you alone.`);
}

function disk({ home: { root } }: DoctorOptions): Outcome {
  const { bavail, bsize } = statfsSync(root);
  const free = bavail * bsize;
  const shown = `${(free / 1024 ** 3).toFixed(1)} GB are free for ${root}`;
  const next = 'Free some space: saved results and the Python environment need a few gigabytes.';
  if (free < NO_DISK_BYTES) {
    return problem(`Only ${shown}.`, next);
  }
  return free < LOW_DISK_BYTES ? warning(`Only ${shown}.`, next) : ok(`${shown}.`);
}

async function python({ namedPython }: DoctorOptions, signal: AbortSignal): Promise<Outcome> {
  const candidates = namedPython === null ? ['python3', 'python'] : [namedPython];
  for (const candidate of candidates) {
    const version = await output(
      candidate,
      ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'],
      signal,
    );
    const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
    if (version !== null && major === 3 && minor >= 10) {
      return ok(`Python ${version} (${candidate}) can run notebooks on this computer.`);
    }
    if (version !== null) {
      return warning(`Python ${version} (${candidate}) is older than 3.10.`, 'Install Python 3.10 or newer.');
    }
  }
  return warning(
    `No Python was found (${candidates.join(', ')}): this computer and practice offers cannot run notebooks.`,
    'Install Python 3.10 or newer, or name one with HITCH_PYTHON.',
  );
}

async function ray(
  { namedPython, home: { python: folder } }: DoctorOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  if (namedPython === null) {
    return ok(`Hitch puts Ray into its own environment under ${folder} when a cluster needs it.`);
  }
  const version = await output(
    namedPython,
    ['-c', 'from importlib.metadata import version; print(version("ray"))'],
    signal,
  );
  if (version === null) {
    return warning(`${namedPython} has no Ray.`, `Run ${namedPython} -m pip install "ray[default]".`);
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 52)
    ? ok(`${namedPython} has Ray ${version}.`)
    : problem(
        `${namedPython} has Ray ${version}, which cannot protect a cluster with a token.`,
        'Install Ray 2.52 or newer.',
      );
}

async function keychain({ keychain: system, home: { secrets, logins } }: DoctorOptions): Promise<Outcome> {
  const why = await system.problem();
  return why === null
    ? ok('Secrets and logins are kept in this computer’s keychain.')
    : warning(
        `The keychain cannot be used (${why}): secrets are kept in ${secrets} and logins in ${logins}, not encrypted.`,
        why.startsWith(NO_KEYCHAIN_MODULE)
          ? `Keep both on an encrypted disk, or set no secrets and log in nowhere on this computer.`
          : 'Unlock or install a keychain (on Linux a Secret Service such as gnome-keyring).',
      );
}

async function git(_: DoctorOptions, signal: AbortSignal): Promise<Outcome> {
  const version = await output('git', ['--version'], signal);
  return version === null
    ? warning('git was not found: templates cannot be shared by repository.', 'Install git if you want that.')
    : ok(`${version} is installed.`);
}

async function ssh(_: DoctorOptions, signal: AbortSignal): Promise<Outcome> {
  const version = await output('ssh', ['-V'], signal);
  return version === null
    ? warning('ssh was not found: ssh, scp and editors cannot open clusters.', 'Install OpenSSH’s client.')
    : ok(`${version.split(',')[0] ?? ''} can open clusters; hitch ssh-config says how.`);
}

function port({ port: current }: DoctorOptions): Outcome {
  return ok(`The daemon listens on 127.0.0.1:${current()} and nowhere else.`);
}

const CHECKS: Readonly<
  Record<string, (options: DoctorOptions, signal: AbortSignal) => Outcome | Promise<Outcome>>
> = { node, home, disk, port, keychain, python, ray, git, ssh };

export async function runDoctor(
  options: DoctorOptions,
  signal: AbortSignal,
): Promise<readonly DoctorCheck[]> {
  const own = Promise.all(
    Object.entries(CHECKS).map(async ([name, check]) => {
      try {
        return { name, ...(await check(options, signal)) };
      } catch (error) {
        return { name, ...problem(`This check failed: ${errorText(error)}`, 'Look into the daemon’s log.') };
      }
    }),
  );
  return [...(await own), ...((await options.more?.()) ?? [])];
}
