/** What to say while a cluster comes up: the stages as they are, never a made-up percentage. */
import type { Cluster, TitleOf } from '@hitch/contract';
import { clusterLine } from '@hitch/contract/src/words.ts';
import { isLive } from '../daemon/state.ts';

export type Arrival = 'coming' | 'usable' | 'over';

/** `usable`: the first cell can run, although Ray's workers may still join. */
export function arrivalOf(cluster: Cluster): Arrival {
  if (!isLive(cluster) || cluster.phase === 'stopping') {
    return 'over';
  }
  return cluster.conditions.kernel.status === 'yes' ? 'usable' : 'coming';
}

export function stageOf(
  cluster: Cluster,
  context: { nowMs: number; titleOf: TitleOf; candidates: number },
): string {
  return clusterLine(cluster, context.nowMs, context);
}
