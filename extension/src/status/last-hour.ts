/** The last hour of clusters in a line each, for the tooltip, which has room for text alone. Knows no editor. */
import type { Cluster, HitchClient } from '@hitch/contract';
import { course } from '@hitch/contract/src/metrics/words.ts';
import type { UsePage } from '@hitch/contract/src/use/wire.ts';
import { nowWords, runningNodes } from '@hitch/contract/src/use/words.ts';

const HOUR_MS = 3_600_000;
const BLOCKS = 20;

/** `Last hour: ▁▂▇▇▃ CPU 34 %, memory 4.2 GB of 64.0 GB; GPU 0 97 %`; null where nothing was measured. */
export function lastHourWords(page: UsePage): string | null {
  const drawn =
    page.series.find(({ of, kind }) => of === 'gpu' && kind === 'busy') ??
    page.series.find(({ of, kind }) => of === 'machine' && kind === 'cpu');
  const values = drawn?.values.flatMap(value => value ?? []) ?? [];
  return values.length < 2 ? null : `Last hour: ${course(values, BLOCKS)} ${nowWords(page)}`;
}

/** Of those that answer, by the cluster's id. */
export async function lastHours(
  api: HitchClient['api'],
  clusters: readonly Cluster[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const said = await Promise.all(
    clusters
      .filter(cluster => runningNodes(cluster).some(({ index }) => index === 0))
      .map(async ({ id: clusterId }): Promise<readonly [string, string][]> => {
        try {
          const asked = { clusterId, nodeIndex: 0, scale: 'coarse', withinMs: HOUR_MS } as const;
          const words = lastHourWords(await api.nodes.use(asked, { signal }));
          return words === null ? [] : [[clusterId, words]];
        } catch {
          // A tooltip without it is a tooltip still.
          return [];
        }
      }),
  );
  return new Map(said.flat());
}
