/** What a person has chosen so far, and the quote request it makes. */
import type { Offer, OfferFilter, Preset, QuoteRequest } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { workPathSchema } from '@hitch/contract/src/clusters.ts';
import { clusterNameSchema } from '@hitch/contract/src/ids.ts';
import { formatMicroUsd, parseDollars, showDollars } from '@hitch/contract/src/money.ts';
import { paidNowWords } from '@hitch/contract/src/paid-ahead.ts';
import { firstOffers } from '@hitch/contract/src/quote-words.ts';

export interface Limits {
  readonly capMicroUsd: bigint;
  /** 0: no stop time. */
  readonly stopAfterMs: number;
  /** 0: never. */
  readonly idleMs: number;
  readonly save: readonly string[];
  /** Of time that is sold ahead so much is paid at once; left out: until the stop time. */
  readonly paidMs?: number | null;
  /** Whether what is tried when the offer is gone may be of another network; left out: where the filters let it. */
  readonly otherNetworks?: boolean;
}

export interface Draft {
  readonly nodes: number;
  readonly template: string | null;
  readonly filter: OfferFilter;
  /** Never pay more an hour for one node; null: what the daemon chooses. */
  readonly maxNodePricePerHourMicroUsd: string | null;
  /** Empty: the best that pass the filter. */
  readonly offerIds: readonly string[];
  /** Empty: the daemon chooses one. */
  readonly name: string;
  readonly limits: Limits;
  /** Names of stored secrets that the cluster gets. */
  readonly secrets: readonly string[];
  /** A lock; null: Hitch's own packages. */
  readonly environment: string | null;
}

export interface LimitSettings {
  readonly capDollars: number;
  readonly idleMinutes: number;
  readonly stopAfterHours: number;
  readonly save: readonly string[];
}

export { readDollars, readDuration } from './read.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export function limitsFrom(settings: LimitSettings): Limits {
  return {
    // Settings are numbers; the amount is made from their decimal form, not by multiplying.
    capMicroUsd: parseDollars(settings.capDollars.toFixed(2)),
    stopAfterMs: Math.round(settings.stopAfterHours * HOUR_MS),
    idleMs: settings.idleMinutes * MINUTE_MS,
    save: settings.save.filter(path => workPathSchema.safeParse(path).success),
  };
}

/** What a preset is, with nothing chosen beside it. */
export const draftOf = (preset: Preset, limits: Limits): Draft => ({
  nodes: preset.nodes,
  template: preset.template,
  filter: preset.filter,
  maxNodePricePerHourMicroUsd: preset.maxNodePricePerHourMicroUsd,
  offerIds: [],
  name: '',
  limits,
  secrets: [],
  environment: null,
});

export function quoteRequestOf(draft: Draft, nowMs: number): Partial<QuoteRequest> {
  const { limits } = draft;
  return {
    nodes: draft.nodes,
    template: draft.template,
    filter: draft.filter,
    offerIds: [...draft.offerIds],
    maxNodePricePerHourMicroUsd: draft.maxNodePricePerHourMicroUsd,
    capMicroUsd: formatMicroUsd(limits.capMicroUsd),
    stopAtMs: limits.stopAfterMs === 0 ? null : nowMs + limits.stopAfterMs,
    idleMs: limits.idleMs,
    save: { paths: [...limits.save], toFolder: null },
    secrets: [...draft.secrets],
    environment: draft.environment,
    ...(typeof limits.paidMs === 'number' ? { termMs: limits.paidMs } : {}),
    ...(limits.otherNetworks === undefined || draft.nodes > 1 ? {} : { otherNetworks: limits.otherNetworks }),
  };
}

/** What is tried when the offer is gone. */
export function othersWords({ otherNetworks }: Limits): string {
  const which =
    otherNetworks === undefined
      ? 'that the filters let in'
      : otherNetworks
        ? 'of every network'
        : 'of its own network alone';
  return `If the offer is gone: others ${which}`;
}

