/** The filter as chips: what each says, and what is left when it is taken away. */
import {
  format,
  isRealSource,
  type OfferFilter,
  type OfferPage,
  practiceAtFirst,
  type ProviderInfo,
} from '@hitch/contract';
import type { Translate } from '../base/translate.ts';
import { KIND_WORDS, MARKET_WORDS, percent, TRUST_WORDS } from './columns.ts';

export interface Chip {
  readonly id: string;
  readonly label: string;
  /** The filter without it. */
  readonly without: OfferFilter;
}

/** The least memory that is sold as so many gigabytes: drivers report a little less than the box says. */
export const leastMiB = (gigabytes: number): number => Math.round((gigabytes - 0.5) * 1024);
export const soldGigabytes = (mib: number): number => Math.round(mib / 1024);

/** Whether somebody is logged in at a network that takes real money, or a machine of one's own was added; null while the networks are not known. */
export function realNetworkOn(providers: readonly ProviderInfo[] | null): boolean | null {
  return providers === null ? null : providers.some(isRealSource);
}

/** Which of practice and real offers are looked at where nothing is said. */
export function defaultPractice(providers: readonly ProviderInfo[] | null): Pick<OfferFilter, 'practice'> {
  const practice = providers === null ? 'exclude' : practiceAtFirst(providers);
  return practice === undefined ? {} : { practice };
}

/** What a first visit filters by. */
export function defaultFilter(providers: readonly ProviderInfo[] | null): OfferFilter {
  return {
    ...defaultPractice(providers),
    markets: ['on_demand'],
    trusts: ['own', 'data_center', 'verified'],
    minReliability: 0.98,
    minGpuCount: 1,
    maxGpuCount: 1,
    minVramMiB: leastMiB(24),
    minDiskGiB: 50,
    minDownMbps: 200,
    orNotStated: true,
  };
}

const CONNECTIVITY_WORDS = { low: 'low', medium: 'medium', high: 'high', ultra_high: 'very high' } as const;
const SECURITY_WORDS = { standard: 'standard', soc2: 'SOC 2', confidential: 'confidential' } as const;

function without(filter: OfferFilter, ...fields: readonly (keyof OfferFilter)[]): OfferFilter {
  return Object.fromEntries(Object.entries(filter).filter(([field]) => !fields.some(name => name === field)));
}

interface ChipKind {
  readonly id: string;
  readonly label: (filter: OfferFilter, t: Translate, titleOf: (provider: string) => string) => string | null;
  readonly remove: (filter: OfferFilter) => OfferFilter;
}

function simple<Field extends keyof OfferFilter>(
  field: Field,
  label: (
    value: NonNullable<OfferFilter[Field]>,
    t: Translate,
    titleOf: (provider: string) => string,
  ) => string,
): ChipKind {
  return {
    id: field,
    label: (filter, t, titleOf) => {
      const value = filter[field];
      return value === undefined ? null : label(value, t, titleOf);
    },
    remove: filter => without(filter, field),
  };
}

const either = (words: readonly string[], t: Translate): string => {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : t('%1 or %2', words.slice(0, -1).join(', '), last);
};

function trustLabel(trusts: NonNullable<OfferFilter['trusts']>, t: Translate): string {
  // One's own machines are beyond doubt: they need no word beside those of others.
  const others = trusts.filter(trust => trust !== 'own');
  const named = others.length === 0 ? trusts : others;
  return either(
    ['verified', 'data_center', 'community', 'own']
      .flatMap(trust => named.filter(name => name === trust))
      .map(trust => t(TRUST_WORDS[trust])),
    t,
  );
}

function gpuCountLabel({ minGpuCount: least, maxGpuCount: most }: OfferFilter, t: Translate): string | null {
  if (least !== undefined && most !== undefined) {
    return least !== most ? t('%1–%2 GPUs', least, most) : least === 1 ? t('1 GPU') : t('%1 GPUs', least);
  }
  return least !== undefined ? t('≥ %1 GPUs', least) : most !== undefined ? t('≤ %1 GPUs', most) : null;
}

/** What some networks do not state of their machines. */
const LEAST_OF_STATED = ['minReliability', 'minCpuCores', 'minRamMiB', 'minDiskGiB', 'minDownMbps'] as const;

