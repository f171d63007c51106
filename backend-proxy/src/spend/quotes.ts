/** Builds quotes: what a person says yes to. Candidates, prices and limits are frozen here. */
import {
  type Caps,
  type EngineKind,
  engineKindSchema,
  format,
  formatMicroUsd,
  HitchError,
  type MicroUsd,
  type Network,
  type Offer,
  type OfferPage,
  type OfferQuery,
  parseMicroUsd,
  quoteLines,
  type Quote,
  type QuoteRequest,
  costOver,
  showDollars,
  yesLabel,
} from '@hitch/contract';
import { isAbsolute } from 'node:path';
import type { QuoteRecord } from '../clusters/records.ts';
import { QUOTE_VALID_MS, USEFUL_MS } from '../clusters/limits.ts';
import type { Vacancy } from '../providers/provider.ts';
import type { Clock } from '../platform/clock.ts';
import type { Ids } from '../platform/random.ts';
import { defaultTemplate, templateById } from '../templates/catalogue.ts';
import { savingReserve } from './budget.ts';

/** The part of the offer book that quotes need. */
export interface OfferSource {
  get(offerId: string): Offer | null;
  query(query: OfferQuery): OfferPage;
}

const DEFAULT_CAP = 2_000_000n;
const DEFAULT_IDLE_MS = 30 * 60_000;
/** Others that are tried when the first choices are taken. */
const SPARE_CANDIDATES = 4;

export interface QuoteParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly offers: OfferSource;
  readonly networkOf: (provider: string) => Network;
  /** Room for more machines on a network that knows it at once; null: its offers say it. */
  readonly vacancyOf: (provider: string) => Vacancy | null;
}

/** @throws HitchError BAD_INPUT, NO_OFFERS or CAP_TOO_LOW, each with a sentence. */
export function buildQuote(parts: QuoteParts, request: QuoteRequest): QuoteRecord {
  const nowMs = parts.clock.now();
  const { template, engine } = chooseEngine(request);
  const { offers, limit } = chooseCandidates(parts, request);
  const caps = chooseCaps(request, nowMs);
  const firsts = firstChoices(offers, request.nodes);
  const highest = limit * BigInt(request.nodes);
  const reserve = savingReserve(highest, request.save.paths.length > 0);
  const nonRefundable = firsts.reduce((sum, offer) => sum + parseMicroUsd(offer.nonRefundableMicroUsd), 0n);
  checkCap(parseMicroUsd(caps.totalMicroUsd), nonRefundable + reserve + costOver(highest, USEFUL_MS));
  if (request.save.toFolder !== null && !isAbsolute(request.save.toFolder)) {
    throw new HitchError('BAD_INPUT', `"${request.save.toFolder.slice(0, 200)}" is not an absolute folder.`, {
      field: 'save.toFolder',
      next: 'Write the whole path of a folder on this computer.',
    });
  }
  const facts: Omit<Quote, 'lines' | 'yes'> = {
    id: parts.ids.next('quo'),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + QUOTE_VALID_MS,
    practice: offers.some(({ practice }) => practice),
    template,
    engine,
    nodes: request.nodes,
    candidates: offers.map(offer => ({
      offerId: offer.id,
      provider: offer.provider,
      title: format.machineTitle(offer),
      pricePerHourMicroUsd: offer.pricePerHourMicroUsd,
      nonRefundableMicroUsd: offer.nonRefundableMicroUsd,
    })),
    ratePerHourMicroUsd: formatMicroUsd(sumOf(firsts.map(priceOf))),
    highestRatePerHourMicroUsd: formatMicroUsd(highest),
    parts: sumParts(firsts),
    nonRefundableMicroUsd: formatMicroUsd(nonRefundable),
    savingReserveMicroUsd: formatMicroUsd(reserve),
    caps,
    save: request.save,
    secrets: [...new Set(request.secrets)],
    endsBillingAlone: offers.every(({ endsBillingAlone }) => endsBillingAlone),
  };
  const quote: Quote = { ...facts, lines: quoteLines(facts, offers, parts.networkOf), yes: yesLabel(facts) };
  return { id: quote.id, quote, offers, maxNodePricePerHourMicroUsd: limit, usedBy: null };
}

function priceOf({ pricePerHourMicroUsd }: Offer): MicroUsd {
  return parseMicroUsd(pricePerHourMicroUsd);
}

