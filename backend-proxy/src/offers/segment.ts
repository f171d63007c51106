/** One network's offers in columns: built once a refresh, never changed, put back together a row at a time. */
import {
  type Offer,
  type OfferFilter,
  type OfferSortKey,
  type ProviderId,
  connectivitySchema,
  machineKindSchema,
  marketSchema,
  securitySchema,
  trustSchema,
} from '@hitch/contract';
import { type WordColumn, nullable, numberColumn, wordColumn } from './columns.ts';

const CONNECTIVITY = connectivitySchema.options;

export class OfferSegment {
  readonly provider: ProviderId;
  readonly length: number;
  readonly #ids: readonly string[];
  readonly #practice: Uint8Array;
  readonly #endsBillingAlone: Uint8Array;
  readonly #multiNode: Uint8Array;
  readonly #words;
  readonly #numbers;
  /** Row numbers by rising key; ties by id. */
  readonly #orders = new Map<OfferSortKey, Uint32Array>();
  readonly #keyFunctions = new Map<OfferSortKey, (row: number) => number>();
  #rowById: Map<string, number> | null = null;

  constructor(provider: ProviderId, offers: readonly Offer[]) {
    // Rows lie in id order, so that a stable sort by any key breaks ties by id.
    const rows = offers.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    this.provider = provider;
    this.length = rows.length;
    this.#ids = rows.map(({ id }) => id);
    this.#practice = Uint8Array.from(rows, ({ practice }) => Number(practice));
    this.#endsBillingAlone = Uint8Array.from(rows, row => Number(row.endsBillingAlone));
    this.#multiNode = Uint8Array.from(rows, ({ multiNode }) => Number(multiNode));
    this.#words = wordColumns(rows);
    this.#numbers = numberColumns(rows);
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

  idOf(row: number): string {
    return this.#ids[row] ?? '';
  }

  /** The GPU's name, for the one sort key that is a word. */
  gpuModelOf(row: number): string {
    const { dictionary, codes } = this.#words.gpuModel;
    return dictionary.decode(codes[row] ?? 0) ?? '';
  }

  rowOf(id: string): number | undefined {
    this.#rowById ??= new Map(this.#ids.map((known, row) => [known, row]));
    return this.#rowById.get(id);
  }

  /** 1 for each row that passes. */
  match(filter: OfferFilter): Uint8Array {
    const passing = new Uint8Array(this.length).fill(1);
    const providers = filter.providers;
    if (providers !== undefined && !providers.includes(this.provider)) {
      return passing.fill(0);
    }
    this.#matchFlags(filter, passing);
    this.#matchWords(filter, passing);
    this.#matchNumbers(filter, passing);
    return passing;
  }

  /** Row numbers by rising `key`, sorted on the first use. */
  order(key: OfferSortKey): Uint32Array {
    const known = this.#orders.get(key);
    if (known !== undefined) {
      return known;
    }
    const keyOf = this.#keys(key);
    const values = Float64Array.from({ length: this.length }, (_, row) => keyOf(row));
    const order = Uint32Array.from(values.keys()).sort(
      (a, b) => compareKeys(values[a] ?? 0, values[b] ?? 0) || a - b,
    );
    this.#orders.set(key, order);
    return order;
  }

  /** Puts one offer back together. */
  offer(row: number): Offer {
    const word = ({ dictionary, codes }: WordColumn) => dictionary.decode(codes[row] ?? 0);
    const amount = (column: Float64Array) => (column[row] ?? 0).toString();
    const n = this.#numbers;
    const w = this.#words;
    return {
      id: this.idOf(row),
      provider: this.provider,
      practice: this.#practice[row] === 1,
      gpuModel: word(w.gpuModel),
      gpuCount: n.gpuCount[row] ?? 0,
      vramMiB: n.vramMiB[row] ?? 0,
      pricePerHourMicroUsd: amount(n.pricePerHour),
      priceParts: this.#priceParts(row),
      nonRefundableMicroUsd: amount(n.nonRefundable),
      country: word(w.country),
      region: word(w.region),
      supplier: word(w.supplier),
      kind: machineKindSchema.parse(word(w.kind)),
      market: marketSchema.parse(word(w.market)),
      trust: trustSchema.parse(word(w.trust)),
      reliability: nullable(n.reliability[row]),
      connectivity: connectivitySchema.nullable().parse(word(w.connectivity)),
      security: securitySchema.parse(word(w.security)),
      cpuCores: n.cpuCores[row] ?? 0,
      ramMiB: n.ramMiB[row] ?? 0,
      diskGiB: n.diskGiB[row] ?? 0,
      downMbps: nullable(n.downMbps[row]),
      upMbps: nullable(n.upMbps[row]),
      cudaMax: word(w.cudaMax),
      endsBillingAlone: this.#endsBillingAlone[row] === 1,
      multiNode: this.#multiNode[row] === 1,
      stock: n.stock[row] ?? 0,
      readyInMs: nullable(n.readyInMs[row]),
      fetchedAtMs: n.fetchedAt[row] ?? 0,
    };
  }

  #priceParts(row: number): Offer['priceParts'] {
    const { labels, amounts } = this.#numbers.parts;
    const label = labels.dictionary.decode(labels.codes[row] ?? 0) ?? '';
    const names = label === '' ? [] : label.split(PART_SEPARATOR);
    return names.map((name, part) => ({
      label: name,
      perHourMicroUsd: (amounts[part]?.[row] ?? 0).toString(),
    }));
  }

