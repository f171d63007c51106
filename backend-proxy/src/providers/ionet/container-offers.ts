/**
 * io.net's list of containers as offers. Its rows are those that `HardwareInfo` of `ionet-cloud` 0.4.1 reads; prices are a guide,
 * and what a container costs is asked for before it is bought.
 */
import { formatMicroUsd, type Offer } from '@hitch/contract';
import * as z from 'zod';
import { dollarsSchema } from '../http/dollars.ts';
import { mebibytes, modelOf, type Place, type ReadOffers, TERM_MS, TRUST } from './offers.ts';

/** What ids of offers begin with that are containers. */
const CONTAINER = 'ionet:container:';

/** Its price is asked for by a place that the network has named by a text; of numbered hardware it names none, and gives no price. */
const NO_PRICE =
  'io.net gives no price for this hardware by its API, so Hitch cannot say what it would cost and does not rent it.';

const count = z.number().int().nullish().catch(null);

const rowSchema = z.object({
  hardware_id: z.union([z.string().min(1), z.number().int()]),
  hardware_name: z.string().min(1),
  location: z.string().min(1),
  price: dollarsSchema,
  available: count,
  max_gpus_per_container: count,
});
type ContainerRow = z.output<typeof rowSchema>;

/** What is sold out is no offer, and no news. */
export function readContainers(rows: readonly unknown[], nowMs: number): ReadOffers {
  const offers = new Map<string, Offer>();
  let unread = 0;
  let priceless = 0;
  for (const raw of rows) {
    const read = rowSchema.safeParse(raw);
    const gpus = read.success ? gpusOf(read.data) : null;
    if (!read.success || gpus === null) {
      unread += 1;
    } else if (read.data.price === 0n) {
      priceless += 1;
    } else if ((read.data.available ?? 1) > 0) {
      const offer = offerOf(read.data, gpus, nowMs);
      offers.set(offer.id, offer);
    }
  }
  const parts = [
    ...(unread === 0 ? [] : [`${unread.toString()} that were not understood`]),
    ...(priceless === 0 ? [] : [`${priceless.toString()} without a price`]),
  ];
  return {
    offers: [...offers.values()],
    leftOut: parts.length === 0 ? null : `Containers of io.net are left out: ${parts.join(', ')}.`,
  };
}

/**
 * How many GPUs one has. Ids say it (`gpu_4x_h100`); of the others it is the most that one can have, which the network's own
 * client takes too where nobody says how many (`_gpus_for` of `resources/deployments.py`). Null: it does not say.
 */
function gpusOf({ hardware_id: id, max_gpus_per_container: most }: ContainerRow): number | null {
  const said = typeof id === 'string' ? (/(?:^|_)([1-9][0-9]?)x_/.exec(id)?.[1] ?? null) : null;
  const gpus = said === null ? (most ?? 0) : Number(said);
  return gpus < 1 ? null : gpus;
}

const isNumbered = (id: string | number): boolean => typeof id === 'number' || /^[0-9]+$/.test(id);

function offerOf(row: ContainerRow, gpuCount: number, nowMs: number): Offer {
  const { hardware_id: id, hardware_name: name, location } = row;
  const price = formatMicroUsd(row.price);
  return {
    id: `${CONTAINER}${id.toString()}@${location}`,
    provider: 'ionet',
    practice: false,
    gpuModel: modelOf(name),
    gpuCount,
    // Where its name says it; nothing else does.
    vramMiB: mebibytes(Number(/\b([0-9]+)\s?GB\b/i.exec(name)?.[1] ?? 0)),
    pricePerHourMicroUsd: price,
    priceParts: [{ label: 'GPU', perHourMicroUsd: price }],
    nonRefundableMicroUsd: '0',
    // Whole hours are paid at once, and none of them comes back (`cli/deployment.py`: "Prepaid time is not refunded").
    floorMicroUsd: price,
    dueNowMicroUsd: price,
    termMs: TERM_MS,
    basis: 'estimate',
    takes: { image: true },
    country: /^[A-Z]{2}$/.test(location) ? location : null,
    region: /^[A-Z]{2}$/.test(location) ? null : location,
    supplier: null,
    kind: 'container',
    market: 'on_demand',
    trust: TRUST,
    reliability: null,
    connectivity: null,
    security: 'standard',
    // What it has beside the GPU shows once one runs.
    cpuCores: 0,
    ramMiB: 0,
    diskGiB: 0,
    downMbps: null,
    upMbps: null,
    cudaMax: null,
    wayIn: 'https',
    endsBillingAlone: true,
    multiNode: false,
    stock: row.available ?? 1,
    readyInMs: null,
    ...(isNumbered(id) ? { notRentable: NO_PRICE } : {}),
    fetchedAtMs: nowMs,
  };
}

export const isContainer = (offerId: string): boolean => offerId.startsWith(CONTAINER);

/** Where an offer is bought; null: it is no container of io.net. */
export function containerPlaceOf({ id, gpuCount }: Pick<Offer, 'id' | 'gpuCount'>): Place | null {
  const [, hardware, location] = /^ionet:container:(.+)@([^@]+)$/.exec(id) ?? [];
  return hardware === undefined || location === undefined || isNumbered(hardware)
    ? null
    : { hardware, location, gpus: gpuCount };
}
