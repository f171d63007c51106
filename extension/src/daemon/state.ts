/** What the extension knows. Every view is drawn from this; none asks the network when it is drawn. */
import type { Cluster, ClusterPhase, Preset, ProviderInfo, TemplateInfo } from '@hitch/contract';
import { isRealSource } from '@hitch/contract/src/network-state.ts';
import { isOver } from '@hitch/contract/src/words.ts';

/**
 * `starting`: looked for · `absent`: no daemon runs and nobody asked for one · `loading`: found, its list is awaited ·
 * `live`: the event stream is open · `lost`: it was there; what is shown is the last known · `failed`: it could not be
 * started or talked to.
 */
export type Connection = 'starting' | 'absent' | 'loading' | 'live' | 'lost' | 'failed';

export interface State {
  readonly connection: Connection;
  /** A sentence, where something is wrong. */
  readonly problem: string | null;
  /** Null until the first list has come. */
  readonly clusters: readonly Cluster[] | null;
  readonly providers: readonly ProviderInfo[];
  readonly templates: readonly TemplateInfo[];
  /** What is usually rented. */
  readonly presets: readonly Preset[];
}

export const INITIAL: State = {
  connection: 'starting',
  problem: null,
  clusters: null,
  providers: [],
  templates: [],
  presets: [],
};

export const isLive = (cluster: Cluster): boolean => !isOver(cluster);

/** Between the yes and a machine that works, or on its way out: its row counts seconds. */
const MOVING: ReadonlySet<ClusterPhase> = new Set([
  'requested',
  'purchasing',
  'bootstrapping',
  'starting',
  'stopping',
]);
export const isMoving = ({ phase }: Cluster): boolean => MOVING.has(phase);

/** It is saved from before its machines are destroyed. */
export const isSavingAtStop = ({ phase, saving }: Cluster): boolean =>
  phase === 'stopping' && saving !== null;

/** How far a save is has no events. */
export const movesUntold = ({ phase, saving }: Cluster): boolean => phase === 'stopping' || saving !== null;

export const canRun = (cluster: Cluster): boolean =>
  isLive(cluster) && cluster.phase !== 'stopping' && cluster.conditions.kernel.status === 'yes';

/** A network's name as people know it. */
export const titlesOf =
  (providers: readonly ProviderInfo[]) =>
  (id: string): string =>
    providers.find(provider => provider.id === id)?.title ?? id;

/** Whether a live run has confirmed Hitch with it, where it takes money. */
export const verifiedOf =
  (providers: readonly ProviderInfo[]) =>
  (id: string): boolean =>
    !providers.some(provider => provider.id === id && provider.kind === 'network' && !provider.verifiedLive);

export const practiceOnly = ({ providers }: State): boolean =>
  providers.some(({ kind, enabled }) => kind === 'practice' && enabled) && !providers.some(isRealSource);

/** For `when` clauses: what an empty view says, and whether the daemon can be started from it. */
export function connectionWord({ connection, clusters }: State): string {
  switch (connection) {
    case 'starting':
    case 'absent':
    case 'loading':
    case 'failed':
      return connection;
    case 'live':
      return 'ready';
    case 'lost':
      return clusters === null ? 'loading' : 'lost';
  }
}
