/** Builds the way to the daemon of one home: the place, the client that stays with it, and the model over both. */
import { type Cluster, HitchClient } from '@hitch/contract';
import { type DaemonProgram, ensureDaemon } from '@hitch/proxy/src/daemon/connect.ts';
import { findDaemon } from '@hitch/proxy/src/daemon/find.ts';
import { systemClock } from '@hitch/proxy/src/platform/clock.ts';
import { type Home, homeAt, homeFromEnvironment } from '@hitch/proxy/src/platform/paths.ts';
import { HitchModel } from './model.ts';
import { DaemonPlace } from './place.ts';
import { sendSurely } from './send.ts';
import { isLive } from './state.ts';

export interface ConnectionOptions {
  /** Empty: `HITCH_HOME`, or `~/.hitch`. */
  readonly homeFolder: string;
  readonly program: DaemonProgram;
  readonly wantedFromTheStart: boolean;
  readonly report: (problem: string, error: unknown) => void;
}

export interface Connection {
  readonly home: Home;
  readonly place: DaemonPlace;
  readonly model: HitchModel;
}

export function connect(options: ConnectionOptions): Connection {
  const home = options.homeFolder === '' ? homeFromEnvironment() : homeAt(options.homeFolder);
  const known = (): readonly Cluster[] => model.state.clusters ?? [];
  const place = new DaemonPlace({
    find: () => findDaemon(home),
    ensure: () => ensureDaemon(home, options.program),
    isNeeded: () => known().some(isLive),
    monotonic: () => systemClock.monotonic(),
  });
  const client = new HitchClient({
    baseUrl: async () => (await place.current()).baseUrl,
    token: async () => (await place.current()).token,
    clientId: 'vscode',
    fetch: request =>
      sendSurely({ place, fetch: sent => fetch(sent), sleep: ms => systemClock.sleep(ms) }, request),
  });
  const model = new HitchModel({
    place,
    client,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    report: options.report,
    wantedFromTheStart: options.wantedFromTheStart,
  });
  return { home, place, model };
}
