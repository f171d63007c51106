/** The CLI's way to the daemon of a home: found or started, and found or started again when it has died meanwhile. */
import { HitchClient, HitchError } from '@hitch/contract';
import { findDaemon, type FoundDaemon } from './find.ts';
import { ensureDaemon, type DaemonProgram } from './connect.ts';
import { isAlive } from './discovery.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { DaemonAddress, Daemons, DaemonStatus, Session } from './session.ts';

/** Keeps what is known of the daemon until somebody reports that it does not hold any more. */
class Whereabouts {
  readonly #home: Home;
  readonly #program: DaemonProgram;
  #found: Promise<FoundDaemon> | null = null;

  constructor(home: Home, program: DaemonProgram) {
    this.#home = home;
    this.#program = program;
  }

  /** @throws HitchError when the daemon can neither be found nor started. */
  now(): Promise<FoundDaemon> {
    this.#found ??= ensureDaemon(this.#home, this.#program).catch((error: unknown) => {
      this.#found = null;
      throw error;
    });
    return this.#found;
  }

  /** Several callers may say so of the same daemon; the first one counts. */
  async doubt(suspect: FoundDaemon): Promise<FoundDaemon> {
    if ((await this.now()) === suspect) {
      this.#found = null;
    }
    return this.now();
  }
}

const TRIES = 4;

function refused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

/** The same request to the daemon as it is now. */
function readdressed(request: Request, from: FoundDaemon, to: FoundDaemon): Request {
  const moved = new Request(request.url.replace(from.baseUrl, to.baseUrl), request);
  moved.headers.set('authorization', `Bearer ${to.token}`);
  return moved;
}

/**
 * Sends a request, and sends it again where that is harmless: it never arrived (the connection was refused), it only
 * reads, or the daemon did not know the bearer because it had started anew.
 */
async function sendSurely(places: Whereabouts, first: Request): Promise<Response> {
  let request = first;
  let place = await places.now();
  for (let tries = 1; ; tries++) {
    const attempt = request.clone();
    const last = tries === TRIES || request.signal.aborted;
    try {
      const response = await fetch(attempt);
      if (response.status !== 401 || last) return response;
      await response.body?.cancel();
    } catch (error) {
      if (last || !(request.method === 'GET' || refused(error))) throw error;
    }
    const next = await places.doubt(place);
    request = readdressed(request, place, next);
    place = next;
  }
}

function openSession(places: Whereabouts): Session {
  const client = new HitchClient({
    baseUrl: async () => (await places.now()).baseUrl,
    token: async () => (await places.now()).token,
    clientId: 'cli',
    fetch: request => sendSurely(places, request),
  });
  return {
    client,
    api: client.api,
    address: async (): Promise<DaemonAddress> => {
      const place = await places.now();
      // A socket that failed says nothing of why; a dead process does.
      return isAlive(place.discovery.pid) ? place : places.doubt(place);
    },
    close: () => Promise.resolve(),
  };
}

export interface HomeDaemonsOptions {
  readonly home: Home;
  /** How the daemon is started in the background. */
  readonly program: DaemonProgram;
  readonly clock: Clock;
  readonly runForeground: () => Promise<void>;
}

const STOP_WITHIN_MS = 15_000;
const LOOK_AGAIN_MS = 50;

async function stopDaemon({ home, clock }: HomeDaemonsOptions): Promise<boolean> {
  const found = await findDaemon(home);
  if (found === null) {
    return false;
  }
  const client = new HitchClient({ ...found, token: () => found.token, clientId: 'cli' });
  await client.api.daemon.stop();
  const deadline = clock.monotonic() + STOP_WITHIN_MS;
  while (isAlive(found.discovery.pid)) {
    if (clock.monotonic() > deadline) {
      throw new HitchError(
        'UNREACHABLE',
        `The daemon (process ${found.discovery.pid}) is still finishing its work.`,
        {
          next: 'Look again with hitch daemon status.',
        },
      );
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
  return true;
}

async function statusOf(home: Home): Promise<DaemonStatus> {
  const discovery = (await findDaemon(home))?.discovery;
  return {
    running: discovery !== undefined,
    pid: discovery?.pid ?? null,
    port: discovery?.port ?? null,
    version: discovery?.version ?? null,
    home: home.root,
  };
}

export function homeDaemons(options: HomeDaemonsOptions): Daemons {
  return {
    connect: async () => {
      const places = new Whereabouts(options.home, options.program);
      await places.now();
      return openSession(places);
    },
    status: () => statusOf(options.home),
    stop: () => stopDaemon(options),
    runForeground: options.runForeground,
  };
}
