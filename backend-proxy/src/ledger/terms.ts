/** On what terms an offer is sold where nobody asks for others. */
import type { Offer } from '@hitch/contract';
import type { Terms } from './records.ts';

export const plainTerms = ({ termMs, diskGiB, market }: Offer): Terms => ({
  termMs: termMs ?? null,
  diskGiB,
  market,
  bidPerHourMicroUsd: null,
  image: null,
});
