/** What one of the user's machines offers: all of it, and, where it has GPUs, the same without them. */
import type { Offer, ProviderId } from '@hitch/contract';
import { rebootOf } from '../../machines/far/about.ts';
import type { FarFacts } from '../../machines/far/facts.ts';
import { chooseRoot, programsFor } from '../../machines/far/place.ts';
import { type Lease, USES_AT_ONCE } from './leases.ts';
import type { OwnHost } from './own-hosts.ts';

export interface Offered {
  readonly provider: ProviderId;
  readonly host: OwnHost;
  readonly facts: FarFacts;
  readonly leases: readonly Lease[];
  readonly nowMs: number;
  /** Whether it is the only one: nodes on one machine reach each other, and whether two machines do is not known. */
  readonly isOnly: boolean;
}

/** @throws HostError with the sentence that says why no cluster can run there. */
export function offersOf(offered: Offered): readonly Offer[] {
  const { facts, leases, host } = offered;
  programsFor(host.name, facts);
  const root = chooseRoot(host.name, facts);
  const freeMiB = facts.places.find(place => place.root === root)?.freeMiB ?? 0;
  const free = USES_AT_ONCE - leases.length;
  if (free <= 0) {
    return [];
  }
  const plain = offer(offered, freeMiB, free, false);
  const areGpusFree = facts.gpus.gpus.length > 0 && !leases.some(({ gpuCount }) => gpuCount > 0);
  return areGpusFree ? [offer(offered, freeMiB, 1, true), plain] : [plain];
}

function offer(
  { provider, host, facts, nowMs, isOnly }: Offered,
  freeMiB: number,
  stock: number,
  withGpus: boolean,
): Offer {
  const { name, pricePerHourMicroUsd } = host;
  const gpus = withGpus ? facts.gpus.gpus : [];
  return {
    id: `${provider}:${name}:${withGpus ? 'gpu' : 'cpu'}`,
    provider,
    practice: false,
    gpuModel: gpus[0]?.model ?? null,
    gpuCount: gpus.length,
    // The smallest one bounds what fits on each.
    vramMiB: gpus.length === 0 ? 0 : Math.min(...gpus.map(({ memoryMiB }) => memoryMiB)),
    pricePerHourMicroUsd,
    priceParts: [{ label: name, perHourMicroUsd: pricePerHourMicroUsd }],
    nonRefundableMicroUsd: '0',
    country: null,
    region: null,
    supplier: name,
    kind: 'process',
    market: 'on_demand',
    trust: 'own',
    reliability: null,
    connectivity: null,
    security: 'standard',
    cpuCores: facts.cpuCores,
    ramMiB: facts.memoryMiB,
    diskGiB: Math.floor(freeMiB / 1024),
    downMbps: null,
    upMbps: null,
    cudaMax: facts.gpus.cudaMax,
    endsBillingAlone: true,
    ...(rebootOf(facts) === 'nothing' ? { returnsAfterReboot: false } : {}),
    multiNode: isOnly,
    stock,
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}
