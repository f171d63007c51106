/** Any number of offers that look like a real network's, made from a seed: for property tests and benches. */
import type { Offer, ProviderId } from '@hitch/contract';
import { pick, randomInt, seededRandom } from '@hitch/platform/src/random.ts';

const MODELS = ['RTX 3090', 'RTX 4090', 'RTX 5090', 'A100 80GB', 'H100 SXM', 'L40S', null] as const;
const COUNTRIES = ['US', 'DE', 'FR', 'JP', 'IN', 'BR', 'SE', null] as const;

export function makeUpOffers(
  count: number,
  options: { seed?: number; provider?: ProviderId; practice?: boolean } = {},
): Offer[] {
  const { seed = 1, provider = 'made-up', practice = false } = options;
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, number) => {
    const gpuModel = pick(random, MODELS);
    const gpuCount = gpuModel === null ? 0 : pick(random, [1, 1, 2, 4, 8]);
    const machine = randomInt(random, 20_000, 30_000_000);
    const disk = randomInt(random, 0, 200_000);
    const dataCenter = random.next() < 0.5;
    return {
      id: `${provider}:${number.toString()}`,
      provider,
      practice,
      gpuModel,
      gpuCount,
      vramMiB: gpuModel === null ? 0 : pick(random, [24, 32, 48, 80]) * 1024,
      pricePerHourMicroUsd: (machine + disk).toString(),
      priceParts: [
        { label: 'GPU', perHourMicroUsd: machine.toString() },
        { label: 'disk', perHourMicroUsd: disk.toString() },
      ],
      nonRefundableMicroUsd: pick(random, ['0', '0', '1000000']),
      ...(number % 3 === 0 ? { returnsAfterReboot: false } : {}),
      ...(number % 5 === 0 ? { hostId: `host-${(number % 4).toString()}` } : {}),
      ...(number % 7 === 0 ? { termMs: 3_600_000 } : {}),
      ...(number % 3 === 0 ? { floorMicroUsd: machine.toString() } : {}),
      ...(number % 11 === 0
        ? { dueNowMicroUsd: '5000000', refundable: 'deposit' as const, basis: 'most' as const }
        : {}),
      ...(number % 4 === 0
        ? { takes: { disk: { minGiB: 10, maxGiB: 500, perGiBHourMicroUsd: '45' }, image: true } }
        : {}),
      ...(number % 3 === 1 ? { driver: `550.${(number % 9).toString()}`, nvlink: number % 2 === 0 } : {}),
      ...(number % 6 === 0 ? { arch: 'arm64' as const, wayIn: 'https' as const } : {}),
      ...(number % 5 === 1 ? { traffic: { downPerGBMicroUsd: '3000', upPerGBMicroUsd: '0' } } : {}),
      ...(number % 13 === 0 ? { notRentable: 'It can only be looked at.' } : {}),
      country: pick(random, COUNTRIES),
      region: random.next() < 0.2 ? null : `region-${randomInt(random, 1, 30).toString()}`,
      supplier: random.next() < 0.2 ? null : `supplier-${randomInt(random, 1, 500).toString()}`,
      kind: pick(random, ['vm', 'container', 'bare_metal'] as const),
      market: pick(random, ['on_demand', 'spot'] as const),
      trust: dataCenter ? 'data_center' : pick(random, ['verified', 'community'] as const),
      reliability: random.next() < 0.1 ? null : Math.round(random.next() * 10_000) / 10_000,
      connectivity: pick(random, ['low', 'medium', 'high', 'ultra_high', null] as const),
      security: pick(random, ['standard', 'soc2', 'confidential'] as const),
      cpuCores: randomInt(random, 1, 128),
      ramMiB: randomInt(random, 1, 1024) * 1024,
      diskGiB: randomInt(random, 10, 4000),
      downMbps: random.next() < 0.1 ? null : randomInt(random, 10, 10_000),
      upMbps: random.next() < 0.1 ? null : randomInt(random, 10, 10_000),
      cudaMax: gpuModel === null ? null : pick(random, ['12.4', '12.8', '13.0']),
      endsBillingAlone: random.next() < 0.5,
      multiNode: random.next() < 0.5,
      stock: randomInt(random, 1, 20),
      readyInMs: random.next() < 0.2 ? null : randomInt(random, 1, 600) * 1000,
      fetchedAtMs: 1_800_000_000_000,
    };
  });
}
