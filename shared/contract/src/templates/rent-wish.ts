/** What renting for a template begins with: a search for its machine, and limits that are never above a person's own. */
import type { OfferFilter } from '../offers.ts';
import { formatMicroUsd, parseMicroUsd } from '../money.ts';
import type { TemplateDetails } from './wire.ts';

type Wish = NonNullable<TemplateDetails['rent']>;

/** A person's filter without what it says of the machine itself, which the template says. */
export function ownFilter(own: OfferFilter): OfferFilter {
  const {
    text: _text,
    gpuModels: _models,
    minGpuCount: _least,
    maxGpuCount: _most,
    minVramMiB: _vram,
    minCpuCores: _cores,
    minRamMiB: _ram,
    minDiskGiB: _disk,
    kinds: _kinds,
    ...rest
  } = own;
  return rest;
}

/** A person's filter with the machine that the template asks for. */
export const templateFilter = (
  own: OfferFilter,
  { filter, maxNodePricePerHourMicroUsd: most }: Wish,
): OfferFilter => ({
  ...ownFilter(own),
  ...filter,
  ...(most === null ? {} : { maxPricePerHourMicroUsd: most }),
});

export interface RentLimits {
  readonly capMicroUsd: string;
  /** From now; null: none. */
  readonly timeMs: number | null;
  /** 0: never. */
  readonly idleMs: number;
}

const lower = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** The lower of a template's limits and the person's: a higher one is for the person to type. */
export const templateLimits = (own: RentLimits, { capMicroUsd: cap, timeMs, idleMs }: Wish): RentLimits => {
  const mine = parseMicroUsd(own.capMicroUsd);
  const theirs = cap === null ? mine : parseMicroUsd(cap);
  return {
    capMicroUsd: formatMicroUsd(theirs < mine ? theirs : mine),
    timeMs: lower(own.timeMs, timeMs),
    idleMs: lower(own.idleMs === 0 ? null : own.idleMs, idleMs) ?? 0,
  };
};
