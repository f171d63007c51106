/** The fields of the filter form: what each reads from a filter and writes into one. */
import {
  formatMicroUsd,
  parseDollars,
  parseMicroUsd,
  typedDollars,
  type OfferFilter,
  type ProviderInfo,
} from '@hitch/contract';
import type { Translate } from '../base/translate.ts';
import { KIND_WORDS, MARKET_WORDS, TRUST_WORDS } from './columns.ts';
import { leastMiB, soldGigabytes } from './filter-chips.ts';

/** What a person typed is not what the field takes. */
export interface FieldProblem {
  readonly problem: string;
}
export type Written = { readonly filter: OfferFilter } | FieldProblem;

export interface TextField {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly read: (filter: OfferFilter) => string;
  /** An empty text takes the condition away. */
  readonly write: (filter: OfferFilter, text: string, t: Translate) => Written;
}

export interface ChoiceField {
  readonly id: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly words: string }[];
  readonly read: (filter: OfferFilter) => readonly string[];
  /** None or all of them is no condition. */
  readonly write: (filter: OfferFilter, values: readonly string[]) => OfferFilter;
}

function put<Field extends keyof OfferFilter>(
  filter: OfferFilter,
  field: Field,
  value: OfferFilter[Field] | undefined,
): OfferFilter {
  const kept = Object.entries(filter).filter(([name]) => name !== field);
  return Object.fromEntries(value === undefined ? kept : [...kept, [field, value]]);
}

type NumberField =
  | 'minGpuCount'
  | 'maxGpuCount'
  | 'minVramMiB'
  | 'minReliability'
  | 'minCpuCores'
  | 'minRamMiB'
  | 'minDiskGiB'
  | 'minDownMbps';

interface NumberSpec {
  readonly label: string;
  readonly hint: string;
  readonly most: number;
  /** From the number that people type to the one in the filter, and back. */
  readonly into?: (typed: number) => number;
  readonly from?: (stored: number) => number;
}

function numberField(field: NumberField, spec: NumberSpec): TextField {
  const into = spec.into ?? (value => value);
  const from = spec.from ?? (value => value);
  return {
    id: field,
    label: spec.label,
    hint: spec.hint,
    read: filter => {
      const value = filter[field];
      return value === undefined ? '' : from(value).toString();
    },
    write: (filter, text, t) => {
      const typed = text.trim().replace(/\s*%$/, '');
      if (typed === '') {
        return { filter: put(filter, field, undefined) };
      }
      const whole = field !== 'minReliability' && field !== 'minCpuCores';
      const shape = whole ? /^\d{1,7}$/ : /^\d{1,7}(\.\d{1,4})?$/;
      return shape.test(typed) && Number(typed) <= spec.most
        ? { filter: put(filter, field, into(Number(typed))) }
        : {
            problem: t(
              whole
                ? '%1: enter a whole number up to %2, or leave it empty.'
                : '%1: enter a number up to %2, or leave it empty.',
              t(spec.label),
              spec.most,
            ),
          };
    },
  };
}

const words = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map(word => word.trim())
      .filter(word => word !== ''),
  ),
];

const some = <T>(values: readonly T[]): T[] | undefined => (values.length === 0 ? undefined : [...values]);

