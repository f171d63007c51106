/** On what conditions the market sells each of its entries: by the catalogue, and by rules that are drawn once for each. */
import type { CatalogueEntry } from './catalogue.ts';
import type { FaultDice } from './faults.ts';

export interface EntryConditions {
  /** What is taken at once, on top of the hours. */
  readonly feeMicroUsd: string;
  /** For so long it costs in any case. */
  readonly minimumMs: number;
  /** Sold for so long at a time; null: by use. */
  readonly termMs: number | null;
  /** Several of these are one rental: all of them together. */
  readonly together: boolean;
}

const MINUTE_MS = 60_000;

export class Conditions {
  readonly #dice: FaultDice;
  readonly #known = new Map<string, EntryConditions>();

  constructor(dice: FaultDice) {
    this.#dice = dice;
  }

  of({ id, minimumMs, fixed }: CatalogueEntry): EntryConditions {
    const known = this.#known.get(id);
    if (known !== undefined) {
      return known;
    }
    const least = (this.#dice.strike('minimum_time', id)?.minutes ?? 0) * MINUTE_MS;
    const term = this.#dice.strike('sold_by_terms', id);
    const termMs = term === null ? null : term.minutes * MINUTE_MS;
    const conditions = {
      feeMicroUsd: this.#dice.strike('setup_fee', id)?.microUsd.toString() ?? '0',
      minimumMs: termMs ?? Math.max(minimumMs, least),
      termMs,
      together: fixed.multiNode && this.#dice.strike('sold_together', id) !== null,
    };
    this.#known.set(id, conditions);
    return conditions;
  }
}
