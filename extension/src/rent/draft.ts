/** What a person has chosen so far, and the quote request it makes. */
import type { OfferFilter, QuoteRequest } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { workPathSchema } from '@hitch/contract/src/clusters.ts';
import { clusterNameSchema } from '@hitch/contract/src/ids.ts';
import { formatMicroUsd, parseDollars, showDollars } from '@hitch/contract/src/money.ts';

export interface Limits {
  readonly capMicroUsd: bigint;
  /** 0: no stop time. */
  readonly stopAfterMs: number;
  /** 0: never. */
  readonly idleMs: number;
  readonly save: readonly string[];
}

export interface Draft {
  readonly nodes: number;
  readonly template: string | null;
  readonly filter: OfferFilter;
  /** Empty: the cheapest that pass the filter. */
  readonly offerIds: readonly string[];
  /** Empty: the daemon chooses one. */
  readonly name: string;
  readonly limits: Limits;
  /** Names of stored secrets that the cluster gets. */
  readonly secrets: readonly string[];
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

export function quoteRequestOf(draft: Draft, nowMs: number): Partial<QuoteRequest> {
  const { limits } = draft;
  return {
    nodes: draft.nodes,
    template: draft.template,
    filter: draft.filter,
    offerIds: [...draft.offerIds],
    capMicroUsd: formatMicroUsd(limits.capMicroUsd),
    stopAtMs: limits.stopAfterMs === 0 ? null : nowMs + limits.stopAfterMs,
    idleMs: limits.idleMs,
    save: { paths: [...limits.save], toFolder: null },
    secrets: [...draft.secrets],
  };
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
