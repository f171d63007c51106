/** Which machines a cluster gets when it is rented once more, and what of them is not as it was. */
import {
  format,
  HitchError,
  isAlike,
  type Network,
  type Offer,
  type OfferFilter,
  offerFilterSchema,
  type QuoteAgain,
  type QuoteRequest,
  trustSchema,
  type Wishes,
  wishWords,
} from '@hitch/contract';
import { type ClusterState, presentNodes } from '../ledger/cluster-state.ts';
import { offerOfOne } from '../ledger/together.ts';
import type { NodeRecord, QuoteRecord } from '../ledger/records.ts';
import { type CandidateParts, fullNetworks, holdsAll, isTooShort, priceOf } from '../spend/fitting-offers.ts';
import { everySold } from '../spend/sold.ts';
import { closedMachine } from './one-machine.ts';

export interface MachineParts extends CandidateParts {
  readonly networkOf: (provider: string) => Network;
  /** The quote that the cluster was rented with. */
  readonly quote: QuoteRecord | undefined;
}

export interface Machine extends QuoteAgain {
  /** The one machine that its nodes must be on; null: any that the filter lets through. */
  readonly supplier: string | null;
  readonly offerIds: readonly string[];
  readonly filter: OfferFilter;
}

export interface Wish {
  readonly order: QuoteRequest;
  readonly nodes: number;
  /** Offers that are passed over. */
  readonly tried: readonly string[];
}

/** The machine that it had, one like it, or the nearest there is; always inside the filters of the order. */
export function chooseMachine(parts: MachineParts, state: ClusterState, wish: Wish): Machine {
  const had = machineOf(parts, state);
  if (had === undefined) {
    return {
      isAlike: true,
      supplier: null,
      changes: [],
      offerIds: wish.order.offerIds,
      filter: wish.order.filter,
    };
  }
  const filter = filterOf(wish, had, state);
  const supplier = state.cluster.desired === 'up' ? closedMachine(state) : null;
  const tried = new Set(wish.tried);
  const listed = [...everySold(parts, filter, wish.order)].filter(
    offer =>
      offer.stock > 0 &&
      (supplier === null || offer.supplier === supplier) &&
      !tried.has(offer.id) &&
      !isTooShort(offer, wish.order) &&
      holdsAll(offer, wish.nodes),
  );
  const full = fullNetworks(parts, listed, wish.nodes);
  const there = listed.filter(({ provider }) => !full.has(provider));
  const fullFor = (fits: (offer: Offer) => boolean): readonly string[] =>
    [...new Set(listed.filter(fits).map(({ provider }) => provider))].flatMap(
      provider => full.get(provider)?.sentence ?? [],
    );
  const like = enough(there.filter(offer => isAlike(had, offer)).sort(sameFirst(had)), wish.nodes);
  if (like.length > 0) {
    return machine(parts, like, { had, filter, supplier, wishes: wish.order, lacking: null });
  }
  const near = enough(there.filter(offer => isOfKind(had, offer)).sort(nearestTo(had)), wish.nodes);
  if (near.length > 0) {
    const lacking = fullFor(offer => isAlike(had, offer));
    return machine(parts, near, { had, filter, supplier, wishes: wish.order, lacking });
  }
  const why = fullFor(offer => isAlike(had, offer) || isOfKind(had, offer));
  throw new HitchError(
    'NO_OFFERS',
    [
      `Nothing like ${format.machineTitle(had)} ${canBe(why)} now ${within(filter, wish.order)}.`,
      ...(supplier === null
        ? []
        : [`It has to be on ${supplier}: no other machine reaches its nodes there.`]),
      ...why,
    ].join(' '),
    {
      next:
        why.length === 0
          ? 'Rent another cluster with other filters, or ask again in a minute.'
          : 'Stop a cluster that is not needed, or rent another one with other filters.',
    },
  );
}

/** @param full what networks say that list it and have no room. */
const canBe = (full: readonly string[]): string => (full.length === 0 ? 'is available' : 'can be rented');

/** The head's machine of the last run, as it was offered. */
function machineOf({ quote }: MachineParts, state: ClusterState): Offer | undefined {
  const nodes = presentNodes(state);
  const of = (node: NodeRecord): Offer | undefined => {
    const attempt = state.attempts.find(({ id }) => id === node.attemptId);
    return attempt === undefined ? undefined : offerOfOne(attempt);
  };
  return nodes.map(of).find(offer => offer !== undefined) ?? quote?.offers[0];
}

export const triedOffers = (state: ClusterState): readonly string[] => {
  const ids = new Set(presentNodes(state).map(({ id }) => id));
  return state.attempts
    .filter(({ members }) => members.some(({ nodeId }) => ids.has(nodeId)))
    .map(({ offer }) => offer.id);
};

const ANY_GPU = offerFilterSchema.omit({
  text: true,
  gpuModels: true,
  minGpuCount: true,
  maxGpuCount: true,
  minVramMiB: true,
});