const CHIPS: readonly ChipKind[] = [
  {
    id: 'practice',
    label: ({ practice }, t) =>
      practice === undefined ? null : practice === 'only' ? t('practice') : t('real networks'),
    // Without it the daemon decides: practice offers stand aside while a real network is on.
    remove: filter => without(filter, 'practice'),
  },
  simple('providers', (ids, t, titleOf) => either(ids.map(titleOf), t)),
  simple('markets', (markets, t) =>
    either(
      markets.map(market => t(MARKET_WORDS[market])),
      t,
    ),
  ),
  simple('trusts', trustLabel),
  simple('minReliability', (share, t) => t('reliability ≥ %1', percent(share))),
  {
    id: 'gpuCount',
    label: gpuCountLabel,
    remove: filter => without(filter, 'minGpuCount', 'maxGpuCount'),
  },
  simple('gpuModels', (models, t) => either(models, t)),
  simple('minVramMiB', mib => `≥ ${soldGigabytes(mib)} GB`),
  simple('maxPricePerHourMicroUsd', price => `≤ ${format.dollars(price)}/h`),
  simple('minDiskGiB', (gib, t) => t('%1 GB disk', gib)),
  simple('minDownMbps', mbps => `≥ ${mbps} Mbps`),
  {
    id: 'orNotStated',
    label: (filter, t) =>
      filter.orNotStated === true && LEAST_OF_STATED.some(field => filter[field] !== undefined)
        ? t('also where not stated')
        : null,
    remove: filter => without(filter, 'orNotStated'),
  },
  simple('countries', (countries, t) => either(countries, t)),
  simple('kinds', (kinds, t) =>
    either(
      kinds.map(kind => t(KIND_WORDS[kind])),
      t,
    ),
  ),
  simple('minConnectivity', (level, t) => t('connectivity ≥ %1', t(CONNECTIVITY_WORDS[level]))),
  simple('securities', (levels, t) =>
    either(
      levels.map(level => t(SECURITY_WORDS[level])),
      t,
    ),
  ),
  simple('minCpuCores', (cores, t) => t('≥ %1 CPU cores', cores)),
  simple('minRamMiB', (mib, t) => t('≥ %1 GB RAM', soldGigabytes(mib))),
  simple('rentable', (_, t) => t('can be rented now')),
  simple('multiNode', (wanted, t) => (wanted ? t('multi-node') : t('not multi-node'))),
  simple('endsBillingAlone', (wanted, t) => (wanted ? t('stops without me') : t('does not stop without me'))),
];

/** The chips of a filter, in a fixed order. The searched text is in its own field and has none. */
export function filterChips(
  filter: OfferFilter,
  t: Translate,
  titleOf: (provider: string) => string,
): readonly Chip[] {
  return CHIPS.flatMap(({ id, label, remove }) => {
    const words = label(filter, t, titleOf);
    return words === null ? [] : [{ id, label: words, without: remove(filter) }];
  });
}

const NAMED = 3;

/** `hidden by one filter alone: 320 by “1 GPU”, 57 by what is not stated`; null: no filter hides anything by itself. */
export function hiddenWords(
  hides: NonNullable<OfferPage['hides']>,
  filter: OfferFilter,
  t: Translate,
  titleOf: (provider: string) => string,
): string | null {
  const named = hides.map(({ field, count }) => {
    const chip = CHIPS.find(
      ({ id, remove }) => id === field || !(field in remove({ [field]: filter[field] })),
    );
    const label = chip?.label(filter, t, titleOf) ?? (field === 'text' ? filter.text : undefined) ?? field;
    const by =
      field === 'orNotStated'
        ? t('what is not stated')
        : field === 'practice'
          ? t('being for practice')
          : `“${label}”`;
    return { by, count };
  });
  const sums = new Map<string, number>();
  named.forEach(({ by, count }) => sums.set(by, (sums.get(by) ?? 0) + count));
  const parts = [...sums].sort((a, b) => b[1] - a[1]);
  const rest = parts.slice(NAMED);
  const words = parts.slice(0, NAMED).map(([by, count]) => t('%1 by %2', count.toLocaleString('en-US'), by));
  const others = rest.reduce((sum, [, count]) => sum + count, 0).toLocaleString('en-US');
  return words.length === 0
    ? null
    : t(
        'hidden by one filter alone: %1',
        [...words, ...(rest.length === 0 ? [] : [t('%1 by others', others)])].join(', '),
      );
}
