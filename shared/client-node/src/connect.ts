/** A client's way to the daemon in Node: find it, or start it in the background, and talk to it. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HitchClient, HitchError, PROTOCOL } from '@hitch/contract';
import { storageError, writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { type Clock, systemClock } from '@hitch/platform/src/clock.ts';
import { FRUGAL_ALLOCATOR, FRUGAL_FLAGS } from '@hitch/platform/src/memory.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { type FoundDaemon, findDaemon } from './find.ts';
import { mendProxy } from './mend-proxy.ts';
import { prepareHome } from './prepare-home.ts';
import { compareVersions, VERSION } from '@hitch/platform/src/version.ts';

/** A daemon that takes over waits for the older one to end. */
const START_TIMEOUT_MS = 45_000;
const LOOK_AGAIN_MS = 50;
/** The store and the logs need more than this to begin. */
const PROBE_BYTES = 256 * 1024;

export interface DaemonProgram {
  /** What runs it: Node (or an editor's own with `ELECTRON_RUN_AS_NODE`), which takes {@link FRUGAL_FLAGS}. */
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the daemon so that it outlives this process, and waits until it answers. @throws HitchError with what it said. */
export async function startDaemonDetached(
  home: Home,
  program: DaemonProgram,
  clock: Clock = systemClock,
): Promise<FoundDaemon> {
  const output = join(home.logs, 'daemon.out');
  let file: number;
  try {
    prepareHome(home);
    file = openSync(output, 'w', 0o600);
  } catch (error) {
    throw storageError(error, home.root);
  }
  const child = spawn(program.command, [...FRUGAL_FLAGS, ...program.args], {
    detached: true,
    stdio: ['ignore', file, file],
    env: { ...process.env, ...FRUGAL_ALLOCATOR, ...program.environment, HITCH_HOME: home.root },
    cwd: home.root,
    windowsHide: true,
  });
  closeSync(file);
  const outcome: { ended: number | null; error: Error | null } = { ended: null, error: null };
  child.once('exit', code => (outcome.ended = code ?? -1));
  child.once('error', error => (outcome.error = error));
  child.unref();

  const deadline = clock.monotonic() + START_TIMEOUT_MS;
  while (clock.monotonic() < deadline) {
    const found = await findDaemon(home);
    if (found !== null && compareVersions(found.discovery.version, VERSION) >= 0) {
      return found;
    }
    if (outcome.error !== null || (outcome.ended !== null && outcome.ended !== 0)) {
      throwIfFull(home);
      throw new HitchError('UNREACHABLE', `The daemon did not start: ${lastWords(output)}`, {
        next: 'Run hitch doctor.',
        cause: outcome.error,
      });
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
  throw new HitchError('UNREACHABLE', `The daemon did not answer within ${START_TIMEOUT_MS / 1000} s.`, {
    next: `Look into ${join(home.logs, 'daemon.log')}, and run hitch doctor.`,
  });
}

/** A daemon cannot even say that the disk is full: its words would lie there. @throws HitchError STORAGE_FULL. */
function throwIfFull(home: Home): void {
  const probe = join(home.logs, 'room');
  writeFileAtomic(probe, Buffer.alloc(PROBE_BYTES));
  rmSync(probe, { force: true });
}

function lastWords(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-2).join(' ') || 'it said nothing.';
  } catch {
    return 'it said nothing.';
  }
}

/**
 * The daemon that runs, or a new one; an older one than this program is replaced.
 * @throws HitchError VERSION_MISMATCH when a newer one runs that this program cannot talk to.
 */
export async function ensureDaemon(home: Home, program: DaemonProgram): Promise<FoundDaemon> {
  const found = await findDaemon(home);
  if (found === null || compareVersions(VERSION, found.discovery.version) > 0) {
    return startDaemonDetached(home, program);
  }
  if (found.discovery.protocol !== PROTOCOL) {
    throw new HitchError(
      'VERSION_MISMATCH',
      `The daemon that runs is Hitch ${found.discovery.version}, which this copy (${VERSION}) cannot talk to.`,
      { next: 'Update this copy of Hitch.' },
    );
  }
  mendProxy(home, {
    node: program.command,
    hitch: program.args[0] ?? '',
    environment: { ...process.env, ...program.environment },
  });
  return found;
}

/** A client that stays with the daemon of `home`: when it has started anew, its new port and token are used. */
export function clientFor(home: Home, clientId: string, first: FoundDaemon): HitchClient {
  let known = first;
  let looking: Promise<void> | null = null;
  let lookedAt = systemClock.monotonic();
  const current = async (): Promise<FoundDaemon> => {
    // One look serves a burst of calls; a dead daemon's token would only be refused.
    if (systemClock.monotonic() - lookedAt > 1_000) {
      looking ??= findDaemon(home).then(found => {
        known = found ?? known;
        lookedAt = systemClock.monotonic();
        looking = null;
      });
      await looking;
    }
    return known;
  };
  return new HitchClient({
    baseUrl: async () => (await current()).baseUrl,
    token: async () => (await current()).token,
    clientId,
  });
}
