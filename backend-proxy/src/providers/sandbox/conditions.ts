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
  /** What is not used of a term is given back, but for the minimum. */
  readonly givesBack: boolean;
  /** It is ordered with this deposit, and rented by agreeing to a bid; null: it is rented at once. */
  readonly depositMicroUsd: string | null;
  /** What it costs differs from its list price, by so much; null: it does not. */
  readonly listOff: { readonly percent: number; readonly longerPercent: number } | null;
  /** Its disk costs from the purchase, all else from when it runs. */
  readonly partsApart: boolean;
  /** What it says of one rental carries its label. */
  readonly showsLabel: boolean;
  /** To end it takes so many calls: the first ones stop it. */
  readonly endSteps: number;
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
    const ahead = this.#dice.strike('sold_ahead', id);
    const term = ahead ?? this.#dice.strike('sold_by_terms', id);
    const termMs = term === null ? null : term.minutes * MINUTE_MS;
    const together = fixed.multiNode && this.#dice.strike('sold_together', id) !== null;
    const bids = termMs === null && !together ? this.#dice.strike('sold_by_bids', id) : null;
    const kept = ahead === null ? termMs : Math.min(ahead.keptMinutes * MINUTE_MS, termMs ?? 0);
    const conditions: EntryConditions = {
      feeMicroUsd: this.#dice.strike('setup_fee', id)?.microUsd.toString() ?? '0',
      minimumMs: kept ?? Math.max(minimumMs, least),
      termMs,
      together,
      givesBack: ahead !== null,
      depositMicroUsd: bids?.depositMicroUsd.toString() ?? null,
      listOff: this.#dice.strike('list_price_off', id),
      partsApart:
        termMs === null && bids === null && !together && this.#dice.strike('disk_apart', id) !== null,
      showsLabel: this.#dice.strike('detail_without_label', id) === null,
      endSteps: this.#dice.strike('ends_by_steps', id) === null ? 1 : 2,
    };
    this.#known.set(id, conditions);
    return conditions;
  }
}
