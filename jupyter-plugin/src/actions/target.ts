/** Which cluster a command is about: the one named, the one under the context menu, the only one, or the one chosen. */
import { clusterIdSchema, type Cluster, type ClusterId } from '@hitch/contract';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { askItem } from '../ui/dialogs.ts';
import type { Deps } from './deps.ts';

export const clusterArgs = {
  type: 'object',
  additionalProperties: false,
  properties: {
    clusterId: {
      type: 'string',
      description: 'The id of the cluster; a person is asked when it is left out.',
    },
  },
} as const;

export function namedCluster(
  clusters: readonly Cluster[],
  args: ReadonlyPartialJSONObject,
): Cluster | undefined {
  return clusters.find(({ id }) => id === args['clusterId']);
}

/** The id in the arguments, also of a cluster that is not heard of yet. */
export function clusterIdIn(args: ReadonlyPartialJSONObject): ClusterId | null {
  const read = clusterIdSchema.safeParse(args['clusterId']);
  return read.success ? read.data : null;
}

/** Null when the person chose none. */
export async function targetCluster(
  { hitch, trans }: Pick<Deps, 'hitch' | 'trans'>,
  args: ReadonlyPartialJSONObject,
  suits: (cluster: Cluster) => boolean,
): Promise<Cluster | null> {
  const named = namedCluster(hitch.clusters, args);
  if (named !== undefined) {
    return named;
  }
  const fitting = hitch.clusters.filter(suits);
  const [only] = fitting;
  if (only === undefined || fitting.length === 1) {
    return only ?? null;
  }
  const value = await askItem(
    trans.__('Which cluster?'),
    fitting.map(({ name }) => name),
  );
  return fitting.find(({ name }) => name === value) ?? null;
}
