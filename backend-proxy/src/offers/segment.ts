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
import {
  type ChoiceColumn,
  type WordColumn,
  choiceColumn,
  flagColumn,
  nullable,
  numberColumn,
  wordColumn,
} from './columns.ts';

export class OfferSegment {
  readonly provider: ProviderId;
  readonly length: number;
  readonly #ids: readonly string[];
  readonly #practice: Uint8Array;
  readonly #endsBillingAlone: Uint8Array;
  readonly #multiNode: Uint8Array;
  readonly #words: ReturnType<typeof wordColumns>;
  readonly #choices: ReturnType<typeof choiceColumns>;
  readonly #numbers: ReturnType<typeof numberColumns>;
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
    this.#practice = flagColumn(rows, ({ practice }) => practice);
    this.#endsBillingAlone = flagColumn(rows, row => row.endsBillingAlone);
    this.#multiNode = flagColumn(rows, ({ multiNode }) => multiNode);
    this.#words = wordColumns(rows);
    this.#choices = choiceColumns(rows);
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
    this.#matchText(filter.text ?? '', passing);
    return passing;
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

  /** Puts one offer back together. */
  offer(row: number): Offer {
    const word = ({ dictionary, codes }: WordColumn) => dictionary.decode(codes[row] ?? 0);
    const amount = (column: Float64Array) => (column[row] ?? 0).toString();
    const n = this.#numbers;
    const w = this.#words;
    const c = this.#choices;
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
      kind: chosen(c.kind, row),
      market: chosen(c.market, row),
      trust: chosen(c.trust, row),
      reliability: nullable(n.reliability[row]),
      connectivity: choice(c.connectivity, row),
      security: chosen(c.security, row),
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
    const { gpuModel, country } = this.#words;
    const among = (column: WordColumn, wanted: readonly string[] | undefined) => {
      if (wanted !== undefined) {
        const set = new Set(wanted.map(word => word.toLowerCase()));
        const mask = column.dictionary.mask(word => word !== null && set.has(word.toLowerCase()));
        keepMasked(column.codes, mask, 0, passing);
      }
    };
    among(gpuModel, filter.gpuModels);
    among(country, filter.countries);
    const c = this.#choices;
    keepChoices(c.kind, filter.kinds, passing);
    keepChoices(c.market, filter.markets, passing);
    keepChoices(c.trust, filter.trusts, passing);
    keepChoices(c.security, filter.securities, passing);
    if (filter.minConnectivity !== undefined) {
      const { options } = c.connectivity;
      keepChoices(c.connectivity, options.slice(options.indexOf(filter.minConnectivity)), passing);
    }
  }

  /** Each word must occur in one of the columns that text is looked for in; it is tried on their distinct words. */
  #matchText(text: string, passing: Uint8Array): void {
    const { gpuModel, country, region, supplier } = this.#words;
    for (const word of new Set(text.toLowerCase().split(/\s+/).filter(Boolean))) {
      if (this.provider.includes(word)) {
        continue;
      }
      const found = new Uint8Array(this.length);
      for (const { dictionary, codes } of [gpuModel, country, region, supplier]) {
        const mask = dictionary.mask(candidate => candidate?.toLowerCase().includes(word) === true);
        if (mask.includes(1)) {
          addMasked(codes, mask, found);
        }
      }
      for (let row = 0; row < passing.length; row++) {
        passing[row] = (passing[row] ?? 0) & (found[row] ?? 0);
      }
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
    cudaMax: wordColumn(rows, row => row.cudaMax),
  };
}

function choiceColumns(rows: readonly Offer[]) {
  return {
    kind: choiceColumn(rows, machineKindSchema.options, row => row.kind),
    market: choiceColumn(rows, marketSchema.options, row => row.market),
    trust: choiceColumn(rows, trustSchema.options, row => row.trust),
    connectivity: choiceColumn(rows, connectivitySchema.options, row => row.connectivity),
    security: choiceColumn(rows, securitySchema.options, row => row.security),
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

/** Keeps the rows whose code, moved by `shift`, is set in `mask`. */
function keepMasked(
  codes: Uint32Array | Int8Array,
  mask: Uint8Array,
  shift: number,
  passing: Uint8Array,
): void {
  for (let row = 0; row < passing.length; row++) {
    passing[row] = (passing[row] ?? 0) & (mask[(codes[row] ?? 0) + shift] ?? 0);
  }
}

function addMasked(codes: Uint32Array, mask: Uint8Array, found: Uint8Array): void {
  for (let row = 0; row < found.length; row++) {
    found[row] = (found[row] ?? 0) | (mask[codes[row] ?? 0] ?? 0);
  }
}

function keepChoices<T extends string>(
  { options, codes }: ChoiceColumn<T>,
  wanted: readonly T[] | undefined,
  passing: Uint8Array,
): void {
  if (wanted !== undefined) {
    // Null (−1) takes the first place and is never wanted.
    const mask = Uint8Array.from([0, ...options.map(option => Number(wanted.includes(option)))]);
    keepMasked(codes, mask, 1, passing);
  }
}

function choice<T extends string>({ options, codes }: ChoiceColumn<T>, row: number): T | null {
  return options[codes[row] ?? -1] ?? null;
}

/** @throws RangeError for a word that the contract does not have: an adapter's mistake. */
function chosen<T extends string>(column: ChoiceColumn<T>, row: number): T {
  const word = choice(column, row);
  if (word === null) {
    throw new RangeError(`An offer has a word other than ${column.options.join(', ')}.`);
  }
  return word;
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
