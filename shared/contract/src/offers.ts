/** Offers: what a network would rent right now, with the price that would be paid. */
import * as z from 'zod';
import { hostHistorySchema } from './host-history.ts';
import { microUsdSchema } from './money.ts';

/** A network's short name, such as `sandbox`, `local` or `vast`. */
export const providerIdSchema = z.string().regex(/^[a-z][a-z0-9-]{1,30}$/, 'is not a provider id');
export type ProviderId = z.infer<typeof providerIdSchema>;

export const marketSchema = z.enum(['on_demand', 'spot']);
/** `process`: processes on this computer (the local and practice providers). */
export const machineKindSchema = z.enum(['vm', 'container', 'bare_metal', 'process']);
/** Who stands behind the machine, most trusted first. */
export const trustSchema = z.enum(['own', 'data_center', 'verified', 'community']);
export const connectivitySchema = z.enum(['low', 'medium', 'high', 'ultra_high']);
export const securitySchema = z.enum(['standard', 'soc2', 'confidential']);

/** One part of a price: what it is for and how much an hour. */
export const pricePartSchema = z.object({ label: z.string(), perHourMicroUsd: microUsdSchema });

/** `exact_after_floor`: to the moment, but for the floor · `deposit`: it is held, and what was used is taken from it. */
export const refundableSchema = z.enum(['no', 'exact_after_floor', 'deposit']);
/** `estimate`: it drifts, such as with a currency · `most`: what is agreed to in the end may be less. */
export const priceBasisSchema = z.enum(['firm', 'estimate', 'most']);

/** What can be asked for beside what an offer says. What is not named cannot. */
export const offerTakesSchema = z.object({
  /** Another disk, at so much a GiB and hour more or less; what is paid in any case for hours rises with their price. */
  disk: z
    .object({
      minGiB: z.number().int().min(1),
      maxGiB: z.number().int().min(1),
      perGiBHourMicroUsd: microUsdSchema,
    })
    .optional(),
  /** An image of one's own. */
  image: z.boolean().optional(),
  /** A bid for what is sold as spot, of at least so much an hour. */
  bid: z.object({ leastPerHourMicroUsd: microUsdSchema }).optional(),
});
export type OfferTakes = z.infer<typeof offerTakesSchema>;

/** What the network takes for a GB (10⁹ bytes) that comes in and that goes out. */
export const trafficPriceSchema = z.object({
  downPerGBMicroUsd: microUsdSchema,
  upPerGBMicroUsd: microUsdSchema,
});

/** `ssh`: as rented machines are reached · `https`: no more than web addresses that the network gives out. */
export const wayInSchema = z.enum(['ssh', 'https']);
export const archSchema = z.enum(['x86_64', 'arm64']);

