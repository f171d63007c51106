/** A template with a command, as a job that rents its own machine: what both editors ask its quote with. */
import type { JobQuoteRequest } from '../job-quotes.ts';
import { formatMicroUsd, parseMicroUsd } from '../money.ts';
import { offerFilterSchema, type OfferFilter } from '../offers.ts';
import type { ParameterValue } from './parameters.ts';
import { ownFilter } from './rent-wish.ts';
import type { TemplateDetails } from './wire.ts';

type Wish = NonNullable<TemplateDetails['rent']>;

/** What a person sets beside a template's own form before it is run. */
export interface RunLimits {
  /** All its machines together, saving included; micro-USD as a decimal string. */
  readonly capMicroUsd: string;
  /** It rents for so long at most, from its first order on. */
  readonly timeMs: number;
  /** On a practice machine: processes on this computer. */
  readonly practice: boolean;
}

/** The lower of a template's limits and the person's: a higher one is for the person to enter. */
export function firstRunLimits(own: RunLimits, { capMicroUsd: cap, timeMs }: Wish): RunLimits {
  const mine = parseMicroUsd(own.capMicroUsd);
  const theirs = cap === null ? mine : parseMicroUsd(cap);
  return {
    capMicroUsd: formatMicroUsd(theirs < mine ? theirs : mine),
    timeMs: timeMs === null ? own.timeMs : Math.min(own.timeMs, timeMs),
    practice: own.practice,
  };
}

export interface RunOfTemplate {
  readonly template: string;
  /** Null: the defaults. */
  readonly preset: string | null;
  readonly values: Readonly<Record<string, ParameterValue>>;
  readonly limits: RunLimits;
}

/**
 * The request for its quote. The template names the machine, so of the person's filter only what says nothing of the
 * machine is kept; a practice machine is taken from whatever is there.
 */
export function templateJobRequest(
  { template, preset, values, limits }: RunOfTemplate,
  { own, wish, nowMs }: { readonly own: OfferFilter; readonly wish: Wish; readonly nowMs: number },
): JobQuoteRequest {
  const { practice: _practice, ...rest } = ownFilter(own);
  const kept = Object.entries(rest).filter(([key]) => !Object.hasOwn(wish.filter, key));
  return {
    work: {
      kind: 'template',
      template,
      values: { ...values },
      ...(preset === null ? {} : { preset }),
    },
    rent: {
      filter: limits.practice
        ? { practice: 'only' }
        : offerFilterSchema.parse({ ...Object.fromEntries(kept), practice: 'exclude' }),
      capMicroUsd: limits.capMicroUsd,
      stopAtMs: nowMs + limits.timeMs,
    },
  };
}
