/**
 * What is asked for when a cluster is rented once more: what was ordered for it, on the machines that it had. What cannot
 * be had in the same way is said, sentence by sentence, before anybody says yes.
 */
import {
  type Caps,
  format,
  HitchError,
  isAlike,
  type LimitChange,
  type Network,
  type Offer,
  type OfferFilter,
  offerFilterSchema,
  type QuoteAgain,
  type QuoteRequest,
  quoteRequestSchema,
  shownName,
  type Running,
  trustSchema,
} from '@hitch/contract';
import { committed, possibleRate, spentOfCap } from '../spend/budget.ts';
import { type CandidateParts, everyOffer, fullNetworks, priceOf } from '../spend/candidates.ts';
import type { RentedBefore } from '../spend/quotes.ts';
import { type ClusterState, presentNodes } from './draft.ts';
import type { ClusterRecord, NodeRecord, QuoteRecord } from './records.ts';
import { isLost, isUnfinished } from './summary.ts';

export interface AgainParts extends CandidateParts {
  readonly nowMs: number;
  readonly networkOf: (provider: string) => Network;
  /** The quote that the cluster was rented with. */
  readonly quote: QuoteRecord | undefined;
  /** Of these names, those that are stored. */
  readonly storedSecrets: (names: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface AgainOptions extends LimitChange {
  /** Passes over the offers that were tried in its last run. */
  readonly skipTried: boolean;
  /** The folder that the client serves which asks, where it sends files. */
  readonly sendsFrom?: string;
}

export interface Again {
  readonly request: QuoteRequest;
  readonly before: RentedBefore;
}

/** @throws HitchError CONFLICT, BAD_INPUT, NO_OFFERS or NOT_FOUND. */
export async function quoteAgain(
  parts: AgainParts,
  state: ClusterState,
  options: AgainOptions,
): Promise<Again> {
  const lost = nodesToRent(state);
  const replaces = state.cluster.desired === 'up';
  if (replaces) {
    checkNoLimits(state, options);
  }
  const order = orderOf(parts, state);
  const limits = replaces ? limitsOf(state.cluster.caps) : orderedLimits(parts, state, order, options);
  const { secrets, changes: secretChanges } = await secretsThere(
    parts,
    replaces ? state.cluster.secrets : order.secrets,
  );
  const sending = replaces ? { send: [], changes: [] } : sendAgain(order, options);
  const tried = options.skipTried ? triedOffers(state) : [];
  const machine = chooseMachine(parts, state, { order, nodes: lost.length, tried });
  return {
    request: {
      ...order,
      ...limits,
      secrets: [...secrets],
      nodes: lost.length,
      offerIds: [...machine.offerIds],
      filter: machine.filter,
      // Today's price is said before the yes; the one that was accepted then is no limit to it.
      maxNodePricePerHourMicroUsd: null,
      send: [...sending.send],
      ...(replaces ? { engine: null, template: null, save: state.cluster.save } : {}),
    },
    before: {
      isAlike: machine.isAlike,
      changes: [...machine.changes, ...secretChanges, ...sending.changes],
      changes: [
        ...machine.changes,
        ...(replaces ? [] : unknownStop(parts, state, options)),
        ...secretChanges,
      ],
      // A secret that is not there now is given again once it is.
      order: replaces ? null : { ...order, ...limits },
      passedOver: tried,
      committedMicroUsd: replaces ? committed(state, parts.nowMs) : 0n,
      running: replaces ? runningOf(state, parts.nowMs) : null,
    },
  };
}

/** The same path is another file in another folder: only the client that serves the one of the order sends again. */
function sendAgain(
  { send, sendFrom = '' }: QuoteRequest,
  { sendsFrom }: AgainOptions,
): { readonly send: readonly string[]; readonly changes: readonly string[] } {
  if (send.length === 0 || (sendFrom !== '' && sendFrom === sendsFrom)) {
    return { send, changes: [] };
  }
  const from = sendFrom === '' ? 'the folder that they came from' : shownName(sendFrom);
  const names = send.map(shownName).join(', ');
  return {
    send: [],
    changes: [`These are not sent again: ${names}. Only JupyterLab sends them, where it serves ${from}.`],
  };
}
const runningOf = (state: ClusterState, nowMs: number): Running => ({
  spentMicroUsd: spentOfCap(state, nowMs),
  ratePerHourMicroUsd: possibleRate(state, nowMs),
});

/** @throws HitchError BAD_INPUT: lost nodes are replaced inside the limits that hold. */
function checkNoLimits({ cluster: { name } }: ClusterState, options: AgainOptions): void {
  const given = LIMITS.find(limit => options[limit] !== undefined);
  if (given !== undefined) {
    throw new HitchError('BAD_INPUT', `${name} runs: its limits stay as they are.`, {
      field: given,
      next: `Leave them out here, and change them with “hitch extend ${name}”.`,
    });
  }
}

const LIMITS = ['capMicroUsd', 'stopAtMs', 'idleMs'] as const satisfies readonly (keyof LimitChange)[];

/** The nodes that get other machines: all of a stopped cluster's, the lost ones of one that runs. */
function nodesToRent(state: ClusterState): readonly NodeRecord[] {
  const { cluster, attempts } = state;
  const nodes = presentNodes(state);
  if (cluster.desired === 'stopped') {
    if (attempts.some(isUnfinished)) {
      throw new HitchError('CONFLICT', `${cluster.name} is not confirmed gone yet.`, {
        next: 'Wait until it is stopped, then start it again.',
      });
    }
    return nodes;
  }
  const lost = nodes.filter(isLost);
  if (lost.length === 0) {
    throw new HitchError('CONFLICT', `${cluster.name} is running; no node of it is lost.`, {
      next: 'Stop it first, or rent another cluster.',
    });
  }
  return lost;
}

/** What was ordered. An older Hitch did not write it down: then it is what the cluster had. */
function orderOf({ quote }: AgainParts, state: ClusterState): QuoteRequest {
  const { cluster } = state;
  return (
    cluster.order?.request ??
    quoteRequestSchema.parse({
      template: cluster.template,
      engine: cluster.engine,
      nodes: presentNodes(state).length,
      ...limitsOf(quote?.quote.caps ?? cluster.caps),
      stopAtMs: null,
      save: cluster.save,
      secrets: cluster.secrets,
    })
  );
}

type Limits = Pick<QuoteRequest, 'capMicroUsd' | 'stopAtMs' | 'idleMs'>;

const limitsOf = ({ totalMicroUsd, stopAtMs, idleMs }: Caps): Limits => ({
  capMicroUsd: totalMicroUsd,
  stopAtMs,
  idleMs: idleMs ?? 0,
});

/** How long it was to run from its order on; null: without end, `undefined`: an older Hitch did not write it down. */
function orderedLength({ quote }: AgainParts, { order }: ClusterRecord): number | null | undefined {
  if (order !== null) {
    return order.request.stopAtMs === null ? null : order.request.stopAtMs - order.atMs;
  }
  if (quote === undefined || quote.keepsCaps) {
    return undefined;
  }
  const { caps, createdAtMs } = quote.quote;
  return caps.stopAtMs === null ? null : caps.stopAtMs - createdAtMs;
}

function unknownStop(
  parts: AgainParts,
  { cluster }: ClusterState,
  { stopAtMs }: LimitChange,
): readonly string[] {
  const isUnknown = stopAtMs === undefined && orderedLength(parts, cluster) === undefined;
  return isUnknown && cluster.caps.stopAtMs !== null
    ? ['How long it was to run is not known any more: it has no stop time now.']
    : [];
}

/** The limits as ordered, and the same length of time from now on. */
function orderedLimits(
  parts: AgainParts,
  { cluster }: ClusterState,
  order: QuoteRequest,
  { capMicroUsd, stopAtMs, idleMs }: LimitChange,
): Limits {
  const { nowMs } = parts;
  const lastsMs = orderedLength(parts, cluster) ?? null;
  return {
    capMicroUsd: capMicroUsd ?? order.capMicroUsd,
    stopAtMs: stopAtMs !== undefined ? stopAtMs : lastsMs === null ? null : nowMs + lastsMs,
    idleMs: idleMs === undefined ? order.idleMs : (idleMs ?? 0),
  };
}

async function secretsThere(
  { storedSecrets }: AgainParts,
  names: readonly string[],
): Promise<{ secrets: readonly string[]; changes: readonly string[] }> {
  const stored = await storedSecrets(names);
  return {
    secrets: names.filter(name => stored.has(name)),
    changes: names
      .filter(name => !stored.has(name))
      .map(name => `The secret ${name} is not stored any more: it goes there without it.`),
  };
}

interface Machine extends QuoteAgain {
  readonly offerIds: readonly string[];
  readonly filter: OfferFilter;
}

interface Wish {
  readonly order: QuoteRequest;
  readonly nodes: number;
  /** Offers that are passed over. */
  readonly tried: readonly string[];
}

/** The machine that it had, one like it, or the nearest there is; always inside the filters of the order. */
function chooseMachine(parts: AgainParts, state: ClusterState, wish: Wish): Machine {
  const had = machineOf(parts, state);
  if (had === undefined) {
    return { isAlike: true, changes: [], offerIds: wish.order.offerIds, filter: wish.order.filter };
  }
  const filter = filterOf(wish, had, state);
  const tried = new Set(wish.tried);
  const listed = [...everyOffer(parts.offers, filter)].filter(({ id, stock }) => stock > 0 && !tried.has(id));
  const full = fullNetworks(parts, listed, wish.nodes);
  const there = listed.filter(({ provider }) => !full.has(provider));
  const fullFor = (fits: (offer: Offer) => boolean): readonly string[] =>
    [...new Set(listed.filter(fits).map(({ provider }) => provider))].flatMap(
      provider => full.get(provider)?.sentence ?? [],
    );
  const like = enough(there.filter(offer => isAlike(had, offer)).sort(sameFirst(had)), wish.nodes);
  if (like.length > 0) {
    return machine(parts, like, { had, filter, lacking: null });
  }
  const near = enough(there.filter(offer => isOfKind(had, offer)).sort(nearestTo(had)), wish.nodes);
  if (near.length > 0) {
    return machine(parts, near, { had, filter, lacking: fullFor(offer => isAlike(had, offer)) });
  }
  const why = fullFor(offer => isAlike(had, offer) || isOfKind(had, offer));
  throw new HitchError(
    'NO_OFFERS',
    [`Nothing like ${format.machineTitle(had)} ${canBe(why)} now ${within(filter)}.`, ...why].join(' '),
    {
      next:
        why.length === 0
          ? 'Rent another cluster with other filters, or ask again in a minute.'
          : 'Stop a cluster that is not needed, or rent another one with other filters.',
    },
  );
}

/** @param full what networks say that list it and have no room. */
const canBe = (full: readonly string[]): string => (full.length === 0 ? 'is on offer' : 'can be rented');

/** The head's machine of the last run, as it was offered. */
function machineOf({ quote }: AgainParts, state: ClusterState): Offer | undefined {
  const nodes = presentNodes(state);
  const of = (node: NodeRecord) => state.attempts.find(({ id }) => id === node.attemptId)?.offer;
  return nodes.map(of).find(offer => offer !== undefined) ?? quote?.offers[0];
}

const triedOffers = (state: ClusterState): readonly string[] => {
  const ids = new Set(presentNodes(state).map(({ id }) => id));
  return state.attempts.filter(({ nodeId }) => ids.has(nodeId)).map(({ offer }) => offer.id);
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
  parts: AgainParts,
  offers: readonly Offer[],
  {
    had,
    filter,
    lacking,
  }: {
    had: Offer;
    filter: OfferFilter;
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
            `No ${format.machineTitle(had)} ${canBe(lacking)} now ${within(filter)}: ${format.machineTitle(first)} is the nearest.`,
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
  return { isAlike: lacking === null, changes, offerIds: offers.map(({ id }) => id), filter };
}

/** What a person may have chosen the machine for, and is not the same. */
function differences({ networkOf }: AgainParts, had: Offer, now: Offer): readonly string[] {
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

/** `within its filters (on demand, DE)`. */
function within({ markets, countries, providers }: OfferFilter): string {
  const named = [
    ...(markets ?? []).map(market => format.MARKET_WORDS[market]),
    ...(countries ?? []),
    ...(providers ?? []),
  ];
  return `within its filters${named.length === 0 ? '' : ` (${named.join(', ')})`}`;
}
