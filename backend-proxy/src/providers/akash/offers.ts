/**
 * What Akash’s console says of prices, in Hitch’s words. Nobody offers a machine there before somebody asks for one: a row
 * stands for a model, at the average of what its providers bid for one. Source: `GET /v1/gpu-prices` of its API
 * (`apps/api/swagger/openapi.json`).
 */
import { formatMicroUsd, type MicroUsd, type Offer } from '@hitch/contract';
import * as z from 'zod';
import { dollarsSchema } from '../http/dollars.ts';
import { gpuNameOf } from './gpu-name.ts';
import {
  besidePerHour,
  coresFor,
  DISK_GIB,
  DISK_PER_GIB_HOUR,
  LEAST_DISK_GIB,
  MOST_DISK_GIB,
  ramGiB,
} from './machine-price.ts';
import type { WorkloadGpu } from './workload.ts';

export const ID = 'akash';
export const TITLE = 'Akash';

/**
 * Dollars that are held for a lease, as the console’s own test of its API puts in
 * (`apps/api/test/e2e/managed-api-deployment-flow.spec.ts`). Accounts whose deposits the platform manages put in what it says.
 */
export const DEPOSIT_DOLLARS = 5;
export const DEPOSIT: MicroUsd = BigInt(DEPOSIT_DOLLARS) * 1_000_000n;

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

/** The one maker whose GPUs an order can ask for: `sdl-input.schema.yaml` knows no other. */
const VENDOR = 'nvidia';

export interface PricesRead {
  readonly offers: readonly Offer[];
  /** What was left out, and why, a sentence; null: nothing. */
  readonly leftOut: string | null;
}

export function readPrices({ models }: z.output<typeof pricesSchema>, nowMs: number): PricesRead {
  const offers = new Map<string, Offer>();
  const left = { unread: 0, unpriced: 0, unnamed: 0 };
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
    if (row.vendor !== VENDOR) {
      left.unnamed += 1;
      continue;
    }
    const offer = offerOf(row, price, nowMs);
    if (keyOf(offer.id) === null) {
      left.unread += 1;
      continue;
    }
    offers.set(offer.id, offer);
  }
  return { offers: [...offers.values()], leftOut: leftOutWords(left) };
}

function leftOutWords({
  unread,
  unpriced,
  unnamed,
}: {
  readonly unread: number;
  readonly unpriced: number;
  readonly unnamed: number;
}): string | null {
  const parts = [
    ...(unpriced === 0 ? [] : [`${unpriced.toString()} of which it says no price`]),
    ...(unnamed === 0 ? [] : [`${unnamed.toString()} of a maker that an order cannot name`]),
    ...(unread === 0 ? [] : [`${unread.toString()} that could not be read`]),
  ];
  return parts.length === 0 ? null : `Of Akash’s models are left out: ${parts.join(', ')}.`;
}

/** Such as `akash:nvidia/h100/80Gi/SXM5`. */
const offerId = ({ vendor, model, ram, interface: socket }: ModelRow): string =>
  `${ID}:${[vendor, model, ram, socket].filter(word => word).join('/')}`;

/** What to ask for, for an offer; null where this adapter did not make its id. */
export function keyOf(id: string): Omit<WorkloadGpu, 'count'> | null {
  const [, vendor, model, ram, socket] =
    /^akash:([a-z0-9]+)\/([a-z0-9-]+)(?:\/([0-9]+[KMGT]i))?(?:\/([A-Za-z0-9-]+))?$/.exec(id) ?? [];
  return vendor === undefined || model === undefined
    ? null
    : { vendor, model, ram: ram ?? null, socket: socketOf(socket) };
}

/** An SDL knows two words (`sdl-input.schema.yaml`); of another, any will do. */
function socketOf(said: string | undefined): string | null {
  const word = said?.toLowerCase() ?? '';
  return word.startsWith('sxm') ? 'sxm' : word.startsWith('pcie') ? 'pcie' : null;
}

function offerOf(row: ModelRow, price: MicroUsd, nowMs: number): Offer {
  const { model, ram, interface: socket, availability } = row;
  const vramMiB = mebibytesOf(ram ?? '');
  const memory = ramGiB(vramMiB / 1024);
  const cores = coresFor(memory);
  const beside = besidePerHour(cores, memory);
  const disk = DISK_PER_GIB_HOUR * BigInt(DISK_GIB);
  return {
    id: offerId(row),
    provider: ID,
    practice: false,
    gpuModel: [gpuNameOf(model), formOf(socket)].filter(word => word !== null).join(' '),
    gpuCount: 1,
    vramMiB,
    pricePerHourMicroUsd: formatMicroUsd(price + beside + disk),
    priceParts: [
      { label: 'GPU', perHourMicroUsd: formatMicroUsd(price) },
      { label: 'CPU and memory', perHourMicroUsd: formatMicroUsd(beside) },
      { label: 'Disk', perHourMicroUsd: formatMicroUsd(disk) },
    ],
    nonRefundableMicroUsd: '0',
    dueNowMicroUsd: formatMicroUsd(DEPOSIT),
    refundable: 'deposit',
    // Providers bid for an order, and a lease costs by the block.
    basis: 'estimate',
    takes: {
      image: true,
      disk: {
        minGiB: LEAST_DISK_GIB,
        maxGiB: MOST_DISK_GIB,
        perGiBHourMicroUsd: formatMicroUsd(DISK_PER_GIB_HOUR),
      },
    },
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
    // As much as Hitch asks for, and bids are made for.
    cpuCores: cores,
    ramMiB: memory * 1024,
    diskGiB: DISK_GIB,
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
