/** Who bids at the simulated Akash, and for how much. */
import * as z from 'zod';
import { FINE, type SimBid } from './chain.ts';
import type { AkashLies } from './lies.ts';
import type { Sdl } from './sdl.ts';

export const PROVIDERS = [
  { address: 'akash1plain', isAudited: false, uptime: 0.99, factor: 1.05 },
  { address: 'akash1audited', isAudited: true, uptime: 0.95, factor: 1 },
  { address: 'akash1steady', isAudited: true, uptime: 0.999, factor: 1.2 },
] as const;

const modelSchema = z.object({
  vendor: z.string(),
  model: z.string(),
  ram: z.string(),
  interface: z.string(),
  availability: z.object({ available: z.number() }),
  price: z.object({ weightedAverage: z.number() }),
});

/**
 * The bids for an order: for its GPU what the catalogue says, and for the rest the targets that providers have where they set none
 * (`price_script_generic.sh` of akash-network/helm-charts). Nobody bids above what the order allows: the chain would refuse it.
 */
export function bidsFor(
  sdl: Sdl,
  models: readonly unknown[],
  { noBids, bidFactor = 1, evenBids, fromMs }: AkashLies & { readonly fromMs: number },
): readonly SimBid[] {
  const hourly = dollarsAnHour(sdl, models);
  if (noBids === true || hourly === null) {
    return [];
  }
  const most = mostOf(sdl);
  return PROVIDERS.map(({ address, factor }, at) => ({
    provider: address,
    bseq: at,
    price: BigInt(Math.floor((hourly * bidFactor * (evenBids === true ? 1 : factor) * 1e12) / 600)),
    fromMs,
    isClosed: false,
  })).filter(({ price }) => price <= most);
}

/** By the block. */
function mostOf({ profiles }: Sdl): bigint {
  const amounts = Object.values(profiles.placement).flatMap(({ pricing }) =>
    Object.values(pricing).flatMap(({ denom, amount }) => (denom === 'uact' ? [amount] : [])),
  );
  return BigInt(Math.floor(Math.max(0, ...amounts) * 1e6)) * (FINE / 1_000_000n);
}

/** Null: nobody has such a GPU free. */
function dollarsAnHour({ profiles }: Sdl, models: readonly unknown[]): number | null {
  const [compute] = Object.values(profiles.compute);
  if (compute === undefined) {
    return null;
  }
  const { cpu, memory, storage, gpu } = compute.resources;
  const [vendor = '', wanted = []] = Object.entries(gpu?.attributes?.vendor ?? {})[0] ?? [];
  const [model] = wanted;
  const found = models
    .flatMap(row => modelSchema.safeParse(row).data ?? [])
    .find(
      each =>
        each.vendor === vendor &&
        each.model === model?.model &&
        (model.ram === undefined || each.ram === model.ram) &&
        (model.interface === undefined || each.interface.toLowerCase().startsWith(model.interface)) &&
        each.availability.available > 0,
    );
  const cores =
    typeof cpu.units === 'number' ? cpu.units : parseFloat(cpu.units) / (cpu.units.endsWith('m') ? 1000 : 1);
  const disk = [storage].flat().reduce((sum, { size }) => sum + gibibytes(size), 0);
  const rest = (cores * 1.6 + gibibytes(memory.size) * 0.8 + disk * 0.02 + 0.05) / 720;
  return found === undefined ? null : found.price.weightedAverage * (gpu?.units ?? 1) + rest;
}

const gibibytes = (size: string): number =>
  size.endsWith('Mi') ? parseFloat(size) / 1024 : size.endsWith('Gi') ? parseFloat(size) : 0;
