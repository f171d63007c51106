/** What an offer says of itself, in a list. */
import type { Offer, OfferFilter } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { offerMachine, offerTerms } from '@hitch/contract/src/offer-words.ts';

/**
 * What a template's own search begins with. Spot may be taken away, and some offers can only be looked at: who wants to see them
 * says so in the offer table or a search of their own.
 */
export const USUAL_FILTER: OfferFilter = {
  markets: ['on_demand'],
  rentable: true,
  minGpuCount: 1,
  maxGpuCount: 1,
};

const MARKETS = { on_demand: 'on-demand', spot: 'spot' } as const;
const KINDS = {
  vm: 'VM',
  container: 'container',
  bare_metal: 'bare metal',
  process: 'on this computer',
} as const;
const TRUSTS = {
  own: 'your own',
  data_center: 'data centre',
  verified: 'verified',
  community: 'community host: its owner can read your data',
} as const;

export interface OfferWords {
  readonly title: string;
  readonly price: string;
  readonly detail: string;
}

/** An offer in the columns' words of the offer table, as far as a list has room. */
export function offerWords(
  offer: Offer,
  titleOf: (provider: string) => string,
  isVerified: (provider: string) => boolean = () => true,
): OfferWords {
  const place = offer.country ?? offer.region;
  const parts = [
    ...(offer.notRentable === undefined ? [] : [`⚠ ${offer.notRentable}`]),
    titleOf(offer.provider),
    ...(isVerified(offer.provider) ? [] : ['not yet verified live']),
    ...offerTerms({ ...offer, market: 'on_demand' }),
    ...(place === null ? [] : [place]),
    KINDS[offer.kind],
    MARKETS[offer.market],
    TRUSTS[offer.trust],
    ...(offer.reliability === null
      ? offer.trust === 'own'
        ? []
        : ['reliability not stated']
      : [`${(offer.reliability * 100).toFixed(1)} % reliable`]),
    ...(offer.cpuCores === 0
      ? []
      : [`${offer.cpuCores} cores, ${format.gigabytes(offer.ramMiB)}, ${offer.diskGiB} GB disk`]),
    ...(offer.downMbps === null ? [] : [`↓${offer.downMbps} Mbps`]),
    offer.endsBillingAlone ? '✓ stops without me' : '⚠ keeps billing while this computer is off',
    ...(offer.readyInMs === null ? [] : [`usually starts in ${format.duration(offer.readyInMs)}`]),
  ];
  return {
    title: offerMachine(offer),
    price: `${format.dollars(offer.pricePerHourMicroUsd)}/h`,
    detail: parts.join(' · '),
  };
}