export const offerSchema = z.object({
  /** `<provider>:<the network's own id>`; stable while the offer stands. */
  id: z.string(),
  provider: providerIdSchema,
  /** True for the practice market: nothing is paid and no CUDA is there. */
  practice: z.boolean(),
  /** Such as `RTX 4090`; null for a machine without a GPU. */
  gpuModel: z.string().nullable(),
  gpuCount: z.number().int().min(0),
  /** Memory of one GPU. */
  vramMiB: z.number().int().min(0),
  /** All-in: the machine, its disk, fees. */
  pricePerHourMicroUsd: microUsdSchema,
  priceParts: z.array(pricePartSchema),
  /** Paid on the purchase whatever happens after, on top of the hours. */
  nonRefundableMicroUsd: microUsdSchema,
  /** The least that the hours cost, however early it ends; they count towards it. Left out: nothing. */
  floorMicroUsd: microUsdSchema.optional(),
  /**
   * Sold for so long at a time: paid when it is bought, not given back, and ended by the network when it is over, unless
   * more was bought. Left out: it costs what it is used.
   */
  termMs: z.number().int().min(60_000).optional(),
  /**
   * Leaves the account with the purchase: paid ahead, or a deposit. It is not on top of the hours. Left out: hours are
   * paid as they are used, or for the whole of `termMs`.
   */
  dueNowMicroUsd: microUsdSchema.optional(),
  /** What becomes of what was paid and is not used. Left out: `no`. */
  refundable: refundableSchema.optional(),
  /** How sure the price is. Left out: `firm`. */
  basis: priceBasisSchema.optional(),
  /** What else it can be bought with than what it says. Left out: nothing. */
  takes: offerTakesSchema.optional(),
  /** ISO 3166-1 alpha-2. */
  country: z.string().length(2).nullable(),
  region: z.string().nullable(),
  supplier: z.string().nullable(),
  kind: machineKindSchema,
  market: marketSchema,
  trust: trustSchema,
  /** Share of time the host was up, 0 … 1. */
  reliability: z.number().min(0).max(1).nullable(),
  connectivity: connectivitySchema.nullable(),
  security: securitySchema,
  /** 0: the network does not say; of memory and disk too. */
  cpuCores: z.number().min(0),
  ramMiB: z.number().int().min(0),
  diskGiB: z.number().int().min(0),
  downMbps: z.number().int().min(0).nullable(),
  upMbps: z.number().int().min(0).nullable(),
  /** Newest CUDA the host's driver runs, such as `12.8`; null where there is none. */
  cudaMax: z.string().nullable(),
  /** Version of the host's driver, such as `550.54.15`. Left out: not known. */
  driver: z.string().optional(),
  /** Whether its GPUs are joined by NVLink. Left out: not known. */
  nvlink: z.boolean().optional(),
  /** Left out: not known. */
  arch: archSchema.optional(),
  /** Left out: it is in the price, or not known. */
  traffic: trafficPriceSchema.optional(),
  /** Left out: not known, or it is on this computer. */
  wayIn: wayInSchema.optional(),
  /** The rental ends by itself at the stop time even when this computer is off. */
  endsBillingAlone: z.boolean(),
  /**
   * False: after a reboot of the machine nothing there starts Hitch's agent, which holds limits, until this computer
   * reaches it. Left out: something does, or the question does not arise.
   */
  returnsAfterReboot: z.boolean().optional(),
  /** Several of these reach each other on a private network: needed for more than one node. */
  multiNode: z.boolean(),
  /**
   * Several of these are one purchase, so many at least and at most: they are rented together and end together, and whether
   * one that is lost can be replaced alone. Left out: each is rented by itself.
   */
  together: z
    .object({
      /** Left out: 1. */
      min: z.number().int().min(2).optional(),
      max: z.number().int().min(2),
      replaceOne: z.boolean(),
    })
    .optional(),
  /** The physical machine, where the network says it: offers of one host exclude each other. */
  hostId: z.string().optional(),
  /** Why it is only shown and cannot be rented with Hitch, a sentence. Left out: it can be. */
  notRentable: z.string().optional(),
  /** How many of these can be had now. */
  stock: z.number().int().min(0),
  /** Usual time from purchase to the first cell. */
  readyInMs: z.number().int().min(0).nullable(),
  /** When the network said so, ms since the epoch. */
  fetchedAtMs: z.number(),
  /** What became of this person's own purchases of the host. Left out: there were none. */
  history: hostHistorySchema.optional(),
});
export type Offer = z.infer<typeof offerSchema>;