  #matchFlags(filter: OfferFilter, passing: Uint8Array): void {
    const wants: (readonly [Uint8Array, boolean | undefined])[] = [
      [this.#practice, filter.practice === undefined ? undefined : filter.practice === 'only'],
      [this.#multiNode, filter.multiNode],
      [this.#endsBillingAlone, filter.endsBillingAlone],
    ];
    for (const [column, wanted] of wants) {
      if (wanted !== undefined) {
        const bit = Number(wanted);
        for (let row = 0; row < passing.length; row++) {
          passing[row] = (passing[row] ?? 0) & Number(column[row] === bit);
        }
      }
    }
  }

  #matchWords(filter: OfferFilter, passing: Uint8Array): void {
    const w = this.#words;
    const among = (column: WordColumn, wanted: readonly (string | null)[] | undefined) => {
      if (wanted !== undefined) {
        const set = new Set(wanted.map(word => word?.toLowerCase()));
        keepWords(column, word => word !== null && set.has(word.toLowerCase()), passing);
      }
    };
    among(w.gpuModel, filter.gpuModels);
    among(w.country, filter.countries);
    among(w.kind, filter.kinds);
    among(w.market, filter.markets);
    among(w.trust, filter.trusts);
    among(w.security, filter.securities);
    if (filter.minConnectivity !== undefined) {
      among(w.connectivity, CONNECTIVITY.slice(CONNECTIVITY.indexOf(filter.minConnectivity)));
    }
    const words = (filter.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length > 0) {
      keepWords(w.text, text => words.every(word => text?.includes(word) === true), passing);
    }
  }

  #matchNumbers(filter: OfferFilter, passing: Uint8Array): void {
    const n = this.#numbers;
    atLeast(n.gpuCount, filter.minGpuCount, passing);
    atMost(n.gpuCount, filter.maxGpuCount, passing);
    atLeast(n.vramMiB, filter.minVramMiB, passing);
    atMost(
      n.pricePerHour,
      filter.maxPricePerHourMicroUsd === undefined ? undefined : Number(filter.maxPricePerHourMicroUsd),
      passing,
    );
    atLeast(n.reliability, filter.minReliability, passing);
    atLeast(n.cpuCores, filter.minCpuCores, passing);
    atLeast(n.ramMiB, filter.minRamMiB, passing);
    atLeast(n.diskGiB, filter.minDiskGiB, passing);
    atLeast(n.downMbps, filter.minDownMbps, passing);
  }

