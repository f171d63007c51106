/** A network's offers as columns, and the way back from a row to an offer. */
import {
  type HostHistory,
  type Offer,
  type ProviderId,
  type RankFacts,
  archSchema,
  connectivitySchema,
  machineKindSchema,
  marketSchema,
  offerTakesSchema,
  priceBasisSchema,
  refundableSchema,
  securitySchema,
  trustSchema,
  wayInSchema,
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

export interface OfferColumns {
  readonly provider: ProviderId;
  readonly ids: readonly string[];
  readonly flags: ReturnType<typeof flagColumns>;
  readonly words: ReturnType<typeof wordColumns>;
  readonly choices: ReturnType<typeof choiceColumns>;
  readonly numbers: ReturnType<typeof numberColumns>;
}

export function offerColumns(provider: ProviderId, rows: readonly Offer[]): OfferColumns {
  return {
    provider,
    ids: rows.map(({ id }) => id),
    flags: flagColumns(rows),
    words: wordColumns(rows),
    choices: choiceColumns(rows),
    numbers: numberColumns(rows),
  };
}

const PART_SEPARATOR = '\u0000';

/** Puts one offer back together. */
export function offerAt(columns: OfferColumns, row: number): Offer {
  const word = ({ dictionary, codes }: WordColumn) => dictionary.decode(codes[row] ?? 0);
  const amount = (column: Float64Array) => (column[row] ?? 0).toString();
  const n = columns.numbers;
  const w = columns.words;
  const c = columns.choices;
  return {
    id: columns.ids[row] ?? '',
    provider: columns.provider,
    practice: columns.flags.practice[row] === 1,
    gpuModel: word(w.gpuModel),
    gpuCount: n.gpuCount[row] ?? 0,
    vramMiB: n.vramMiB[row] ?? 0,
    pricePerHourMicroUsd: amount(n.pricePerHour),
    priceParts: priceParts(columns, row),
    nonRefundableMicroUsd: amount(n.nonRefundable),
    ...(Number.isNaN(n.floor[row]) ? {} : { floorMicroUsd: amount(n.floor) }),
    ...howPaid(columns, row),
    ...takesAt(w.takes, row),
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
    ...moreOfHost(columns, row),
    endsBillingAlone: columns.flags.endsBillingAlone[row] === 1,
    ...(columns.flags.staysAway[row] === 1 ? { returnsAfterReboot: false } : {}),
    multiNode: columns.flags.multiNode[row] === 1,
    ...(Number.isNaN(n.termMs[row]) ? {} : { termMs: n.termMs[row] ?? 0 }),
    ...(Number.isNaN(n.togetherMax[row]) ? {} : { together: togetherOf(columns, row) }),
    ...(word(w.hostId) === null ? {} : { hostId: word(w.hostId) ?? '' }),
    ...(word(w.notRentable) === null ? {} : { notRentable: word(w.notRentable) ?? '' }),
    stock: n.stock[row] ?? 0,
    readyInMs: nullable(n.readyInMs[row]),
    fetchedAtMs: n.fetchedAt[row] ?? 0,
  };
}

/** What names the host of an offer. */
export function hostAt(
  { ids, provider, words }: OfferColumns,
  row: number,
): Pick<Offer, 'id' | 'provider' | 'hostId'> {
  const hostId = words.hostId.dictionary.decode(words.hostId.codes[row] ?? 0);
  return { id: ids[row] ?? '', provider, ...(hostId === null ? {} : { hostId }) };
}

/** What the rank of an offer depends on, without putting it together. */
export function rankFactsAt(
  { numbers: n, choices: c }: OfferColumns,
  row: number,
  history: HostHistory | undefined,
): RankFacts {
  const isGivenBack = choice(c.refundable, row) === 'exact_after_floor';
  return {
    gpuCount: n.gpuCount[row] ?? 0,
    trust: chosen(c.trust, row),
    reliability: nullable(n.reliability[row]),
    perHour: n.pricePerHour[row] ?? 0,
    once: n.nonRefundable[row] ?? 0,
    floor: nullable(n.floor[row]) ?? 0,
    termMs: isGivenBack ? null : nullable(n.termMs[row]),
    downPerGB: nullable(n.trafficDown[row]) ?? 0,
    history: history ?? null,
  };
}

function togetherOf({ numbers, flags }: OfferColumns, row: number): NonNullable<Offer['together']> {
  const min = numbers.togetherMin[row];
  return {
    ...(min === undefined || Number.isNaN(min) ? {} : { min }),
    max: numbers.togetherMax[row] ?? 0,
    replaceOne: flags.replaceOne[row] === 1,
  };
}

/** When it is paid, and how sure its price is. */
function howPaid(
  { numbers: { dueNow }, choices }: OfferColumns,
  row: number,
): Pick<Offer, 'dueNowMicroUsd' | 'refundable' | 'basis'> {
  const refundable = choice(choices.refundable, row);
  const basis = choice(choices.basis, row);
  return {
    ...(Number.isNaN(dueNow[row]) ? {} : { dueNowMicroUsd: (dueNow[row] ?? 0).toString() }),
    ...(refundable === null ? {} : { refundable }),
    ...(basis === null ? {} : { basis }),
  };
}

/** What only some networks say of a machine. */
function moreOfHost(
  { numbers, choices, words }: OfferColumns,
  row: number,
): Pick<Offer, 'driver' | 'nvlink' | 'arch' | 'traffic' | 'wayIn'> {
  const driver = words.driver.dictionary.decode(words.driver.codes[row] ?? 0);
  const nvlink = choice(choices.nvlink, row);
  const arch = choice(choices.arch, row);
  const wayIn = choice(choices.wayIn, row);
  const [down, up] = [nullable(numbers.trafficDown[row]), nullable(numbers.trafficUp[row])];
  return {
    ...(driver === null ? {} : { driver }),
    ...(nvlink === null ? {} : { nvlink: nvlink === 'yes' }),
    ...(arch === null ? {} : { arch }),
    ...(down === null || up === null
      ? {}
      : { traffic: { downPerGBMicroUsd: down.toString(), upPerGBMicroUsd: up.toString() } }),
    ...(wayIn === null ? {} : { wayIn }),
  };
}

function takesAt({ dictionary, codes }: WordColumn, row: number): Pick<Offer, 'takes'> {
  const text = dictionary.decode(codes[row] ?? 0);
  return text === null ? {} : { takes: offerTakesSchema.parse(JSON.parse(text)) };
}

function priceParts({ numbers }: OfferColumns, row: number): Offer['priceParts'] {
  const { labels, amounts } = numbers.parts;
  const label = labels.dictionary.decode(labels.codes[row] ?? 0) ?? '';
  const names = label === '' ? [] : label.split(PART_SEPARATOR);
  return names.map((name, part) => ({
    label: name,
    perHourMicroUsd: (amounts[part]?.[row] ?? 0).toString(),
  }));
}

function flagColumns(rows: readonly Offer[]) {
  return {
    practice: flagColumn(rows, ({ practice }) => practice),
    endsBillingAlone: flagColumn(rows, row => row.endsBillingAlone),
    multiNode: flagColumn(rows, ({ multiNode }) => multiNode),
    staysAway: flagColumn(rows, ({ returnsAfterReboot }) => returnsAfterReboot === false),
    replaceOne: flagColumn(rows, ({ together }) => together?.replaceOne === true),
  };
}

function wordColumns(rows: readonly Offer[]) {
  return {
    gpuModel: wordColumn(rows, row => row.gpuModel),
    country: wordColumn(rows, row => row.country),
    region: wordColumn(rows, row => row.region),
    supplier: wordColumn(rows, row => row.supplier),
    hostId: wordColumn(rows, row => row.hostId ?? null),
    cudaMax: wordColumn(rows, row => row.cudaMax),
    driver: wordColumn(rows, row => row.driver ?? null),
    notRentable: wordColumn(rows, row => row.notRentable ?? null),
    // A network has few kinds of these.
    takes: wordColumn(rows, ({ takes }) => (takes === undefined ? null : JSON.stringify(takes))),
  };
}

const YES_OR_NO = ['no', 'yes'] as const;

function choiceColumns(rows: readonly Offer[]) {
  return {
    kind: choiceColumn(rows, machineKindSchema.options, row => row.kind),
    market: choiceColumn(rows, marketSchema.options, row => row.market),
    trust: choiceColumn(rows, trustSchema.options, row => row.trust),
    connectivity: choiceColumn(rows, connectivitySchema.options, row => row.connectivity),
    security: choiceColumn(rows, securitySchema.options, row => row.security),
    refundable: choiceColumn(rows, refundableSchema.options, row => row.refundable ?? null),
    basis: choiceColumn(rows, priceBasisSchema.options, row => row.basis ?? null),
    nvlink: choiceColumn(rows, YES_OR_NO, ({ nvlink }) =>
      nvlink === undefined ? null : nvlink ? 'yes' : 'no',
    ),
    arch: choiceColumn(rows, archSchema.options, row => row.arch ?? null),
    wayIn: choiceColumn(rows, wayInSchema.options, row => row.wayIn ?? null),
  };
}

const amountOrNone = (amount: string | undefined): number | null =>
  amount === undefined ? null : Number(amount);

function numberColumns(rows: readonly Offer[]) {
  const mostParts = rows.reduce((most, { priceParts }) => Math.max(most, priceParts.length), 0);
  return {
    gpuCount: numberColumn(rows, row => row.gpuCount),
    vramMiB: numberColumn(rows, row => row.vramMiB),
    // Amounts stay exact: the largest one accepted is below 2^53.
    pricePerHour: numberColumn(rows, row => Number(row.pricePerHourMicroUsd)),
    nonRefundable: numberColumn(rows, row => Number(row.nonRefundableMicroUsd)),
    floor: numberColumn(rows, row => amountOrNone(row.floorMicroUsd)),
    dueNow: numberColumn(rows, row => amountOrNone(row.dueNowMicroUsd)),
    reliability: numberColumn(rows, row => row.reliability),
    termMs: numberColumn(rows, row => row.termMs ?? null),
    togetherMin: numberColumn(rows, row => row.together?.min ?? null),
    togetherMax: numberColumn(rows, row => row.together?.max ?? null),
    cpuCores: numberColumn(rows, row => row.cpuCores),
    ramMiB: numberColumn(rows, row => row.ramMiB),
    diskGiB: numberColumn(rows, row => row.diskGiB),
    mostDiskGiB: numberColumn(rows, ({ diskGiB, takes }) => Math.max(diskGiB, takes?.disk?.maxGiB ?? 0)),
    downMbps: numberColumn(rows, row => row.downMbps),
    upMbps: numberColumn(rows, row => row.upMbps),
    trafficDown: numberColumn(rows, ({ traffic }) => amountOrNone(traffic?.downPerGBMicroUsd)),
    trafficUp: numberColumn(rows, ({ traffic }) => amountOrNone(traffic?.upPerGBMicroUsd)),
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
