/**
 * What Akash’s console says of prices, in Hitch’s words. Nobody offers a machine there before somebody asks for one: a row
 * stands for a model, at the average of what its providers bid for one. Source: `GET /v1/gpu-prices` of its API
 * (`apps/api/swagger/openapi.json`).
 */
import type { MicroUsd, Offer } from '@hitch/contract';
import * as z from 'zod';
import type { CatalogueAnswer } from '../catalogue-only.ts';
import { dollarsSchema } from '../http/dollars.ts';
import { gpuNameOf } from './gpu-name.ts';

const modelSchema = z.object({
  vendor: z.string().min(1),
  model: z.string().min(1),
  /** Such as `80Gi`. */
  ram: z.string().nullish(),
  /** Such as `PCIe` or `SXM5`. */
  interface: z.string().nullish(),
  availability: z.object({ available: z.number() }),
  price: z.object({ currency: z.string(), weightedAverage: dollarsSchema }).nullish(),
});
type ModelRow = z.output<typeof modelSchema>;

/** A row that cannot be read is left out, and said; the rest is read. */
export const pricesSchema = z.object({ models: z.array(z.unknown()) });

export function readPrices({ models }: z.output<typeof pricesSchema>, nowMs: number): CatalogueAnswer {
  const offers = new Map<string, Offer>();
  const left = { unread: 0, unpriced: 0 };
  for (const raw of models) {
    const read = modelSchema.safeParse(raw);
    if (!read.success) {
      left.unread += 1;
      continue;
    }
    const row = read.data;
    const price = row.price?.currency === 'USD' ? row.price.weightedAverage : 0n;
    if (row.availability.available < 1) {
      continue;
    }
    if (price === 0n) {
      left.unpriced += 1;
      continue;
    }
    const offer = offerOf(row, price, nowMs);
    offers.set(offer.id, offer);
  }
  return { offers: [...offers.values()], leftOut: leftOutWords(left) };
}

function leftOutWords({
  unread,
  unpriced,
}: {
  readonly unread: number;
  readonly unpriced: number;
}): string | null {
  const parts = [
    ...(unpriced === 0 ? [] : [`${unpriced.toString()} of which it says no price`]),
    ...(unread === 0 ? [] : [`${unread.toString()} that could not be read`]),
  ];
  return parts.length === 0 ? null : `Of Akash’s models are left out: ${parts.join(', ')}.`;
}

function offerOf(row: ModelRow, price: MicroUsd, nowMs: number): Offer {
  const { vendor, model, ram, interface: socket, availability } = row;
  const perHour = price.toString();
  return {
    id: `akash:${[vendor, model, ram, socket].filter(word => word).join('/')}`,
    provider: 'akash',
    practice: false,
    gpuModel: [vendor === 'nvidia' ? null : vendor.toUpperCase(), gpuNameOf(model), formOf(socket)]
      .filter(word => word !== null)
      .join(' '),
    gpuCount: 1,
    vramMiB: mebibytesOf(ram ?? ''),
    pricePerHourMicroUsd: perHour,
    priceParts: [{ label: 'GPU', perHourMicroUsd: perHour }],
    nonRefundableMicroUsd: '0',
    basis: 'estimate',
    country: null,
    region: null,
    supplier: null,
    kind: 'container',
    market: 'on_demand',
    // Anybody may be a provider; which of them are audited shows with their bids.
    trust: 'community',
    reliability: null,
    connectivity: null,
    security: 'standard',
    // As many as one asks for, and bids are made for.
    cpuCores: 0,
    ramMiB: 0,
    diskGiB: 0,
    downMbps: null,
    upMbps: null,
    cudaMax: null,
    wayIn: 'ssh',
    endsBillingAlone: false,
    multiNode: false,
    stock: Math.floor(availability.available),
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}

/** `SXM` of `SXM5`: as other networks tell two forms of one GPU apart. */
const formOf = (socket: string | null | undefined): string | null =>
  socket?.toLowerCase().startsWith('sxm') === true ? 'SXM' : null;

/** `80Gi` as MiB; 0: not said. */
function mebibytesOf(text: string): number {
  const [, number = '', unit = ''] = /^([0-9]+)(Mi|Gi|Ti)$/.exec(text) ?? [];
  const times = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 }[unit] ?? 0;
  return Number(number) * times;
}