/** The next of the three things that can be wanted. */
export function nextOthers({ otherNetworks, ...limits }: Limits): Limits {
  return otherNetworks === undefined
    ? { ...limits, otherNetworks: true }
    : otherNetworks
      ? { ...limits, otherNetworks: false }
      : limits;
}

/** `$2.00, no stop time, 30 min idle, nothing saved`. */
export function limitWords(limits: Limits): string {
  return [
    `at most ${showDollars(limits.capMicroUsd)}`,
    limits.stopAfterMs === 0 ? 'no stop time' : `after ${format.duration(limits.stopAfterMs)}`,
    limits.idleMs === 0 ? 'no idle limit' : `${format.duration(limits.idleMs)} idle`,
    limits.save.length === 0 ? 'nothing saved' : `saves ${limits.save.join(', ')}`,
  ].join(', ');
}

/** How much is paid at once for machines of these offers, and what of it comes back; null: none of their time is sold ahead. */
export function paidWords(
  { limits, nodes }: Pick<Draft, 'limits' | 'nodes'>,
  offers: readonly Offer[],
  nowMs: number,
): string | null {
  const wanted = {
    termMs: limits.paidMs ?? null,
    stopAtMs: limits.stopAfterMs === 0 ? null : nowMs + limits.stopAfterMs,
    capMicroUsd: formatMicroUsd(limits.capMicroUsd),
    nodes,
  };
  return paidNowWords(firstOffers(offers, nodes), wanted, nowMs);
}

/** Reads hours that are paid ahead: `4`, `1.5`, `4 h`; nothing is until it stops. */
export function readHours(
  text: string,
  { offers, limits }: { readonly offers: readonly Offer[]; readonly limits: Limits },
): { readonly paidMs: number | null } | { readonly problem: string } {
  const typed = text.trim().replace(/\s*h$/, '');
  if (typed === '') {
    return { paidMs: null };
  }
  const least = Math.min(...offers.flatMap(({ termMs }) => termMs ?? []));
  const paidMs = /^\d{1,4}(\.\d{1,2})?$/.test(typed) ? Math.round(Number(typed) * HOUR_MS) : Number.NaN;
  if (!(paidMs >= least && paidMs <= MOST_HOURS * HOUR_MS)) {
    const from = (Math.round((least / HOUR_MS) * 100) / 100).toString();
    return {
      problem: `Enter hours from ${from} to ${MOST_HOURS.toString()}, or nothing to pay until it stops.`,
    };
  }
  return limits.stopAfterMs > 0 && paidMs > limits.stopAfterMs
    ? {
        problem: `It stops after ${format.duration(limits.stopAfterMs)}: pay for less ahead, or choose a later stop time first.`,
      }
    : { paidMs };
}

/** A year: nobody sells more at once. */
const MOST_HOURS = 8_784;

/** Why this is not a name, or null. `taken` are the names of clusters in the list. */
export function nameProblem(text: string, taken: readonly string[]): string | null {
  if (text === '') {
    return null;
  }
  if (taken.includes(text)) {
    return `Another cluster is called ${text}: choose a different name, or remove that one from the list.`;
  }
  return clusterNameSchema.safeParse(text).success
    ? null
    : 'A name has 2 to 40 lower-case letters, digits or hyphens, starts with a letter and does not end with a hyphen.';
}

/** Reads `results, model.pt`. */
export function readPaths(
  text: string,
): { readonly paths: readonly string[] } | { readonly problem: string } {
  const paths = text
    .split(',')
    .map(path => path.trim().replace(/^~\/work\//, ''))
    .filter(path => path !== '');
  const wrong = paths.find(path => !workPathSchema.safeParse(path).success);
  return wrong === undefined
    ? { paths }
    : {
        problem: `“${wrong}” is outside of ~/work: enter paths inside it, such as results or out/model.pt.`,
      };
}
