// What a demo leaves: nothing. Counted in the daemon's records and, without asking it, in the operating system.
import { type Cluster, isGone } from '@hitch/contract';
import { followCluster } from '../../backend-proxy/src/cli/clusters.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import { countProcesses } from '../../backend-proxy/src/machines/process-table.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { Narrator } from './narrator.ts';

export interface LeftOvers {
  readonly nodesLeft: number;
  readonly processesLeft: number;
}

const attemptsOf = (clusters: readonly Cluster[]) =>
  clusters.flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts));

/** Stops a cluster without saving and waits until it is confirmed gone. */
export async function stopAndWait(
  session: Session,
  cluster: Cluster,
  signal?: AbortSignal,
): Promise<Cluster> {
  if (!isGone(cluster)) {
    await session.api.clusters.stop({ clusterId: cluster.id, skipSave: true });
  }
  const context = { clock: systemClock, session: () => Promise.resolve(session) };
  return followCluster(context, cluster.id, isGone, {
    seen: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Ends what an interrupted demo left behind: its daemon knows every cluster from its store. */
export async function cleanEarlier(session: Session, narrator: Narrator): Promise<void> {
  const earlier = await session.api.clusters.list();
  const standing = earlier.filter(cluster => !isGone(cluster));
  if (standing.length > 0) {
    narrator.step(`An earlier demo was interrupted: ending ${standing.map(({ name }) => name).join(', ')}`);
  }
  for (const cluster of earlier) {
    const gone = await stopAndWait(session, cluster);
    const { processesLeft } = await countLeftOvers([gone]);
    if (processesLeft > 0) {
      throw new Error(`${processesLeft} processes of the earlier demo ${cluster.name} are still there.`);
    }
    await session.api.clusters.remove({ clusterId: cluster.id });
  }
  if (standing.length > 0) {
    narrator.detail('Confirmed gone, and forgotten.');
  }
}

export async function countLeftOvers(clusters: readonly Cluster[]): Promise<LeftOvers> {
  const attempts = attemptsOf(clusters);
  const counts = await Promise.all(attempts.map(({ ref }) => countProcesses(ref)));
  return {
    nodesLeft: attempts.filter(({ state }) => state !== 'gone' && state !== 'refused').length,
    processesLeft: counts.reduce((sum, count) => sum + count, 0),
  };
}
