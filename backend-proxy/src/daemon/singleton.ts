/**
 * One daemon a home. The store's exclusive lock decides; this asks an older daemon to step down, recognises that
 * another one already does the work, and waits out the moments in between.
 */
import { HitchClient, HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { isAlive } from '@hitch/client-node/src/discovery.ts';
import { findDaemon, type FoundDaemon } from '@hitch/client-node/src/find.ts';
import { compareVersions } from '@hitch/platform/src/version.ts';

/** Long enough for an older daemon to finish what it is answering. */
const WAIT_MS = 30_000;
const LOOK_AGAIN_MS = 100;

/** Another daemon does the work: nothing is wrong. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
  readonly found: FoundDaemon;

  constructor(found: FoundDaemon) {
    const { version, pid, port } = found.discovery;
    super(`Hitch ${version} already runs (process ${pid}, http://127.0.0.1:${port}).`);
    this.found = found;
  }
}

export interface SingletonOptions<T> {
  readonly home: Home;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** @throws HitchError CONFLICT while another daemon holds the store. */
  readonly open: () => Promise<T>;
  readonly waitMs?: number;
}

/** @throws AlreadyRunning; HitchError VERSION_MISMATCH when a newer one runs, and whatever opening the store throws. */
export async function becomeTheDaemon<T>(options: SingletonOptions<T>): Promise<T> {
  const { home, version, clock, log, open } = options;
  const deadline = clock.monotonic() + (options.waitMs ?? WAIT_MS);
  let askedPid = 0;
  for (;;) {
    const found = await findDaemon(home);
    if (found !== null) {
      const difference = compareVersions(version, found.discovery.version);
      if (difference === 0) {
        throw new AlreadyRunning(found);
      }
      if (difference < 0) {
        throw new HitchError(
          'VERSION_MISMATCH',
          `A newer Hitch (${found.discovery.version}) already runs; this copy is ${version}.`,
          { next: 'Use the newer one, or update this copy.' },
        );
      }
      if (askedPid !== found.discovery.pid) {
        askedPid = found.discovery.pid;
        log.info('Taking over from an older daemon', { version: found.discovery.version, pid: askedPid });
        await askToStepDown(found, log);
      }
    }
    // The older one lets go of the store last of all, so it is gone once the lock is free.
    try {
      return await open();
    } catch (error) {
      const locked = error instanceof HitchError && error.code === 'CONFLICT';
      if (!locked) {
        throw error;
      }
      if (clock.monotonic() >= deadline) {
        throw stuck(home, found, error);
      }
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

async function askToStepDown(found: FoundDaemon, log: Log): Promise<void> {
  const client = new HitchClient({ ...found, token: () => found.token, clientId: 'takeover' });
  try {
    await client.api.daemon.stop();
  } catch (error) {
    log.warn('The older daemon did not answer the request to step down', { error: errorText(error) });
  }
}

function stuck(home: Home, found: FoundDaemon | null, cause: unknown): HitchError {
  const pid = found?.discovery.pid;
  const who = pid !== undefined && isAlive(pid) ? ` (process ${pid})` : '';
  return new HitchError('CONFLICT', `Another Hitch daemon${who} holds ${home.store} and does not answer.`, {
    next: 'End that process, then start Hitch again; clusters are not touched by it.',
    cause,
  });
}
