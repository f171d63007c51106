/** Builds quotes: what a person says yes to. Candidates, prices and limits are frozen here. */
import {
  type BusyLimits,
  type Caps,
  type ClusterId,
  cutText,
  DEFAULT_LIMITS,
  type EngineKind,
  engineKindSchema,
  format,
  formatMicroUsd,
  HitchError,
  type MicroUsd,
  type Network,
  type Offer,
  parseMicroUsd,
  type Quote,
  type QuoteAgain,
  quoteLines,
  type QuoteRequest,
  costOfOffer,
  firstOffers,
  floorOf,
  leastCost,
  type LockedEnvironment,
  type Running,
  showDollars,
  shownName,
  spareOffers,
  whyWords,
  wishesSchema,
  yesLabel,
  wholeTerms,
} from '@hitch/contract';
import { isAbsolute } from 'node:path';
import type { QuoteRecord } from '../ledger/records.ts';
import { plainTerms } from '../ledger/terms.ts';
import { OTHERS_IF_NOT_UP, QUOTE_VALID_MS, USEFUL_MS } from './limits.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { defaultTemplate } from '../templates/catalogue.ts';
import { reserveMs, savingReserve } from './budget.ts';
import { chooseCandidates } from './candidates.ts';
import { driverNeeds } from './drivers.ts';
import { type CandidateParts, priceOf, sumOf } from './fitting-offers.ts';
import { loginSentence, wantedMs } from './networks.ts';
import { hasWishes, onTerms, raisedDisk, type Sold } from './on-terms.ts';

export interface QuoteParts extends CandidateParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly networkOf: (provider: string) => Network;
  /** From when on processes count as work; left out: the usual. */
  readonly busy?: BusyLimits;
  /** The environments that were locked; left out: none. */
  readonly lockOf?: (id: string) => LockedEnvironment | null;
}

/** What makes a quote one for a cluster that is there already. */
export interface RentedBefore extends QuoteAgain {
  readonly clusterId: ClusterId;
  /** What is kept as ordered; null: machines for lost nodes, inside the limits that the cluster has. */
  readonly order: QuoteRequest | null;
  /** Offers that are not to be tried. */
  readonly passedOver: readonly string[];
  /** The one machine of one's own that its nodes must be on; null: any. */
  readonly supplier: string | null;
  /** What the cap has to cover besides these machines. */
  readonly committedMicroUsd: MicroUsd;
  /** The machines that are there already; null: none. */
  readonly running: Running | null;
}