/** Every field narrows; a missing field does not. */
export const offerFilterSchema = z.object({
  /** Words that must each occur in GPU, provider, country, region or supplier. */
  text: z.string().max(200).optional(),
  providers: z.array(providerIdSchema).max(50).optional(),
  /** `only`: practice offers; `exclude`: real ones (default when somebody is logged in at a real network). */
  practice: z.enum(['only', 'exclude']).optional(),
  gpuModels: z.array(z.string().max(80)).max(100).optional(),
  minGpuCount: z.number().int().min(0).max(1000).optional(),
  maxGpuCount: z.number().int().min(0).max(1000).optional(),
  minVramMiB: z.number().int().min(0).optional(),
  maxPricePerHourMicroUsd: microUsdSchema.optional(),
  countries: z.array(z.string().length(2)).max(250).optional(),
  kinds: z.array(machineKindSchema).max(10).optional(),
  markets: z.array(marketSchema).max(2).optional(),
  trusts: z.array(trustSchema).max(4).optional(),
  minReliability: z.number().min(0).max(1).optional(),
  minConnectivity: connectivitySchema.optional(),
  securities: z.array(securitySchema).max(3).optional(),
  minCpuCores: z.number().min(0).optional(),
  minRamMiB: z.number().int().min(0).optional(),
  /** Compared with the largest disk that it can be had with. */
  minDiskGiB: z.number().int().min(0).optional(),
  minDownMbps: z.number().int().min(0).optional(),
  multiNode: z.boolean().optional(),
  endsBillingAlone: z.boolean().optional(),
  /** What a network does not state passes `minReliability`, `minCpuCores`, `minRamMiB`, `minDiskGiB` and `minDownMbps`. */
  orNotStated: z.literal(true).optional(),
  /** Only what can be rented now: where a login is needed, there is one. */
  rentable: z.literal(true).optional(),
});
export type OfferFilter = z.infer<typeof offerFilterSchema>;

export const offerSortKeySchema = z.enum([
  // What a GPU-hour costs that is likely to be of use, everything included.
  'best',
  'pricePerHour',
  'pricePerGpuHour',
  'gpuModel',
  'gpuCount',
  'vram',
  'reliability',
  'cpuCores',
  'ram',
  'disk',
  'down',
  'readyIn',
]);
export type OfferSortKey = z.infer<typeof offerSortKeySchema>;

/** A year. */
const MOST_WANTED_MS = 366 * 24 * 3_600_000;

export const offerQuerySchema = z.object({
  filter: offerFilterSchema.default({}),
  sort: z
    .object({ key: offerSortKeySchema, descending: z.boolean().default(false) })
    .default({ key: 'pricePerHour', descending: false }),
  /** How long a machine is wanted, for the order `best`; left out: as long as clusters run that nobody gave a time. */
  forMs: z.number().int().min(60_000).max(MOST_WANTED_MS).optional(),
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().min(1).max(1000).default(100),
  /** Also what each condition of the filter hides (`hides`). */
  explain: z.literal(true).optional(),
});
export type OfferQuery = z.infer<typeof offerQuerySchema>;

/** How old one network's offers are, and what went wrong with the last refresh if something did. */
export const offerSourceSchema = z.object({
  provider: providerIdSchema,
  count: z.number().int(),
  fetchedAtMs: z.number().nullable(),
  problem: z.string().nullable(),
  /** The problem is no more than that some of its offers are left out: the network answers. */
  isPartOnly: z.literal(true).optional(),
  /** What else is to be known, a sentence, such as that few searches are left for the day. Left out: nothing. */
  note: z.string().optional(),
});

export const offerPageSchema = z.object({
  offers: z.array(offerSchema),
  /** Offers that pass the filter. */
  matched: z.number().int(),
  /** Offers known. */
  total: z.number().int(),
  sources: z.array(offerSourceSchema),
  /**
   * The fields of the filter that hide something which all others let pass, and how many offers each, the most first; for
   * `orNotStated`, those that it would let pass. Left out: it was not asked for.
   */
  hides: z.array(z.object({ field: offerFilterSchema.keyof(), count: z.number().int() })).optional(),
  /** Why nothing matches, where a GPU or a network is asked for that is not there: a sentence with the nearest ones. */
  hint: z.string().nullable().default(null),
});
export type OfferPage = z.infer<typeof offerPageSchema>;
