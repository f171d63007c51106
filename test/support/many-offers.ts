/** Any number of realistic offers, the same ones every time: the practice market's catalogue, made larger. */
import type { Offer } from '@hitch/contract';
import { buildCatalogue } from '../../backend-proxy/src/providers/sandbox/catalogue.ts';
import { quoteAt } from '../../backend-proxy/src/providers/sandbox/drift.ts';

const SEED = 1;
const MOMENT_MS = 1_800_000_000_000;
/** GPU models of the catalogue, and machines without a GPU. */
const KINDS = 23;

/** @param count how many; each has an id of its own, a price whose parts add up, and at least one in stock. */
export function manyOffers(count: number): Offer[] {
  const catalogue = buildCatalogue(SEED, Math.ceil(count / KINDS));
  if (catalogue.length < count) {
    throw new Error(`The catalogue has ${catalogue.length.toString()} entries only.`);
  }
  return catalogue.slice(0, count).map(entry => {
    const quote = quoteAt(SEED, entry, MOMENT_MS);
    return {
      ...entry.fixed,
      ...quote,
      id: `sandbox:${entry.id}`,
      stock: Math.max(1, quote.stock),
      nonRefundableMicroUsd: '0',
      fetchedAtMs: MOMENT_MS,
    };
  });
}
