/**
 * io.net's list of hardware as offers. Its price is a guide only: of what was recorded it is the whole machine's, its own
 * client calls it one of a GPU, and fees are not in it. What a machine costs is asked for before it is bought.
 */
import { formatMicroUsd, type Offer } from '@hitch/contract';
import * as z from 'zod';
import { dollarsSchema } from '../http/dollars.ts';

/** Sold for an hour at a time. */
export const TERM_MS = 3_600_000;
/** It takes no more at once. */
export const MOST_HOURS = 8760;
/** The first page of documents about a supplier that it checked; nothing else is said of them. */
export const TRUST: Offer['trust'] = 'verified';

/** What a machine is listed and priced as, and where. */
export interface Place {
  /** What it calls `deploy_id` in its list and `hardware_id` elsewhere. */
  readonly hardware: string | number;
  readonly location: string;
  readonly gpus: number;
}

const count = z.number().nullish().catch(null);
const text = z.string().nullish().catch(null);

const rowSchema = z.object({
  deploy_id: z.union([z.string().min(1), z.number().int()]),
  name: z.string().min(1),
  num_cards: z.number().int().min(1).max(8),
  price: dollarsSchema,
  sold_out: z.boolean().nullish().catch(null),
  supplier: text,
  vram_per_card: count,
  storage: count,
  vcpu: count,
  memory: count,
  location: z.string().min(1),
});
type HardwareRow = z.output<typeof rowSchema>;

/** The list, with its envelope or without. */
export const hardwareSchema = z.preprocess(value => {
  const inside = z.object({ data: z.unknown() }).safeParse(value);
  const data = inside.success ? inside.data.data : value;
  const listed = z.object({ hardware: z.unknown() }).safeParse(data);
  return listed.success ? listed.data.hardware : data;
}, z.array(z.unknown()));

export interface ReadOffers {
  readonly offers: readonly Offer[];
  /** What was left out, and why, a sentence; null: nothing. */
  readonly leftOut: string | null;
}

/** What is sold out is no offer, and no news. */
export function readOffers(rows: readonly unknown[], nowMs: number): ReadOffers {
  const offers = new Map<string, Offer>();
  let unread = 0;
  let priceless = 0;
  for (const raw of rows) {
    const read = rowSchema.safeParse(raw);
    if (!read.success) {
      unread += isWithoutGpu(raw) ? 0 : 1;
    } else if (read.data.price === 0n) {
      priceless += 1;
    } else if (read.data.sold_out !== true) {
      const offer = offerOf(read.data, nowMs);
      const known = offers.get(offer.id);
      if (known === undefined || BigInt(known.pricePerHourMicroUsd) > read.data.price) {
        offers.set(offer.id, offer);
      }
    }
  }
  const parts = [
    ...(unread === 0 ? [] : [`${unread.toString()} that were not understood`]),
    ...(priceless === 0 ? [] : [`${priceless.toString()} without a price`]),
  ];
  return {
    offers: [...offers.values()],
    leftOut: parts.length === 0 ? null : `Offers of io.net are left out: ${parts.join(', ')}.`,
  };
}

/** Machines without a GPU stand in the same list. */
const isWithoutGpu = (raw: unknown): boolean => z.object({ num_cards: z.literal(0) }).safeParse(raw).success;

function offerOf(row: HardwareRow, nowMs: number): Offer {
  const price = formatMicroUsd(row.price);
  return {
    id: idOf(row),
    provider: 'ionet',
    practice: false,
    gpuModel: modelOf(row.name),
    gpuCount: row.num_cards,
    vramMiB: mebibytes(row.vram_per_card),
    pricePerHourMicroUsd: price,
    priceParts: [{ label: 'GPU', perHourMicroUsd: price }],
    nonRefundableMicroUsd: '0',
    // An hour is paid at once and kept; of more than one, what is not used comes back.
    floorMicroUsd: price,
    dueNowMicroUsd: price,
    refundable: 'exact_after_floor',
    termMs: TERM_MS,
    basis: 'estimate',
    country: /^[A-Z]{2}$/.test(row.location) ? row.location : null,
    region: /^[A-Z]{2}$/.test(row.location) ? null : row.location,
    supplier: row.supplier ?? null,
    kind: 'vm',
    market: 'on_demand',
    trust: TRUST,
    reliability: null,
    connectivity: null,
    security: 'standard',
    cpuCores: Math.max(0, row.vcpu ?? 0),
    ramMiB: mebibytes(row.memory),
    // Documents say MB; what comes is GB.
    diskGiB: Math.max(0, Math.round(row.storage ?? 0)),
    downMbps: null,
    upMbps: null,
    cudaMax: null,
    endsBillingAlone: true,
    multiNode: false,
    // How many there are it says of no row but that there are some.
    stock: 1,
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}

/** What it calls a GPU, without its maker and its memory, which some of its answers name too. */
export const modelOf = (name: string): string => {
  const short = name
    .replace(/\b(?:nvidia|geforce)\b/gi, '')
    .replace(/\b\d+\s?GB\b/gi, '')
    .replace(/\s+/g, ' ')
    .trim();
  return short === '' ? name : short;
};

export const mebibytes = (gib: number | null | undefined): number =>
  Math.max(0, Math.round((gib ?? 0) * 1024));

/** A number stays one: where it is asked for, the network tells the two apart. */
const idOf = ({ deploy_id: id, location }: HardwareRow): string =>
  `ionet:${typeof id === 'number' ? `#${id.toString()}` : id}@${location}`;

/** Where an offer is bought; null: it is none of these. */
export function placeOf({ id, gpuCount }: Pick<Offer, 'id' | 'gpuCount'>): Place | null {
  const match = /^ionet:(?:#(\d+)|(.+))@([^@]+)$/.exec(id);
  const [, number, name, location] = match ?? [];
  const hardware = number === undefined ? name : Number(number);
  return hardware === undefined || location === undefined ? null : { hardware, location, gpus: gpuCount };
}
