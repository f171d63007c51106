/** What the market has to sell: which of its entries are there, at what price, and how many of each. */
import { format, type MicroUsd, type Offer } from '@hitch/contract';
import { buildCatalogue, type CatalogueEntry } from './catalogue.ts';
import { Conditions, type EntryConditions } from './conditions.ts';
import { quoteAt } from './drift.ts';
import type { FaultDice } from './faults.ts';
import { MarketRefusal } from './market-refusal.ts';
import type { Rental } from './market-storage.ts';
import {
  type Charges,
  chargesOf,
  checkChoices,
  checkTerm,
  conditionsOf,
  priceOn,
  type RentOrder,
  type Terms,
} from './terms.ts';

export interface ShelfOptions {
  readonly seed: number;
  readonly dice: FaultDice;
  readonly offersPerModel?: number | undefined;
  /** So many of everything, always; for load tests. */
  readonly stock: number | null;
}

/** What one order comes to. */
export interface Sale {
  readonly entry: CatalogueEntry;
  readonly price: MicroUsd;
  /** What the disk costs of that. */
  readonly diskMicroUsd: MicroUsd;
  readonly conditions: EntryConditions;
}

/** What one machine costs on some terms. */
export interface MarketPrice extends Charges {
  readonly parts: readonly { readonly label: string; readonly perHourMicroUsd: MicroUsd }[];
}

const OFF_THE_SHELF_MS = 600_000;

export class Shelf {
  readonly #seed: number;
  readonly #dice: FaultDice;
  readonly #stock: number | null;
  readonly #conditions: Conditions;
  readonly #catalogue: ReadonlyMap<string, CatalogueEntry>;
  readonly #hiddenUntilMs = new Map<string, number>();

  constructor({ seed, dice, offersPerModel, stock }: ShelfOptions) {
    this.#seed = seed;
    this.#dice = dice;
    this.#stock = stock;
    this.#conditions = new Conditions(dice);
    this.#catalogue = new Map(buildCatalogue(seed, offersPerModel).map(entry => [entry.id, entry]));
  }

  entry(id: string): CatalogueEntry | undefined {
    return this.#catalogue.get(id);
  }

  offers(rentals: Iterable<Rental>, nowMs: number): readonly Offer[] {
    const taken = takenOf(rentals);
    const offers: Offer[] = [];
    for (const entry of this.#catalogue.values()) {
      const quote = this.#quote(entry, nowMs);
      const stock = quote.stock - (taken.get(entry.id) ?? 0);
      if (stock > 0 && (this.#hiddenUntilMs.get(entry.id) ?? 0) <= nowMs) {
        offers.push({
          ...entry.fixed,
          ...quote,
          id: `sandbox:${entry.id}`,
          stock,
          ...conditionsOf(this.#conditions.of(entry), entry, quote),
          fetchedAtMs: nowMs,
        });
      }
    }
    return offers;
  }

  /** @throws MarketRefusal where it is not sold like that. */
  sell(order: RentOrder, rentals: Iterable<Rental>, nowMs: number): Sale {
    const entry = this.#catalogue.get(order.entryId);
    if (entry === undefined || (this.#hiddenUntilMs.get(order.entryId) ?? 0) > nowMs) {
      throw new MarketRefusal('sold_out', `The offer ${order.entryId} is no longer available.`);
    }
    if (this.#dice.strike('vanished_offer', order.ref) !== null) {
      this.#hiddenUntilMs.set(entry.id, nowMs + OFF_THE_SHELF_MS);
      throw new MarketRefusal('sold_out', soldSentence(entry));
    }
    const quote = this.#quote(entry, nowMs);
    const members = order.members ?? 1;
    if ((takenOf(rentals).get(entry.id) ?? 0) + members > quote.stock) {
      throw new MarketRefusal('sold_out', soldSentence(entry));
    }
    const conditions = this.#conditions.of(entry);
    const { price: each, diskMicroUsd } = priceOn(entry, quote, conditions, order);
    const price = each * BigInt(members);
    checkChoices(entry, order, each);
    if (price > order.maxPricePerHourMicroUsd) {
      throw new MarketRefusal(
        'too_dear',
        `The price of ${format.machineTitle(entry.fixed)} has risen above the limit.`,
      );
    }
    const dearer = conditions.depositMicroUsd === null ? this.#dice.strike('dearer', order.ref) : null;
    return {
      entry,
      price: dearer === null ? price : (price * BigInt(100 + dearer.percent) + 99n) / 100n,
      diskMicroUsd,
      conditions,
    };
  }

  /** What one machine of an entry costs on these terms. @throws MarketRefusal where it is not sold like that. */
  price(entryId: string, terms: Terms, nowMs: number): MarketPrice {
    const entry = this.#catalogue.get(entryId);
    if (entry === undefined || (this.#hiddenUntilMs.get(entryId) ?? 0) > nowMs) {
      throw new MarketRefusal('sold_out', `The offer ${entryId} is no longer available.`);
    }
    const conditions = this.#conditions.of(entry);
    const quote = this.#quote(entry, nowMs);
    const { price, diskMicroUsd } = priceOn(entry, quote, conditions, terms);
    checkChoices(entry, terms, price);
    checkTerm(conditions, terms.termMs ?? null);
    return {
      parts: [
        { label: entry.fixed.gpuCount > 0 ? 'GPU' : 'CPU', perHourMicroUsd: price - diskMicroUsd },
        { label: 'disk', perHourMicroUsd: diskMicroUsd },
      ],
      ...chargesOf(conditions, price, terms.termMs ?? null),
    };
  }

  #quote(entry: CatalogueEntry, nowMs: number): ReturnType<typeof quoteAt> {
    const quote = quoteAt(this.#seed, entry, nowMs);
    return this.#stock === null ? quote : { ...quote, stock: this.#stock };
  }
}

/** How many of each entry are rented now. */
function takenOf(rentals: Iterable<Rental>): ReadonlyMap<string, number> {
  const taken = new Map<string, number>();
  for (const { endedAtMs, entryId, members } of rentals) {
    if (endedAtMs === null) {
      taken.set(entryId, (taken.get(entryId) ?? 0) + members);
    }
  }
  return taken;
}

export const soldSentence = ({ fixed }: CatalogueEntry): string =>
  `Somebody else rented ${format.machineTitle(fixed)} in the meantime.`;
