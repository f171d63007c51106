/** One network's offers: built once a refresh, never changed, sorted by a key when it is first asked for. */
import {
  type Offer,
  type OfferFilter,
  type OfferSortKey,
  type ProviderId,
  rankOf,
  RANKED_MS,
} from '@hitch/contract';
import { type Histories, NO_HISTORIES } from './histories.ts';
import { matchRows } from './match.ts';
import { type OfferColumns, offerAt, hostAt, offerColumns, rankFactsAt } from './offer-columns.ts';

export class OfferSegment {
  readonly provider: ProviderId;
  readonly length: number;
  readonly #columns: OfferColumns;
  /** Row numbers by rising key; ties by id. */
  readonly #orders = new Map<OfferSortKey, Uint32Array>();
  readonly #keyFunctions = new Map<OfferSortKey, (row: number) => number>();
  #rowById: Map<string, number> | null = null;
  /** What the order `best` goes by. */
  #ranking: Ranking = { ms: RANKED_MS, histories: NO_HISTORIES, version: 0 };

  constructor(provider: ProviderId, offers: readonly Offer[]) {
    // Rows lie in id order, so that a stable sort by any key breaks ties by id.
    const rows = offers.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    this.provider = provider;
    this.length = rows.length;
    this.#columns = offerColumns(provider, rows);
  }

  /** Has the order `best` go by these hours and this history, from now on. */
  rankBy(histories: Histories, ms: number): void {
    const version = histories.versionOf(this.provider);
    if (version !== this.#ranking.version || ms !== this.#ranking.ms) {
      this.#ranking = { ms, histories, version };
      this.#orders.delete('best');
      this.#keyFunctions.delete('best');
    }
  }

  /** Value of a sort key; null sorts last whichever way. */
  keyOf(key: OfferSortKey, row: number): number {
    let keyOf = this.#keyFunctions.get(key);
    if (keyOf === undefined) {
      keyOf = this.#keys(key);
      this.#keyFunctions.set(key, keyOf);
    }
    return keyOf(row);
  }

  /** The GPU's name, for the one sort key that is a word. */
  gpuModelOf(row: number): string {
    const { dictionary, codes } = this.#columns.words.gpuModel;
    return dictionary.decode(codes[row] ?? 0) ?? '';
  }

  /** Each GPU that this network offers, once. */
  get gpuModels(): readonly string[] {
    return this.#columns.words.gpuModel.dictionary.words.filter(word => word !== null);
  }

  rowOf(id: string): number | undefined {
    this.#rowById ??= new Map(this.#columns.ids.map((known, row) => [known, row]));
    return this.#rowById.get(id);
  }

  /** 1 for each row that passes. */
  match(filter: OfferFilter, title: string): Uint8Array {
    return matchRows(this.#columns, filter, title);
  }

  /** Row numbers by rising `key`, sorted on the first use. */
  order(key: OfferSortKey): Uint32Array {
    const known = this.#orders.get(key);
    if (known !== undefined) {
      return known;
    }
    const keyOf = this.#keys(key);
    const values = new Float64Array(this.length);
    const order = new Uint32Array(this.length);
    for (let row = 0; row < this.length; row++) {
      values[row] = keyOf(row);
      order[row] = row;
    }
    order.sort((a, b) => compareKeys(values[a] ?? 0, values[b] ?? 0) || a - b);
    this.#orders.set(key, order);
    return order;
  }

  offer(row: number): Offer {
    return offerAt(this.#columns, row);
  }

  #ranks(): Float64Array {
    const { ms, histories, version } = this.#ranking;
    const ranks = new Float64Array(this.length);
    for (let row = 0; row < this.length; row++) {
      const history = version === 0 ? undefined : histories.of(hostAt(this.#columns, row));
      ranks[row] = rankOf(rankFactsAt(this.#columns, row, history), ms);
    }
    return ranks;
  }

  #keys(key: OfferSortKey): (row: number) => number {
    const n = this.#columns.numbers;
    const column = (values: Float64Array) => (row: number) => values[row] ?? Number.NaN;
    switch (key) {
      case 'best':
        return column(this.#ranks());
      case 'pricePerHour':
        return column(n.pricePerHour);
      case 'pricePerGpuHour':
        // A machine without a GPU has no price for one.
        return row =>
          (n.gpuCount[row] ?? 0) > 0 ? (n.pricePerHour[row] ?? 0) / (n.gpuCount[row] ?? 1) : NaN;
      case 'gpuModel': {
        const { dictionary, codes } = this.#columns.words.gpuModel;
        const sorted = dictionary.words.filter(word => word !== null).sort();
        const rank = dictionary.words.map(word => (word === null ? NaN : sorted.indexOf(word)));
        return row => rank[codes[row] ?? 0] ?? Number.NaN;
      }
      case 'gpuCount':
        return column(n.gpuCount);
      case 'vram':
        return column(n.vramMiB);
      case 'reliability':
        return column(n.reliability);
      case 'cpuCores':
        return column(n.cpuCores);
      case 'ram':
        return column(n.ramMiB);
      case 'disk':
        return column(n.diskGiB);
      case 'down':
        return column(n.downMbps);
      case 'readyIn':
        return column(n.readyInMs);
    }
  }
}

interface Ranking {
  readonly ms: number;
  readonly histories: Histories;
  readonly version: number;
}

/** Rising, NaN (null) last. */
export function compareKeys(a: number, b: number): number {
  const aMissing = Number.isNaN(a);
  const bMissing = Number.isNaN(b);
  return aMissing || bMissing ? Number(aMissing) - Number(bMissing) : a - b;
}
