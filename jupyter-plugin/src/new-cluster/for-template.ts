/** A template that a cluster is rented for: what its form held, and what the search and the rent form begin with. */
import {
  parameterValueSchema,
  type OfferFilter,
  type ProviderInfo,
  type QuoteRequest,
  type TemplateDetails,
} from '@hitch/contract';
import { templateFilter, templateLimits } from '@hitch/contract/src/templates/rent-wish.ts';
import type { TemplateChoice } from '@hitch/views';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import * as z from 'zod';
import { firstFilter, firstLimits, type Preferences } from '../settings/preferences.ts';

const choiceSchema = z.object({
  template: z.string().min(1),
  preset: z.string().nullable().default(null),
  values: z.record(z.string(), parameterValueSchema).default({}),
});

/** Null: the command was given no template. */
export function choiceIn(args: ReadonlyPartialJSONObject): TemplateChoice | null {
  const { data } = choiceSchema.safeParse(args);
  return data ?? null;
}

export interface ForTemplate {
  readonly choice: TemplateChoice;
  readonly details: TemplateDetails;
}

export const searchFor = (
  { details }: ForTemplate,
  preferences: Preferences,
  providers: readonly ProviderInfo[],
): OfferFilter => {
  const own = firstFilter(preferences, providers);
  return details.rent === null ? own : templateFilter(own, details.rent);
};

/** The person's own limits where they are lower, else the template's. */
export function defaultsFor(
  { details }: ForTemplate,
  preferences: Preferences,
  nowMs: number,
): Partial<QuoteRequest> {
  const { stopAtMs, ...own } = firstLimits(preferences, nowMs);
  const { info, rent } = details;
  if (rent === null) {
    return { ...own, stopAtMs };
  }
  const limits = templateLimits({ ...own, timeMs: stopAtMs === null ? null : stopAtMs - nowMs }, rent);
  return {
    capMicroUsd: limits.capMicroUsd,
    idleMs: limits.idleMs,
    stopAtMs: limits.timeMs === null ? null : nowMs + limits.timeMs,
    template: info.id,
    engine: rent.nodes > 1 ? 'ray' : info.engine,
    save: { paths: rent.save, toFolder: null },
    secrets: rent.secrets,
    maxNodePricePerHourMicroUsd: rent.maxNodePricePerHourMicroUsd,
  };
}
