/** What a run comes to in the end, and what still stands where it does not. */
import type { ClusterService } from '../../backend-proxy/src/clusters/service.ts';
import type { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';

/**
 * What Hitch says all cost, against what the market bills for these refs: in sum, or purchase by purchase where that
 * is further apart. In micro-dollars.
 */
export async function meterError(
  service: ClusterService,
  market: SandboxMarket,
  refs: readonly string[],
): Promise<bigint> {
  const billed = [...new Set(refs)].reduce((sum, ref) => sum + market.billed(ref), 0n);
  const { costMicroUsd } = await service.usageTotal(0, Number.MAX_SAFE_INTEGER);
  const total = absolute(BigInt(costMicroUsd) - billed);
  const apart = service
    .list()
    .flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts))
    .reduce((sum, { ref, costMicroUsd: cost }) => sum + absolute(BigInt(cost) - market.billed(ref)), 0n);
  return total > apart ? total : apart;
}

function absolute(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

/** What still stands, a line each, for a person who replays a run. */
export function standing(service: ClusterService | undefined, market: SandboxMarket): readonly string[] {
  const clusters = (service?.list() ?? []).flatMap(cluster => [
    `${cluster.name} ${cluster.phase} (${cluster.message}) ${JSON.stringify(cluster.conditions)}`,
    ...cluster.nodes.flatMap(node => [
      `  node ${node.index.toString()} ${node.phase}: ${node.message}`,
      ...node.attempts.map(
        attempt => `    ${attempt.state} ${attempt.instanceId ?? ''} ${attempt.ref}: ${attempt.message}`,
      ),
    ]),
  ]);
  return [...clusters, ...market.rentals().map(rental => JSON.stringify(rental))];
}
