/** Finding the cluster a person means, and following it. */
import { HitchError, type Cluster, type ClusterId, type ClusterEvent } from '@hitch/contract';
import type { Context } from './context.ts';
import type { Api } from '@hitch/client-node/src/session.ts';

/** The cluster with this name or id. @throws HitchError NOT_FOUND with the names there are. */
export async function findCluster(api: Api, nameOrId: string): Promise<Cluster> {
  const clusters = await api.clusters.list();
  const found = clusters.find(({ name, id }) => name === nameOrId || id === nameOrId);
  if (found === undefined) {
    const names = clusters.map(({ name }) => name);
    throw new HitchError('NOT_FOUND', `There is no cluster "${nameOrId}".`, {
      next: names.length === 0 ? 'Rent one with hitch rent.' : `There are: ${names.join(', ')}.`,
    });
  }
  return found;
}

const LOOK_AGAIN_MS = 400;

export interface Watching {
  /** Called with the newest state at least as often as something changes, and often enough to show a clock. */
  readonly seen: (cluster: Cluster) => void;
  /** Called once for each event after `afterSeq`, in order. */
  readonly event?: (event: ClusterEvent) => void;
  readonly afterSeq?: number;
  readonly signal?: AbortSignal;
}

/**
 * Looks at the cluster until `done` says so. Events come from the stored list by sequence number, so that none is
 * lost or shown twice when the daemon is restarted meanwhile.
 */
export async function followCluster(
  context: Pick<Context, 'clock' | 'session'>,
  clusterId: ClusterId,
  done: (cluster: Cluster) => boolean,
  watching: Watching,
): Promise<Cluster> {
  const { api } = await context.session();
  let shownSeq = watching.afterSeq ?? 0;
  for (;;) {
    watching.signal?.throwIfAborted();
    const cluster = await api.clusters.get({ clusterId });
    while (watching.event !== undefined && shownSeq < cluster.lastEventSeq) {
      const events = await api.clusters.events({ clusterId, afterSeq: shownSeq });
      const last = events.at(-1);
      if (last === undefined) {
        break;
      }
      events.forEach(watching.event);
      shownSeq = last.seq;
    }
    watching.seen(cluster);
    if (done(cluster)) {
      return cluster;
    }
    await context.clock.sleep(LOOK_AGAIN_MS, watching.signal);
  }
}
