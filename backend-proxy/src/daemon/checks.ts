/** What `hitch doctor` asks beside this computer: the networks, and the records of what is rented. */
import type { DoctorCheck } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Clusters } from '../clusters/create-clusters.ts';
import { networkChecks } from '../networks/network-checks.ts';
import type { Networks } from '../networks/networks.ts';

export async function checksOfAll(
  networks: Networks,
  clusters: Clusters,
  clock: Clock,
): Promise<readonly DoctorCheck[]> {
  const ofNetworks = await networkChecks({
    networks: networks.list(),
    clusters: clusters.service.list(),
    test: id => networks.test(id),
    nowMs: clock.now(),
  });
  return [...ofNetworks, ...(await clusters.checks())];
}