/** @throws HitchError BAD_INPUT, NO_OFFERS or CAP_TOO_LOW, each with a sentence. */
export function buildQuote(
  parts: QuoteParts,
  asked: QuoteRequest,
  before: RentedBefore | null = null,
): QuoteRecord {
  const nowMs = parts.clock.now();
  const request = unlessAsked(asked);
  const { template, engine } = chooseEngine(request);
  const environment = chooseEnvironment(parts, request, engine);
  const {
    offers,
    limit,
    lackLogin = [],
  } = chooseCandidates({ ...parts, needs: driverNeeds(environment) }, request, before ?? undefined);
  const listed = new Map(offers.map(offer => [offer.id, listedOnTerms(parts, offer, request)]));
  const firsts = firstOffers(offers, request.nodes);
  const wanted = chooseCaps(request, nowMs);
  const caps = before === null || before.order !== null ? inWholeTerms(wanted, firsts, nowMs) : wanted;
  const raised = raisedDisk(
    firsts.map(({ id }) => parts.offers.get(id)).filter(offer => offer !== null),
    request,
  );
  const highest = limit * BigInt(request.nodes);
  const isSaving = request.save.paths.length > 0;
  const reserve = savingReserve(highest, isSaving);
  const nonRefundable = firsts.reduce((sum, offer) => sum + parseMicroUsd(offer.nonRefundableMicroUsd), 0n);
  checkCap(
    parseMicroUsd(caps.totalMicroUsd),
    {
      needed: neededAtMost(firsts, limit, USEFUL_MS + reserveMs(isSaving)),
      least: sumOf(firsts.map(leastCost)),
    },
    before?.committedMicroUsd ?? 0n,
  );
  if (request.save.toFolder !== null && !isAbsolute(request.save.toFolder)) {
    throw new HitchError('BAD_INPUT', `"${cutText(request.save.toFolder, 200)}" is not an absolute folder.`, {
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
      floorMicroUsd: offer.floorMicroUsd ?? '0',
      diskGiB: offer.diskGiB,
      why: whyWords(offer, wantedMs(request, nowMs)),
      ...termAndList(offer, listed.get(offer.id)),
    })),
    ratePerHourMicroUsd: formatMicroUsd(sumOf(firsts.map(priceOf))),
    highestRatePerHourMicroUsd: formatMicroUsd(highest),
    parts: sumParts(firsts),
    nonRefundableMicroUsd: formatMicroUsd(nonRefundable),
    floorMicroUsd: formatMicroUsd(sumOf(firsts.map(floorOf))),
    savingReserveMicroUsd: formatMicroUsd(reserve),
    caps,
    ...(hasWishes(request) || raised !== null
      ? { asked: wishesSchema.parse({ ...request, diskGiB: request.diskGiB ?? raised }) }
      : {}),
    save: request.save,
    secrets: [...new Set(request.secrets)],
    ...(environment === null ? {} : { environment: environment.id }),
    send: request.send,
    endsBillingAlone: offers.every(({ endsBillingAlone }) => endsBillingAlone),
    ...othersIfNotUp(offers, request.nodes),
    again: before === null ? null : { isAlike: before.isAlike, changes: [...before.changes] },
  };
  const quote: Quote = {
    ...facts,
    lines: quoteLines(facts, offers, parts.networkOf, {
      busy: parts.busy,
      running: before?.running ?? null,
      askedStopAtMs: wanted.stopAtMs,
      environment,
      leftOut: [
        ...(parts.firm?.leftOut ?? []),
        ...loginSentence(lackLogin, provider => parts.networkOf(provider).title),
        ...(parts.barred?.values() ?? []),
      ],
      ...(request.nodes > 1 && request.otherNetworks === true ? { keptTogether: true } : {}),
    }),
    yes: yesLabel(facts),
  };
  return {
    id: quote.id,
    quote,
    order: before === null ? request : before.order,
    keepsCaps: before !== null && before.order === null,
    forCluster: before?.clusterId ?? null,
    offers,
    terms: Object.fromEntries([...listed].map(([id, { terms }]) => [id, terms])),
    maxNodePricePerHourMicroUsd: limit,
    usedBy: null,
  };
}

/** Where there are others. A machine of one's own that does not start costs nothing, and is left as it is. */
function othersIfNotUp(offers: readonly Offer[], nodes: number): Pick<Quote, 'othersIfNotUp'> {
  const spares = spareOffers(offers, nodes).filter(({ trust }) => trust !== 'own');
  return spares.length === 0 ? {} : { othersIfNotUp: Math.min(OTHERS_IF_NOT_UP, spares.length) };
}

/** An offer on the terms that are wanted, at the price of its network's list. */
function listedOnTerms({ offers, clock }: QuoteParts, offer: Offer, request: QuoteRequest): Sold {
  const sold = onTerms(offers.get(offer.id) ?? offer, request, clock.now());
  return sold ?? { offer, terms: plainTerms(offer) };
}

function termAndList(
  { pricePerHourMicroUsd }: Offer,
  listed: Sold | undefined,
): Pick<Quote['candidates'][number], 'termMs' | 'listedPerHourMicroUsd'> {
  const termMs = listed?.terms.termMs ?? null;
  const listPrice = listed?.offer.pricePerHourMicroUsd ?? pricePerHourMicroUsd;
  return {
    ...(termMs === null ? {} : { termMs }),
    ...(listPrice === pricePerHourMicroUsd ? {} : { listedPerHourMicroUsd: listPrice }),
  };
}

/** Spot is cheaper because it may be taken away: nobody gets it who did not ask for it, bid for it, or name the offer. */
function unlessAsked(request: QuoteRequest): QuoteRequest {
  const { filter, offerIds, bidPerHourMicroUsd } = request;
  return offerIds.length > 0 || filter.markets !== undefined
    ? request
    : { ...request, filter: { ...filter, markets: [bidPerHourMicroUsd === null ? 'on_demand' : 'spot'] } };
}

