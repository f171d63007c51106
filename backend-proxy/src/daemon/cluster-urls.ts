/** Tokens of the clusters that this daemon has. */
import { ClusterUrls, type ClusterUrlsOptions } from '../access/cluster-urls.ts';
import type { Clusters } from '../clusters/create-clusters.ts';

export interface ClusterUrlsParts extends Pick<ClusterUrlsOptions, 'file' | 'ids' | 'log'> {
  readonly clusters: Pick<Clusters, 'ledger'>;
}

export const clusterUrlsOf = ({ clusters: { ledger }, ...options }: ClusterUrlsParts): ClusterUrls =>
  new ClusterUrls({
    ...options,
    isOpen: id => ledger.state(id)?.cluster.endedAtMs === null,
    onChange: listener => ledger.onCommit(listener),
  });
