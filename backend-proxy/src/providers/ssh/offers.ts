/** What one of the user's machines offers: all of it, and, where it has GPUs, the same with some of them and with none. */
import type { Offer, ProviderId } from '@hitch/contract';
import { rebootOf } from '../../machines/far/about.ts';
import type { FarFacts } from '../../machines/far/facts.ts';
import { chooseRoot, programsFor } from '../../machines/far/place.ts';
import { freeGpus, type GpuPart, gpuParts, shareOf } from './gpu-parts.ts';
import { type Lease, usesAtOnce } from './leases.ts';
import type { OwnHost } from './own-hosts.ts';

export interface Offered {
  readonly provider: ProviderId;
  readonly host: OwnHost;
  readonly facts: FarFacts;
  readonly leases: readonly Lease[];
  readonly nowMs: number;
  /** Whether nodes on it reach all others of the same network: it is the only one, or one of those that reach each other. */
  readonly isReached: boolean;
}

/** @throws HostError with the sentence that says why no cluster can run there. */
export function checkUsable(name: string, facts: FarFacts): void {
  programsFor(name, facts);
  chooseRoot(name, facts);
}

/** @throws HostError where no cluster can run there. */
export function offersOf(offered: Offered): readonly Offer[] {
  const { facts, leases, host } = offered;
  const root = chooseRoot(host.name, facts);
  const freeMiB = facts.places.find(place => place.root === root)?.freeMiB ?? 0;
  const { gpus } = facts.gpus;
  const free = usesAtOnce(gpus.length) - leases.length;
  if (free <= 0) {
    return [];
  }
  const parts = gpuParts(gpus, freeGpus(gpus, leases)).map(part =>
    offer(offered, freeMiB, Math.min(free, Math.floor(part.from.length / part.count)), part),
  );
  return [...parts, offer(offered, freeMiB, free, null)];
}

function offer(
  { provider, host, facts, nowMs, isReached }: Offered,
  freeMiB: number,
  stock: number,
  part: GpuPart | null,
): Offer {
  const { name } = host;
  const gpus = part === null ? [] : part.from;
  const pricePerHourMicroUsd =
    part === null ? host.pricePerHourMicroUsd : shareOf(host.pricePerHourMicroUsd, part);
  return {
    id: `${provider}:${name}:${part?.id ?? 'cpu'}`,
    provider,
    practice: false,
    gpuModel: gpus[0]?.model ?? null,
    gpuCount: part?.count ?? 0,
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
    multiNode: isReached,
    stock,
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}