function chooseEngine({ template, engine, nodes }: QuoteRequest): { template: string; engine: EngineKind } {
  const chosen = template ?? defaultTemplate(nodes);
  const kind = engineKindSchema.safeParse(engine ?? (nodes > 1 || chosen === 'ray' ? 'ray' : 'single'));
  if (!kind.success) {
    throw new HitchError('BAD_INPUT', `There is no engine "${cutText(engine ?? '', 40)}".`, {
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
  return { template: chosen, engine: kind.data };
}

/** @throws HitchError NOT_FOUND, or BAD_INPUT where the cluster cannot run in it. */
function chooseEnvironment(
  { lockOf = () => null }: QuoteParts,
  { environment: id }: QuoteRequest,
  engine: EngineKind,
): LockedEnvironment | null {
  if (id === null) {
    return null;
  }
  const lock = lockOf(id);
  if (lock === null) {
    throw new HitchError('NOT_FOUND', `The lock ${id} of the environment is not on this computer.`, {
      field: 'environment',
      next: 'Lock its file again: “--env FILE”.',
    });
  }
  if (engine === 'ray' && lock.ray === null) {
    throw new HitchError(
      'BAD_INPUT',
      `${shownName(lock.file)} was locked without Ray, on which such a cluster runs.`,
      {
        field: 'environment',
        next: 'Lock it for the engine ray, which adds it.',
      },
    );
  }
  return lock;
}

function chooseCaps({ capMicroUsd, stopAtMs, idleMs }: QuoteRequest, nowMs: number): Caps {
  checkStopTime(stopAtMs, nowMs);
  const idle = idleMs === null ? DEFAULT_LIMITS.idleMs : idleMs === 0 ? null : idleMs;
  if (idle !== null && idle < 60_000) {
    throw new HitchError('BAD_INPUT', 'The idle time is under a minute.', {
      field: 'idleMs',
      next: 'Choose at least 60000 (one minute), or 0 for never.',
    });
  }
  return { totalMicroUsd: capMicroUsd ?? formatMicroUsd(DEFAULT_LIMITS.capMicroUsd), stopAtMs, idleMs: idle };
}

/**
 * A stop time inside a term that is not given back comes at the end of the whole ones before it, so that none is paid for a
 * part; inside the first one it stays, since that is paid in any case.
 */
function inWholeTerms(caps: Caps, firsts: readonly Offer[], nowMs: number): Caps {
  const terms = new Set(
    firsts.map(({ termMs, refundable }) => (refundable === 'exact_after_floor' ? null : termMs)),
  );
  const [termMs, ...others] = terms;
  if (caps.stopAtMs === null || termMs === undefined || termMs === null || others.length > 0) {
    return caps;
  }
  const whole = wholeTerms(caps.stopAtMs - nowMs, termMs);
  return whole === 0 ? caps : { ...caps, stopAtMs: nowMs + whole * termMs };
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

/** What the first choices cost in `ms` milliseconds, each at the highest price that is allowed. */
function neededAtMost(offers: readonly Offer[], limit: MicroUsd, ms: number): MicroUsd {
  const pricePerHourMicroUsd = formatMicroUsd(limit);
  return sumOf(offers.map(offer => costOfOffer({ ...offer, pricePerHourMicroUsd }, ms)));
}

function checkCap(
  cap: MicroUsd,
  { needed, least }: { readonly needed: MicroUsd; readonly least: MicroUsd },
  committed: MicroUsd,
): void {
  const total = needed + committed;
  if (cap < total) {
    const besides =
      committed === 0n ? '' : ` besides ${showDollars(committed)} that is already spent or needed`;
    const what = needed === least ? 'what is paid in any case' : 'five minutes with saving and deleting';
    throw new HitchError(
      'CAP_TOO_LOW',
      `The spending limit of ${showDollars(cap)} does not cover ${what}, ${showDollars(needed)}${besides}.`,
      { field: 'capMicroUsd', next: `Choose a limit of at least ${showDollars(total)}, or a cheaper offer.` },
    );
  }
}

function sumParts(offers: readonly Offer[]): Quote['parts'] {
  const sums = new Map<string, MicroUsd>();
  for (const { label, perHourMicroUsd } of offers.flatMap(({ priceParts }) => priceParts)) {
    sums.set(label, (sums.get(label) ?? 0n) + parseMicroUsd(perHourMicroUsd));
  }
  return [...sums].map(([label, amount]) => ({ label, perHourMicroUsd: formatMicroUsd(amount) }));
}
