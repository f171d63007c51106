/** Ports of the clusters that this daemon has. */
import { createPorts, type Ports, type PortsOptions } from '../access/ports/ports.ts';
import { linkTo } from '../api/agent-calls.ts';
import type { Clusters } from '../clusters/create-clusters.ts';
import type { Ids } from '@hitch/platform/src/random.ts';

export interface PortsParts extends Pick<PortsOptions, 'clock' | 'log' | 'port'> {
  readonly ids: Pick<Ids, 'secret'>;
  readonly clusters: Pick<Clusters, 'service' | 'ledger'>;
}

export const portsOf = ({ ids, clusters, ...options }: PortsParts): Ports =>
  createPorts({
    ...options,
    secret: () => ids.secret(),
    linkFor: (id, nodeIndex) => linkTo(clusters.service, id, nodeIndex),
    rayToken: id => clusters.ledger.state(id)?.cluster.engineToken ?? null,
  });
