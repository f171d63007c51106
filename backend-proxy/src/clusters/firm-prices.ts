/**
 * What networks say of prices on terms, where their lists are not firm. It is asked for when a quote is built, and again
 * before a purchase; what was said a moment ago is not asked for twice.
 */
import {
  format,
  leastCost,
  type MicroUsd,
  type Offer,
  parseMicroUsd,
  type ProviderId,
  showDollars,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { QuoteRecord, Terms } from '../ledger/records.ts';
import { type Price, type Provider, ProviderError } from '../providers/provider.ts';
import { atPrice } from '../spend/on-terms.ts';
import type { FirmPrices } from '../spend/fitting-offers.ts';
import { PRICE_FRESH_MS } from './limits.ts';
import { NetworkWaits } from './pause.ts';
import type { RateLimiter } from './rate-limiter.ts';

interface Known {
  readonly price: Price;
  /** By the clock that only grows. */
  readonly askedAt: number;
}

export interface PriceOptions {
  readonly clock: Clock;
  readonly calls: RateLimiter;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
}

export class Prices {
  readonly #options: PriceOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: PriceOptions) {
    this.#options = options;
  }

  /** Whether the price that an offer says is not firm. */
  isAsked({ provider }: Pick<Offer, 'provider'>): boolean {
    return this.#options.providers.get(provider)?.price !== undefined;
  }

  /** What it costs, as it was said a moment ago or on being asked now. @throws ProviderError, NetworkWaits */
  async of(provider: Provider, offer: Offer, terms: Terms): Promise<Price> {
    const ask = provider.price?.bind(provider);
    if (ask === undefined) {
      throw new ProviderError('permanent', `${provider.title} names no other price than its list’s.`);
    }
    const { calls, clock } = this.#options;
    const key = keyOf(offer, terms);
    const known = this.#known.get(key);
    if (known !== undefined && clock.monotonic() - known.askedAt <= PRICE_FRESH_MS) {
      return known.price;
    }
    const price = await calls.provider(provider, 'price', signal => ask(offer, terms, signal));
    checkSense(provider, price);
    this.#forgetOld();
    this.#known.set(key, { price, askedAt: clock.monotonic() });
    return price;
  }

  /** For one quote: what is asked in it stands until it is built. */
  session(): PriceSession {
    return new PriceSession(this, this.#options.providers);
  }

  #forgetOld(): void {
    const now = this.#options.clock.monotonic();
    for (const [key, { askedAt }] of this.#known) {
      if (now - askedAt > PRICE_FRESH_MS) {
        this.#known.delete(key);
      }
    }
  }
}

export class PriceSession implements FirmPrices {
  readonly #prices: Prices;
  readonly #providers: ReadonlyMap<ProviderId, Provider>;
  readonly #answers = new Map<string, Price | null>();
  readonly #leftOut = new Map<string, string>();
  #isClosed = false;

  constructor(prices: Prices, providers: ReadonlyMap<ProviderId, Provider>) {
    this.#prices = prices;
    this.#providers = providers;
  }

  of(offer: Offer, terms: Terms): Price | null | undefined {
    const answer = this.#answers.get(keyOf(offer, terms));
    return answer === undefined && this.#isClosed && this.#prices.isAsked(offer) ? null : answer;
  }

