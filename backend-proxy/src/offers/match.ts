/** Which rows pass a filter: each condition is one pass over its own column. */
import { gpuMatcher, type OfferFilter } from '@hitch/contract';
import type { ChoiceColumn, WordColumn } from './columns.ts';
import type { OfferColumns } from './offer-columns.ts';

/**
 * 1 for each row that passes.
 * @param title the network's name as people know it: they search for that too.
 */
export function matchRows(columns: OfferColumns, filter: OfferFilter, title: string): Uint8Array {
  const passing = new Uint8Array(columns.ids.length);
  const { providers } = filter;
  if (providers !== undefined && !providers.includes(columns.provider)) {
    return passing;
  }
  passing.fill(1);
  matchFlags(columns, filter, passing);
  matchWords(columns, filter, passing);
  matchNumbers(columns, filter, passing);
  matchText(columns, title, filter.text ?? '', passing);
  return passing;
}

function matchFlags({ flags }: OfferColumns, filter: OfferFilter, passing: Uint8Array): void {
  const wants: (readonly [Uint8Array, boolean | undefined])[] = [
    [flags.practice, filter.practice === undefined ? undefined : filter.practice === 'only'],
    [flags.multiNode, filter.multiNode],
    [flags.endsBillingAlone, filter.endsBillingAlone],
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

function matchWords({ words, choices: c }: OfferColumns, filter: OfferFilter, passing: Uint8Array): void {
  const { gpuModel, country, notRentable } = words;
  if (filter.rentable === true) {
    const mask = notRentable.dictionary.mask(why => why === null);
    keepMasked(notRentable.codes, mask, 0, passing);
  }
  const among = (column: WordColumn, isWanted: (word: string) => boolean) => {
    const mask = column.dictionary.mask(word => word !== null && isWanted(word));
    keepMasked(column.codes, mask, 0, passing);
  };
  if (filter.gpuModels !== undefined) {
    const matchers = filter.gpuModels.map(gpuMatcher);
    among(gpuModel, model => matchers.some(matches => matches(model)));
  }
  if (filter.countries !== undefined) {
    const wanted = new Set(filter.countries.map(code => code.toLowerCase()));
    among(country, code => wanted.has(code.toLowerCase()));
  }
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
function matchText(
  { provider, words }: OfferColumns,
  title: string,
  text: string,
  passing: Uint8Array,
): void {
  const network = `${provider} ${title.toLowerCase()}`;
  const { gpuModel, country, region, supplier } = words;
  for (const word of new Set(text.toLowerCase().split(/\s+/).filter(Boolean))) {
    if (network.includes(word)) {
      continue;
    }
    const found = new Uint8Array(passing.length);
    for (const { dictionary, codes } of [gpuModel, country, region, supplier]) {
      const mask = dictionary.mask(candidate => {
        const plain = candidate?.toLowerCase() ?? '';
        return plain.includes(word) || plain.replaceAll(/[\s-]/g, '').includes(word);
      });
      if (mask.includes(1)) {
        addMasked(codes, mask, found);
      }
    }
    for (let row = 0; row < passing.length; row++) {
      passing[row] = (passing[row] ?? 0) & (found[row] ?? 0);
    }
  }
}

function matchNumbers({ numbers: n }: OfferColumns, filter: OfferFilter, passing: Uint8Array): void {
  atLeast(n.gpuCount, filter.minGpuCount, passing);
  atMost(n.gpuCount, filter.maxGpuCount, passing);
  atLeast(n.vramMiB, filter.minVramMiB, passing);
  atMost(
    n.pricePerHour,
    filter.maxPricePerHourMicroUsd === undefined ? undefined : Number(filter.maxPricePerHourMicroUsd),
    passing,
  );
  const atLeastOrNotStated = filter.orNotStated === true ? atLeastOrNone : atLeast;
  atLeastOrNotStated(n.reliability, filter.minReliability, passing);
  atLeastOrNotStated(n.cpuCores, filter.minCpuCores, passing);
  atLeastOrNotStated(n.ramMiB, filter.minRamMiB, passing);
  atLeastOrNotStated(n.mostDiskGiB, filter.minDiskGiB, passing);
  atLeastOrNotStated(n.downMbps, filter.minDownMbps, passing);
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

/** What is not known (NaN) passes no bound. */
function atLeast(column: Float64Array, bound: number | undefined, passing: Uint8Array): void {
  if (bound !== undefined) {
    for (let row = 0; row < passing.length; row++) {
      passing[row] = (passing[row] ?? 0) & Number((column[row] ?? Number.NaN) >= bound);
    }
  }
}

/** The same, but what is not known (NaN, or 0 of what every machine has) passes. */
function atLeastOrNone(column: Float64Array, bound: number | undefined, passing: Uint8Array): void {
  if (bound !== undefined) {
    for (let row = 0; row < passing.length; row++) {
      const value = column[row] ?? Number.NaN;
      passing[row] = (passing[row] ?? 0) & Number(!(value < bound) || value === 0);
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