export const TEXT_FIELDS: readonly TextField[] = [
  {
    id: 'gpuModels',
    label: 'GPU models',
    hint: 'RTX 4090, H100 SXM',
    read: ({ gpuModels }) => gpuModels?.join(', ') ?? '',
    write: (filter, text) => ({ filter: put(filter, 'gpuModels', some(words(text.slice(0, 2000)))) }),
  },
  numberField('minGpuCount', { label: 'GPUs, at least', hint: '1', most: 1000 }),
  numberField('maxGpuCount', { label: 'GPUs, at most', hint: '8', most: 1000 }),
  numberField('minVramMiB', {
    label: 'GPU memory in GB, at least',
    hint: '24',
    most: 10_000,
    into: leastMiB,
    from: soldGigabytes,
  }),
  {
    id: 'maxPricePerHourMicroUsd',
    label: 'Price per hour in $, at most',
    hint: '0.50',
    read: ({ maxPricePerHourMicroUsd: price }) =>
      price === undefined ? '' : typedDollars(parseMicroUsd(price)),
    write: (filter, text, t) => {
      if (text.trim() === '') {
        return { filter: put(filter, 'maxPricePerHourMicroUsd', undefined) };
      }
      try {
        return { filter: put(filter, 'maxPricePerHourMicroUsd', formatMicroUsd(parseDollars(text))) };
      } catch (error) {
        return { problem: error instanceof RangeError ? t(error.message) : String(error) };
      }
    },
  },
  {
    id: 'countries',
    label: 'Countries',
    hint: 'DE, FR, US',
    read: ({ countries }) => countries?.join(', ') ?? '',
    write: (filter, text, t) => {
      const codes = words(text).map(code => code.toUpperCase());
      const wrong = codes.find(code => !/^[A-Z]{2}$/.test(code));
      return wrong === undefined
        ? { filter: put(filter, 'countries', some(codes)) }
        : { problem: t('“%1” is not a country code: enter two letters for each, such as DE, FR.', wrong) };
    },
  },
  numberField('minReliability', {
    label: 'Reliability in %, at least',
    hint: '98',
    most: 100,
    into: typed => Math.round(typed * 10_000) / 1_000_000,
    from: share => Math.round(share * 10_000) / 100,
  }),
  numberField('minCpuCores', { label: 'CPU cores, at least', hint: '8', most: 10_000 }),
  numberField('minRamMiB', {
    label: 'RAM in GB, at least',
    hint: '32',
    most: 100_000,
    into: leastMiB,
    from: soldGigabytes,
  }),
  numberField('minDiskGiB', { label: 'Disk in GB, at least', hint: '50', most: 1_000_000 }),
  numberField('minDownMbps', { label: 'Download in Mbps, at least', hint: '200', most: 1_000_000 }),
];

function choice<Value extends string>(
  id: string,
  label: string,
  names: Readonly<Record<Value, string>>,
  read: (filter: OfferFilter) => readonly string[] | undefined,
  write: (filter: OfferFilter, values: Value[] | undefined) => OfferFilter,
): ChoiceField {
  const isValue = (value: string): value is Value => Object.hasOwn(names, value);
  const values = Object.keys(names).filter(isValue);
  return {
    id,
    label,
    options: values.map(value => ({ value, words: names[value] })),
    read: filter => read(filter) ?? [],
    write: (filter, chosen) => {
      const known = values.filter(value => chosen.includes(value));
      return write(filter, known.length === values.length ? undefined : some(known));
    },
  };
}

const yesNo = (
  id: 'multiNode' | 'endsBillingAlone' | 'rentable' | 'orNotStated',
  label: string,
  wanted: string,
): ChoiceField => ({
  id,
  label,
  options: [{ value: 'yes', words: wanted }],
  read: filter => (filter[id] === true ? ['yes'] : []),
  write: (filter, values) => put(filter, id, values.includes('yes') ? true : undefined),
});

const STATIC_CHOICES: readonly ChoiceField[] = [
  choice(
    'markets',
    'Market',
    MARKET_WORDS,
    ({ markets }) => markets,
    (filter, values) => put(filter, 'markets', values),
  ),
  choice(
    'trusts',
    'Trust',
    TRUST_WORDS,
    ({ trusts }) => trusts,
    (filter, values) => put(filter, 'trusts', values),
  ),
  choice(
    'kinds',
    'Kind',
    KIND_WORDS,
    ({ kinds }) => kinds,
    (filter, values) => put(filter, 'kinds', values),
  ),
  yesNo('orNotStated', 'Not stated', 'also where reliability, speed, disk, RAM or CPU is not stated'),
  yesNo('rentable', 'To rent', 'can be rented now, with the logins you have'),
  yesNo('multiNode', 'Multi-node', 'machines reach each other'),
  yesNo('endsBillingAlone', 'Without me', 'stops by itself with this computer off'),
];

/** The groups of boxes; the networks are those that are on. */
export function choiceFields(providers: readonly ProviderInfo[] | null): readonly ChoiceField[] {
  const networks = (providers ?? []).filter(({ enabled, kind }) => enabled && kind !== 'practice');
  if (networks.length < 2) {
    return STATIC_CHOICES;
  }
  const names = Object.fromEntries(networks.map(({ id, title }) => [id, title]));
  return [
    choice(
      'providers',
      'Network',
      names,
      filter => filter.providers,
      (filter, values) => put(filter, 'providers', values),
    ),
    ...STATIC_CHOICES,
  ];
}

/** Practice or real; undefined: both, while nobody is logged in at a real network. */
export function withPractice(filter: OfferFilter, practice: 'only' | 'exclude' | undefined): OfferFilter {
  return put(filter, 'practice', practice);
}

export function withText(filter: OfferFilter, text: string): OfferFilter {
  const trimmed = text.trim().slice(0, 200);
  return put(filter, 'text', trimmed === '' ? undefined : trimmed);
}