function sumOf(amounts: readonly MicroUsd[]): MicroUsd {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

function chooseEngine({ template, engine, nodes }: QuoteRequest): { template: string; engine: EngineKind } {
  const chosen = templateById(template ?? defaultTemplate(nodes));
  if (nodes < chosen.minNodes) {
    throw new HitchError(
      'BAD_INPUT',
      `The template ${chosen.id} needs at least ${chosen.minNodes.toString()} nodes.`,
      {
        field: 'nodes',
      },
    );
  }
  const kind = engineKindSchema.safeParse(engine ?? (nodes > 1 ? 'ray' : chosen.engine));
  if (!kind.success) {
    throw new HitchError('BAD_INPUT', `There is no engine "${(engine ?? '').slice(0, 40)}".`, {
      field: 'engine',
      next: `Choose one of: ${engineKindSchema.options.join(', ')}.`,
    });
  }
  if (kind.data === 'single' && nodes > 1) {
    throw new HitchError('BAD_INPUT', `The engine single runs on one machine, not on ${nodes.toString()}.`, {
      field: 'engine',
      next: 'Choose the engine ray, or one node.',
    });
  }
  return { template: chosen.id, engine: kind.data };
}

function chooseCaps({ capMicroUsd, stopAtMs, idleMs }: QuoteRequest, nowMs: number): Caps {
  checkStopTime(stopAtMs, nowMs);
  const idle = idleMs === null ? DEFAULT_IDLE_MS : idleMs === 0 ? null : idleMs;
  if (idle !== null && idle < 60_000) {
    throw new HitchError('BAD_INPUT', 'The idle time is under a minute.', {
      field: 'idleMs',
      next: 'Choose at least 60000 (one minute), or 0 for never.',
    });
  }
  return { totalMicroUsd: capMicroUsd ?? formatMicroUsd(DEFAULT_CAP), stopAtMs, idleMs: idle };
}

/** @throws HitchError BAD_INPUT when the stop time is not in the future. */
export function checkStopTime(stopAtMs: number | null, nowMs: number): void {
  if (stopAtMs !== null && stopAtMs <= nowMs) {
    throw new HitchError('BAD_INPUT', 'The stop time has already passed.', {
      field: 'stopAtMs',
      next: 'Choose a later one, in milliseconds since 1970.',
    });
  }
}

function checkCap(cap: MicroUsd, needed: MicroUsd): void {
  if (cap < needed) {
    throw new HitchError(
      'CAP_TOO_LOW',
      `The cap of ${showDollars(cap)} does not cover five minutes with saving and destroying, ${showDollars(needed)}.`,
      { field: 'capMicroUsd', next: `Choose a cap of at least ${showDollars(needed)}, or a cheaper offer.` },
    );
  }
}

interface Candidates {
  readonly offers: readonly Offer[];
  /** No node may cost more than this an hour. */
  readonly limit: MicroUsd;
}

function chooseCandidates(parts: QuoteParts, request: QuoteRequest): Candidates {
  return request.offerIds.length > 0 ? named(parts, request) : cheapest(parts, request);
}

function limitOf({ maxNodePricePerHourMicroUsd }: QuoteRequest, first: MicroUsd): MicroUsd {
  return maxNodePricePerHourMicroUsd === null
    ? (first * 11n) / 10n
    : parseMicroUsd(maxNodePricePerHourMicroUsd);
}

function slots(offers: readonly Offer[]): number {
  return offers.reduce((sum, { stock }) => sum + Math.max(0, stock), 0);
}

/** The networks of these offers that have no room for all nodes, whatever their offers say. */
function fullNetworks(
  { vacancyOf }: QuoteParts,
  offers: readonly Offer[],
  nodes: number,
): ReadonlyMap<string, Vacancy> {
  const full = new Map<string, Vacancy>();
  for (const network of new Set(offers.map(({ provider }) => provider))) {
    const vacancy = vacancyOf(network);
    if (vacancy !== null && vacancy.free < nodes) {
      full.set(network, vacancy);
    }
  }
  return full;
}

/** The offers the person named, in that order. Naming one is a yes to its price. */
function named(parts: QuoteParts, request: QuoteRequest): Candidates {
  const offers = [...new Set(request.offerIds)].map(id => {
    const offer = parts.offers.get(id);
    if (offer === null) {
      throw new HitchError('NO_OFFERS', `The offer ${id.slice(0, 80)} is not there any more.`, {
        field: 'offerIds',
        next: 'Look at the offers again; prices and stock move.',
      });
    }
    return offer;
  });
  const [first] = offers;
  if (first === undefined) {
    throw noOffers(request);
  }
  if (request.nodes > 1) {
    const apart = offers.find(({ multiNode, provider }) => !multiNode || provider !== first.provider);
    if (apart !== undefined) {
      throw new HitchError(
        'BAD_INPUT',
        `${format.machineTitle(apart)} (${apart.id}) cannot reach the other nodes.`,
        {
          field: 'offerIds',
          next: 'For several nodes choose offers of one network that are marked for clusters.',
        },
      );
    }
  }
  const dearest = offers.map(priceOf).reduce((a, b) => (a > b ? a : b));
  const byFirst = limitOf(request, priceOf(first));
  const limit = request.maxNodePricePerHourMicroUsd === null && dearest > byFirst ? dearest : byFirst;
  const full = fullNetworks(parts, offers, request.nodes);
  const allowed = offers.filter(offer => priceOf(offer) <= limit && !full.has(offer.provider));
  if (slots(allowed) < request.nodes) {
    throw noOffers(request, full);
  }
  return { offers: allowed, limit };
}

/** The cheapest that pass the filter; of one network where several nodes must reach each other. */
function cheapest(parts: QuoteParts, request: QuoteRequest): Candidates {
  const { offers, hint } = parts.offers.query({
    filter: { ...request.filter, ...(request.nodes > 1 ? { multiNode: true } : {}) },
    sort: { key: 'pricePerHour', descending: false },
    offset: 0,
    limit: 1000,
  });
  const full = fullNetworks(parts, offers, request.nodes);
  const networks = request.nodes > 1 ? [...new Set(offers.map(({ provider }) => provider))] : [null];
  for (const network of networks) {
    const there = offers.filter(
      ({ provider, stock }) => stock > 0 && !full.has(provider) && (network === null || provider === network),
    );
    const [first] = there;
    if (first === undefined) {
      continue;
    }
    const last = firstChoices(there, request.nodes).at(-1) ?? first;
    const byFirst = limitOf(request, priceOf(first));
    // Where the cheapest are too few for all nodes, the limit reaches as far as the nodes need.
    const reach = request.maxNodePricePerHourMicroUsd === null && priceOf(last) > byFirst;
    const limit = reach ? priceOf(last) : byFirst;
    const allowed = there.filter(offer => priceOf(offer) <= limit);
    if (slots(allowed) >= request.nodes) {
      return { offers: enough(allowed, request.nodes), limit };
    }
  }
  throw noOffers(request, full, hint);
}

/** As many as the nodes need, and the spare ones. */
function enough(offers: readonly Offer[], nodes: number): readonly Offer[] {
  let have = 0;
  const needed = offers.findIndex(({ stock }) => (have += stock) >= nodes) + 1;
  return offers.slice(0, needed + SPARE_CANDIDATES);
}

function noOffers(
  { nodes, offerIds, maxNodePricePerHourMicroUsd }: QuoteRequest,
  full: ReadonlyMap<string, Vacancy> = new Map(),
  hint: string | null = null,
): HitchError {
  const what = offerIds.length > 0 ? 'The named offers do not have' : 'No network has';
  const price =
    maxNodePricePerHourMicroUsd === null
      ? ''
      : ` for at most ${showDollars(parseMicroUsd(maxNodePricePerHourMicroUsd))}/h each`;
  const machines = nodes === 1 ? 'a machine that fits' : `${nodes.toString()} machines that fit`;
  const sentences = [
    hint ?? `${what} ${machines}${price} now.`,
    ...[...full.values()].map(({ sentence }) => sentence),
  ];
  return new HitchError('NO_OFFERS', sentences.join(' '), {
    next:
      full.size === 0
        ? 'Widen the filter, allow a higher price, or ask again in a minute.'
        : 'Stop a cluster that is not needed, widen the filter, or ask for fewer nodes.',
  });
}

/** The offers the nodes take when nobody else does: each as often as it is in stock. */
function firstChoices(offers: readonly Offer[], nodes: number): readonly Offer[] {
  return offers
    .flatMap(offer => Array.from({ length: Math.min(offer.stock, nodes) }, () => offer))
    .slice(0, nodes);
}

function sumParts(offers: readonly Offer[]): Quote['parts'] {
  const sums = new Map<string, MicroUsd>();
  for (const { label, perHourMicroUsd } of offers.flatMap(({ priceParts }) => priceParts)) {
    sums.set(label, (sums.get(label) ?? 0n) + parseMicroUsd(perHourMicroUsd));
  }
  return [...sums].map(([label, amount]) => ({ label, perHourMicroUsd: formatMicroUsd(amount) }));
}