  #keys(key: OfferSortKey): (row: number) => number {
    const n = this.#numbers;
    const column = (values: Float64Array) => (row: number) => values[row] ?? Number.NaN;
    switch (key) {
      case 'pricePerHour':
        return column(n.pricePerHour);
      case 'pricePerGpuHour':
        // A machine without a GPU has no price for one.
        return row =>
          (n.gpuCount[row] ?? 0) > 0 ? (n.pricePerHour[row] ?? 0) / (n.gpuCount[row] ?? 1) : NaN;
      case 'gpuModel': {
        const { dictionary, codes } = this.#words.gpuModel;
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

const PART_SEPARATOR = '\u0000';

function wordColumns(rows: readonly Offer[]) {
  return {
    gpuModel: wordColumn(rows, row => row.gpuModel),
    country: wordColumn(rows, row => row.country),
    region: wordColumn(rows, row => row.region),
    supplier: wordColumn(rows, row => row.supplier),
    kind: wordColumn(rows, row => row.kind),
    market: wordColumn(rows, row => row.market),
    trust: wordColumn(rows, row => row.trust),
    connectivity: wordColumn(rows, row => row.connectivity),
    security: wordColumn(rows, row => row.security),
    cudaMax: wordColumn(rows, row => row.cudaMax),
    // What the text filter looks in. Few distinct ones: it is tried on the words, not on the rows.
    text: wordColumn(rows, ({ gpuModel, provider, country, region, supplier }) =>
      [gpuModel, provider, country, region, supplier].join(' ').toLowerCase(),
    ),
  };
}

function numberColumns(rows: readonly Offer[]) {
  const mostParts = rows.reduce((most, { priceParts }) => Math.max(most, priceParts.length), 0);
  return {
    gpuCount: numberColumn(rows, row => row.gpuCount),
    vramMiB: numberColumn(rows, row => row.vramMiB),
    // Amounts stay exact: the largest one accepted is below 2^53.
    pricePerHour: numberColumn(rows, row => Number(row.pricePerHourMicroUsd)),
    nonRefundable: numberColumn(rows, row => Number(row.nonRefundableMicroUsd)),
    reliability: numberColumn(rows, row => row.reliability),
    cpuCores: numberColumn(rows, row => row.cpuCores),
    ramMiB: numberColumn(rows, row => row.ramMiB),
    diskGiB: numberColumn(rows, row => row.diskGiB),
    downMbps: numberColumn(rows, row => row.downMbps),
    upMbps: numberColumn(rows, row => row.upMbps),
    stock: numberColumn(rows, row => row.stock),
    readyInMs: numberColumn(rows, row => row.readyInMs),
    fetchedAt: numberColumn(rows, row => row.fetchedAtMs),
    parts: {
      labels: wordColumn(rows, row => row.priceParts.map(({ label }) => label).join(PART_SEPARATOR)),
      amounts: Array.from({ length: mostParts }, (_, part) =>
        numberColumn(rows, row => Number(row.priceParts[part]?.perHourMicroUsd ?? 0)),
      ),
    },
  };
}

/** Rising, NaN (null) last. */
export function compareKeys(a: number, b: number): number {
  const aMissing = Number.isNaN(a);
  const bMissing = Number.isNaN(b);
  return aMissing || bMissing ? Number(aMissing) - Number(bMissing) : a - b;
}

function keepWords(
  { dictionary, codes }: WordColumn,
  wanted: (word: string | null) => boolean,
  passing: Uint8Array,
): void {
  const mask = dictionary.mask(wanted);
  for (let row = 0; row < passing.length; row++) {
    passing[row] = (passing[row] ?? 0) & (mask[codes[row] ?? 0] ?? 0);
  }
}

/** What is not known (NaN) passes no bound. */
function atLeast(column: Float64Array, bound: number | undefined, passing: Uint8Array): void {
  if (bound !== undefined) {
    for (let row = 0; row < passing.length; row++) {
      passing[row] = (passing[row] ?? 0) & Number((column[row] ?? Number.NaN) >= bound);
    }
  }
}

function atMost(column: Float64Array, bound: number | undefined, passing: Uint8Array): void {
  if (bound !== undefined) {
    for (let row = 0; row < passing.length; row++) {
      passing[row] = (passing[row] ?? 0) & Number((column[row] ?? Number.NaN) <= bound);
    }
  }
}
