/** Quotes over offers that are made up. */
import assert from 'node:assert/strict';
import {
  HitchError,
  type LockedEnvironment,
  type Offer,
  type QuoteRequest,
  quoteRequestSchema,
} from '@hitch/contract';
import { OfferBook } from '../../src/offers/offer-book.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { createIds, seededRandom } from '@hitch/platform/src/random.ts';
import type { Vacancy } from '../../src/providers/provider.ts';
import { buildQuote } from '../../src/spend/quotes.ts';

export const clock = new VirtualClock();

/** An offer with some things about it. */
export function offer(change: Partial<Offer> & { id: string; pricePerHourMicroUsd: string }): Offer {
  return {
    provider: change.id.slice(0, change.id.indexOf(':')),
    practice: true,
    gpuModel: 'RTX 4090',
    gpuCount: 1,
    vramMiB: 24_576,
    priceParts: [{ label: 'GPU', perHourMicroUsd: change.pricePerHourMicroUsd }],
    nonRefundableMicroUsd: '0',
    country: 'DE',
    region: null,
    supplier: null,
    kind: 'vm',
    market: 'on_demand',
    trust: 'verified',
    reliability: 0.99,
    connectivity: null,
    security: 'standard',
    cpuCores: 8,
    ramMiB: 32_768,
    diskGiB: 100,
    downMbps: 500,
    upMbps: 500,
    cudaMax: null,
    endsBillingAlone: true,
    multiNode: true,
    stock: 1,
    readyInMs: null,
    fetchedAtMs: clock.now(),
    ...change,
  };
}

export const OFFERS = [
  offer({ id: 'here:a', pricePerHourMicroUsd: '400000' }),
  offer({ id: 'here:b', pricePerHourMicroUsd: '420000', stock: 2 }),
  offer({ id: 'here:c', pricePerHourMicroUsd: '900000', stock: 9, trust: 'community' }),
  offer({ id: 'there:d', pricePerHourMicroUsd: '410000', multiNode: false }),
];

/** A quote over these offers. */
export function quote(
  request: Partial<QuoteRequest> = {},
  offers: readonly Offer[] = OFFERS,
  vacancyOf: (provider: string) => Vacancy | null = () => null,
  lacksLogin: (provider: string) => boolean = () => false,
) {
  return quoteFrom(bookOf(offers, lacksLogin), request, vacancyOf);
}

/** A lock whose packages bring CUDA 13. */
export const CUDA_13: LockedEnvironment = {
  id: '0'.repeat(16),
  file: 'requirements.lock',
  python: '3.12',
  platform: 'linux-x86_64',
  accelerator: 'cuda13',
  packages: [{ name: 'torch', version: '2.15.0' }],
  added: [],
  leftOut: [],
  ray: null,
};

/** A quote for a cluster with these packages. */
export const quoteOfLock = (
  lock: LockedEnvironment,
  offers: readonly Offer[],
  request: Partial<QuoteRequest>,
) =>
  quoteFrom(
    bookOf(offers, () => false),
    { ...request, environment: lock.id },
    () => null,
    lock,
  );

function bookOf(offers: readonly Offer[], lacksLogin: (provider: string) => boolean): OfferBook {
  const book = new OfferBook({ lacksLogin });
  for (const provider of new Set(offers.map(({ provider: name }) => name))) {
    book.replace(
      provider,
      offers.filter(({ provider: name }) => name === provider),
      clock.now(),
    );
  }
  return book;
}

function quoteFrom(
  book: OfferBook,
  request: Partial<QuoteRequest>,
  vacancyOf: (provider: string) => Vacancy | null,
  lock: LockedEnvironment | null = null,
) {
  const ids = createIds(clock, seededRandom(3));
  return buildQuote(
    {
      clock,
      ids,
      offers: book,
      networkOf: name => ({ title: `Network ${name}`, verifiedLive: true }),
      vacancyOf,
      lockOf: () => lock,
    },
    quoteRequestSchema.parse(request),
  );
}

/** Quotes over these offers and what else is in the book. */
export function quotesOver(offers: readonly Offer[], change: (book: OfferBook) => void) {
  const book = bookOf(offers, () => false);
  change(book);
  return (request: Partial<QuoteRequest>) => quoteFrom(book, request, () => null);
}

/** Why there is none. */
export function refusal(
  request: Partial<QuoteRequest>,
  offers?: readonly Offer[],
  vacancyOf?: (provider: string) => Vacancy | null,
): HitchError {
  return refusalOf(() => quote(request, offers, vacancyOf));
}

/** Why it was not quoted. */
export function refusalOf(quoted: () => unknown): HitchError {
  try {
    quoted();
  } catch (error) {
    assert.ok(error instanceof HitchError, String(error));
    assert.match(error.message, /\.$/);
    return error;
  }
  return assert.fail('it was quoted');
}
