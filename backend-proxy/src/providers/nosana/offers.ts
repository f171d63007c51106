/**
 * What Nosana’s markets cost, in Hitch’s words: a market is one model of GPU in one tier, rented whole, and whoever rents pays
 * the network’s fee on top of what the host gets. Source: `GET /api/markets/`, as the fixtures of `@nosana/api` have it; the fee
 * as its dashboard adds it.
 */
import type { MicroUsd, Offer } from '@hitch/contract';
import * as z from 'zod';
import { shortGpuName } from '../../machines/gpu-name.ts';
import { dollarsSchema, microUsdOf } from '../http/dollars.ts';

export const ID = 'nosana';
export const TITLE = 'Nosana';

/** The address of an offer's market; null: it is no offer of Nosana's. */
export const marketOf = (offerId: string): string | null => /^nosana:(.+)$/.exec(offerId)?.[1] ?? null;

export interface ReadMarkets {
  readonly offers: readonly Offer[];
  /** What was left out, and why, a sentence; null: nothing. */
  readonly leftOut: string | null;
}

const marketSchema = z.object({
  address: z.string().min(1),
  slug: z.string().catch(''),
  name: z.string().catch(''),
  type: z.string().nullish(),
  /** What the host gets; null: not known at the moment. */
  usd_reward_per_hour: dollarsSchema.nullish(),
  network_fee_percentage: z.number().min(0).max(1000).nullish(),
  gpu_types: z.array(z.string()).nullish(),
  /** Of its hosts, in GB. */
  lowest_vram: z.number().nullish(),
});
type Market = z.output<typeof marketSchema>;

/** A market that cannot be read is left out, and said; the rest is read. */
export const marketsSchema = z.array(z.unknown());

/** Where a market does not say its fee. Source: the dashboard's one price (`NETWORK_FEE_MULTIPLIER`). */
const USUAL_FEE_PERCENT = 10;

export function readMarkets(markets: readonly unknown[], nowMs: number): ReadMarkets {
  const offers = new Map<string, Offer>();
  const left = { unread: 0, unpriced: 0, unnamed: 0 };
  for (const raw of markets) {
    const read = marketSchema.safeParse(raw);
    if (!read.success) {
      left.unread += 1;
      continue;
    }
    const market = read.data;
    const reward = market.usd_reward_per_hour ?? 0n;
    const gpu = gpuOf(market);
    if (reward === 0n || gpu === null) {
      left[gpu === null ? 'unnamed' : 'unpriced'] += 1;
      continue;
    }
    const offer = offerOf(market, { gpu, reward }, nowMs);
    offers.set(offer.id, offer);
  }
  return { offers: [...offers.values()], leftOut: leftOutWords(left) };
}

function leftOutWords(left: {
  readonly unread: number;
  readonly unpriced: number;
  readonly unnamed: number;
}): string | null {
  const parts = [
    ...(left.unpriced === 0 ? [] : [`${left.unpriced.toString()} of which it says no price`]),
    ...(left.unnamed === 0 ? [] : [`${left.unnamed.toString()} of which it says no GPU`]),
    ...(left.unread === 0 ? [] : [`${left.unread.toString()} that could not be read`]),
  ];
  return parts.length === 0 ? null : `Of Nosana’s markets are left out: ${parts.join(', ')}.`;
}

/** Its GPU as it is called elsewhere; the shortest where it has several that are nearly one. Null: it says none. */
function gpuOf({ gpu_types: types }: Market): string | null {
  return (types ?? []).map(shortGpuName).toSorted((one, other) => one.length - other.length)[0] ?? null;
}

/** Such as 8 of `nvidia-8x-a5000`. */
const countOf = ({ slug }: Market): number => Number(/(?:^|-)([1-9][0-9]?)x(?:-|$)/.exec(slug)?.[1] ?? 1);

/** Rounded up. */
function feeOf(reward: MicroUsd, percent: number): MicroUsd {
  const hundred = 100n * 1_000_000n;
  return (reward * microUsdOf(percent) + hundred - 1n) / hundred;
}

/** What renting in a market costs an hour, of the markets that say so, by their addresses. */
export function pricesIn(markets: readonly unknown[]): ReadonlyMap<string, MicroUsd> {
  return new Map(
    markets.flatMap(raw => {
      const { data } = marketSchema.safeParse(raw);
      const reward = data?.usd_reward_per_hour ?? 0n;
      return data === undefined || reward === 0n
        ? []
        : [[data.address, reward + feeOf(reward, data.network_fee_percentage ?? USUAL_FEE_PERCENT)]];
    }),
  );
}

function offerOf(
  market: Market,
  { gpu, reward }: { readonly gpu: string; readonly reward: MicroUsd },
  nowMs: number,
): Offer {
  const fee = feeOf(reward, market.network_fee_percentage ?? USUAL_FEE_PERCENT);
  return {
    id: `${ID}:${market.address}`,
    provider: ID,
    practice: false,
    gpuModel: gpu,
    gpuCount: countOf(market),
    vramMiB: Math.max(0, Math.round((market.lowest_vram ?? 0) * 1024)),
    pricePerHourMicroUsd: (reward + fee).toString(),
    priceParts: [
      { label: 'GPU', perHourMicroUsd: reward.toString() },
      ...(fee === 0n ? [] : [{ label: 'network fee', perHourMicroUsd: fee.toString() }]),
    ],
    nonRefundableMicroUsd: '0',
    takes: { image: true },
    // Whether credits pay the fee is not said anywhere: this is the higher of the two.
    basis: 'most',
    country: null,
    region: null,
    supplier: market.name === '' ? null : market.name,
    kind: 'container',
    market: 'on_demand',
    trust: market.type === 'PREMIUM' ? 'verified' : 'community',
    reliability: null,
    connectivity: null,
    security: 'standard',
    // What its hosts have beside the GPU shows once one runs.
    cpuCores: 0,
    ramMiB: 0,
    diskGiB: 0,
    downMbps: null,
    upMbps: null,
    cudaMax: null,
    wayIn: 'https',
    endsBillingAlone: false,
    multiNode: false,
    // It does not say how many: a job waits in the market's queue until a host is free.
    stock: 1,
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}