  get leftOut(): readonly string[] {
    return [...this.#leftOut.values()];
  }

  /** Nobody is asked any more: offers whose price is not known are left out. */
  close(): void {
    this.#isClosed = true;
  }

  /** Asks for what is not known of these. @returns whether anything was: then other offers may be nearer. */
  async ask(offers: readonly Offer[], terms: Readonly<Record<string, Terms>>): Promise<boolean> {
    const open = offers.flatMap(offer => {
      const on = terms[offer.id];
      const isOpen = on !== undefined && this.#prices.isAsked(offer) && !this.#answers.has(keyOf(offer, on));
      return isOpen ? [{ offer, on }] : [];
    });
    await Promise.all(open.map(({ offer, on }) => this.#ask(offer, on)));
    return open.length > 0;
  }

  async #ask(offer: Offer, terms: Terms): Promise<void> {
    const provider = this.#providers.get(offer.provider);
    if (provider === undefined) {
      return;
    }
    const key = keyOf(offer, terms);
    try {
      this.#answers.set(key, await this.#prices.of(provider, offer, terms));
    } catch (error) {
      if (!(error instanceof ProviderError)) {
        throw error;
      }
      this.#answers.set(key, null);
      this.#leftOut.set(offer.id, notKnown(offer, error));
    }
  }
}

/** Offers stand for themselves by their ids; the same one on other terms costs something else. */
const keyOf = ({ id }: Offer, terms: Terms): string =>
  JSON.stringify([
    id,
    terms.termMs,
    terms.diskGiB,
    terms.market,
    terms.image,
    terms.bidPerHourMicroUsd?.toString(),
  ]);

const notKnown = (offer: Offer, { message }: ProviderError): string =>
  `The price of ${format.machineTitle(offer)} (${offer.id}) is not known. ${message}`;

/** @throws ProviderError for a price that is none. */
function checkSense({ title }: Provider, price: Price): void {
  const amounts = [
    ...price.perHour.map(({ perHourMicroUsd }) => perHourMicroUsd),
    price.floorMicroUsd,
    price.nonRefundableMicroUsd,
    price.dueNowMicroUsd ?? 0n,
  ];
  if (price.perHour.length === 0 || amounts.some(amount => amount < 0n)) {
    throw new ProviderError('unknownOutcome', `${title} answered with a price that makes no sense.`);
  }
}

/** What of a price is more than the yes to an offer allows, a sentence; null: nothing. @param limit by the hour */
export function priceProblem(agreed: Offer, now: Offer, limit: MicroUsd): string | null {
  const before = parseMicroUsd(agreed.pricePerHourMicroUsd);
  const after = parseMicroUsd(now.pricePerHourMicroUsd);
  if (after > limit) {
    return `It costs ${showDollars(after)}/h now, above the limit of ${showDollars(limit)}/h.`;
  }
  // What is kept in any case is for hours, and may rise with their price up to the limit.
  const allowed = before === 0n ? leastCost(agreed) : (leastCost(agreed) * limit + before - 1n) / before;
  return leastCost(now) > allowed
    ? `${showDollars(leastCost(now))} of it is paid in any case now, more than the quote said.`
    : null;
}

/** Why an offer is not bought at its price now. */
export interface PriceProblem {
  readonly message: string;
  /** It may be bought all the same a little later. */
  readonly mayRetry: boolean;
}

/**
 * An offer of a quote at the price that its network says now, where its list is not firm and the quote not fresh.
 * @throws NetworkWaits
 */
export async function atPriceNow(
  { prices, clock }: { readonly prices: Prices; readonly clock: Clock },
  provider: Provider,
  { offer, terms, quote }: { readonly offer: Offer; readonly terms: Terms; readonly quote: QuoteRecord },
): Promise<{ readonly offer: Offer; readonly problem: PriceProblem | null }> {
  if (!prices.isAsked(offer) || clock.now() - quote.quote.createdAtMs <= PRICE_FRESH_MS) {
    return { offer, problem: null };
  }
  try {
    const now = atPrice(offer, await prices.of(provider, offer, terms));
    const message = priceProblem(offer, now, quote.maxNodePricePerHourMicroUsd);
    return { offer: now, problem: message === null ? null : { message, mayRetry: false } };
  } catch (error) {
    if (error instanceof NetworkWaits || !(error instanceof ProviderError)) {
      throw error;
    }
    const mayRetry = error.kind === 'retryable' || error.kind === 'unknownOutcome';
    return { offer, problem: { message: notKnown(offer, error), mayRetry } };
  }
}
