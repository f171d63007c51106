/** Builds the way to the daemon of one home: the place, and the model over it. A window without a daemon loads no more. */
import { existsSync } from 'node:fs';
import type { Cluster } from '@hitch/contract';
import type { DaemonProgram } from '@hitch/client-node/src/connect.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { type Home, homeAt, homeFromEnvironment } from '@hitch/platform/src/paths.ts';
import { HitchModel } from './model.ts';
import { DaemonPlace } from './place.ts';
import { isLive } from './state.ts';

export interface ConnectionOptions {
  /** Empty: `HITCH_HOME`, or `~/.hitch`. */
  readonly homeFolder: string;
  readonly program: DaemonProgram;
  readonly wantedFromTheStart: boolean;
  /** Of this window's workspace, absolute: templates are looked for there too. */
  readonly folders: () => readonly string[];
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
  const reach = () => import('./reach.ts');
  const place: DaemonPlace = new DaemonPlace({
    find: async () => (existsSync(home.discovery) ? (await reach()).findDaemon(home) : null),
    ensure: async () => (await reach()).ensureDaemon(home, options.program),
    // One that ended in order takes its file along; one that died leaves it, and whoever spoke with it has another.
    isNeeded: () => known().some(isLive) || (place.last !== null && existsSync(home.discovery)),
    monotonic: () => systemClock.monotonic(),
  });
  const model = new HitchModel({
    place,
    loadClient: async () => (await reach()).clientAt(place),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    report: options.report,
    wantedFromTheStart: options.wantedFromTheStart,
    folders: options.folders,
  });
  return { home, place, model };
}
