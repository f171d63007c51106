/** Parts of clusters, for commands that show them. */
import type { Cluster } from '@hitch/contract';
import { ids, START_MS } from '../store/records.ts';

const no = { status: 'no', reason: '', message: '', sinceMs: START_MS } as const;
const yes = { ...no, status: 'yes' } as const;
export const up = { kernel: yes, engine: yes, billing: yes, cleanup: no };
export const goneConditions = { kernel: no, engine: no, billing: no, cleanup: yes };

export const node = (cluster: Pick<Cluster, 'id'>, index: number): Cluster['nodes'][number] => ({
  id: ids.next('nod'),
  clusterId: cluster.id,
  index,
  phase: 'ready',
  message: '',
  phaseSinceMs: START_MS,
  title: '1× RTX 4090, 24 GB',
  provider: 'sandbox',
  signals: null,
  attempts: [],
});