/**
 * The order's filter without what says which GPU. What it leaves open is as it was: nobody who had a machine on demand
 * gets one that may be taken away, and nobody one that is trusted less.
 */
function filterOf({ order, nodes }: Wish, had: Offer, { cluster }: ClusterState): OfferFilter {
  const kept = ANY_GPU.parse(order.filter);
  const isTogether = nodes > 1 || cluster.desired === 'up';
  return {
    ...kept,
    practice: kept.practice ?? (had.practice ? 'only' : 'exclude'),
    markets: kept.markets ?? (had.market === 'spot' ? ['spot', 'on_demand'] : ['on_demand']),
    trusts: kept.trusts ?? trustSchema.options.slice(0, trustSchema.options.indexOf(had.trust) + 1),
    ...(isTogether ? { multiNode: true } : {}),
    // Nodes reach each other on one network only.
    ...(cluster.desired === 'up' ? { providers: [had.provider] } : {}),
  };
}

/** The first so many of one network that have room for all nodes; none where no network has it. */
function enough(offers: readonly Offer[], nodes: number): readonly Offer[] {
  for (const network of new Set(offers.map(({ provider }) => provider))) {
    const taken: Offer[] = [];
    let room = 0;
    for (const offer of offers.filter(({ provider }) => provider === network)) {
      taken.push(offer);
      room += offer.stock;
      if (room >= nodes) {
        return taken;
      }
    }
  }
  return [];
}

const isOfKind = (had: Offer, { gpuModel }: Offer): boolean =>
  (had.gpuModel === null) === (gpuModel === null);

const byPrice = (one: Offer, other: Offer): number => Number(priceOf(one) - priceOf(other));

const sameFirst =
  (had: Offer) =>
  (one: Offer, other: Offer): number =>
    Number(other.id === had.id) - Number(one.id === had.id) || byPrice(one, other);

/** As many GPUs, then no less memory, then the least difference; the cheapest of those that are as near. */
const nearestTo =
  (had: Offer) =>
  (one: Offer, other: Offer): number => {
    const [a, b] = [one, other].map(offer => [
      Math.abs(offer.gpuCount - had.gpuCount),
      Number(offer.vramMiB < had.vramMiB),
      Math.abs(offer.vramMiB - had.vramMiB),
      Number(offer.cpuCores < had.cpuCores),
    ]);
    const differs = (a ?? []).findIndex((value, index) => value !== b?.[index]);
    return differs === -1 ? byPrice(one, other) : (a?.[differs] ?? 0) - (b?.[differs] ?? 0);
  };

function machine(
  parts: MachineParts,
  offers: readonly Offer[],
  {
    had,
    filter,
    supplier,
    wishes,
    lacking,
  }: {
    had: Offer;
    filter: OfferFilter;
    supplier: string | null;
    wishes: Wishes;
    /** Null: they are alike; else what networks say that list one alike and have no room. */
    lacking: readonly string[] | null;
  },
): Machine {
  const [first = had] = offers;
  const changes = [
    ...(lacking === null
      ? []
      : [
          [
            `No ${format.machineTitle(had)} ${canBe(lacking)} now ${within(filter, wishes)}: ${format.machineTitle(first)} is the closest match.`,
            ...lacking,
          ].join(' '),
        ]),
    ...differences(parts, had, first),
    ...(priceOf(first) === priceOf(had)
      ? []
      : [
          `It costs ${format.dollars(first.pricePerHourMicroUsd)}/h now; it was ${format.dollars(had.pricePerHourMicroUsd)}/h.`,
        ]),
  ];
  return { isAlike: lacking === null, supplier, changes, offerIds: offers.map(({ id }) => id), filter };
}

/** What a person may have chosen the machine for, and is not the same. */
function differences({ networkOf }: MachineParts, had: Offer, now: Offer): readonly string[] {
  const facts = (offer: Offer): readonly string[] => [
    networkOf(offer.provider).title,
    offer.country ?? 'no country named',
    format.MARKET_WORDS[offer.market],
    format.TRUST_WORDS[offer.trust],
    `${offer.cpuCores.toString()} CPU cores`,
    `${format.gigabytes(offer.ramMiB)} RAM`,
    `${offer.diskGiB.toString()} GB disk`,
  ];
  const before = facts(had);
  const other = facts(now).flatMap((fact, index) =>
    fact === before[index] ? [] : [`${fact} instead of ${before[index] ?? ''}`],
  );
  return had.id === now.id || other.length === 0 ? [] : [`Another machine: ${other.join(', ')}.`];
}

/** `within its filters (on demand, DE), with a disk of 200 GB`. */
function within({ markets, countries, providers }: OfferFilter, wishes: Wishes): string {
  const named = [
    ...(markets ?? []).map(market => format.MARKET_WORDS[market]),
    ...(countries ?? []),
    ...(providers ?? []),
  ];
  const wished = wishWords(wishes);
  return `within its filters${named.length === 0 ? '' : ` (${named.join(', ')})`}${wished === '' ? '' : `, with ${wished}`}`;
}
