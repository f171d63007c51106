/** What people usually want, a line each; the price beside it is asked for when the list is shown. */
import type { Offer, OfferFilter, OfferPage } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { parseMicroUsd, showDollars } from '@hitch/contract/src/money.ts';
import { offerMachine, offerTerms } from '@hitch/contract/src/offer-words.ts';

export interface Preset {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  readonly nodes: number;
  readonly template: string | null;
  readonly filter: OfferFilter;
  /** Never pay more an hour for one node; left out: what the daemon chooses. */
  readonly maxNodePricePerHourMicroUsd?: string;
}

/** Cards of "24 GB" report a little less than 24 GiB. */
const vram = (gigabytes: number): number => gigabytes * 1000;

/**
 * Spot may be taken away, and some offers can only be looked at: who wants to see them says so in the offer table or a
 * search of their own.
 */
const onDemand: OfferFilter = { markets: ['on_demand'], rentable: true };
const oneGpu: OfferFilter = { ...onDemand, minGpuCount: 1, maxGpuCount: 1 };

export const PRESETS: readonly Preset[] = [
  {
    id: 'one-gpu',
    label: '1 GPU, the cheapest',
    detail: 'One machine with Jupyter',
    nodes: 1,
    template: null,
    filter: oneGpu,
  },
  {
    id: 'vram-24',
    label: '1 GPU, 24 GB or more',
    detail: 'Fine-tuning small models, image models',
    nodes: 1,
    template: null,
    filter: { ...oneGpu, minVramMiB: vram(24) },
  },
  {
    id: 'vram-48',
    label: '1 GPU, 48 GB or more',
    detail: 'Larger batches, 13B models',
    nodes: 1,
    template: null,
    filter: { ...oneGpu, minVramMiB: vram(48) },
  },
  {
    id: 'vram-80',
    label: '1 GPU, 80 GB or more',
    detail: 'A100 and H100 class',
    nodes: 1,
    template: null,
    filter: { ...oneGpu, minVramMiB: vram(80) },
  },
  {
    id: 'ray-two',
    label: '2 nodes with Ray',
    detail: 'One GPU each, connected by a network of their own',
    nodes: 2,
    template: 'ray',
    filter: { ...oneGpu, multiNode: true },
  },
  {
    id: 'practice',
    label: 'Practice, costs nothing',
    detail: 'Processes on this computer, without CUDA; everything else works as on a rented GPU',
    nodes: 1,
    template: null,
    filter: { ...onDemand, practice: 'only' },
  },
];

/** `from $0.38/h, 41 offers`, for all nodes of the preset. */
export function priceWords(preset: Pick<Preset, 'nodes' | 'filter'>, page: OfferPage): string {
  const [cheapest] = page.offers;
  if (cheapest === undefined) {
    return 'none available now';
  }
  const rate = parseMicroUsd(cheapest.pricePerHourMicroUsd) * BigInt(preset.nodes);
  const offers = `${page.matched} ${page.matched === 1 ? 'offer' : 'offers'}`;
  if (preset.filter.practice === 'only') {
    return `${offers}, nobody is charged`;
  }
  return `from ${showDollars(rate)}/h, ${offers}${cheapest.practice ? ', practice' : ''}`;
}

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
