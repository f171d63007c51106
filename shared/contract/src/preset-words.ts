/** What a preset costs now, and the quote request that it makes. */
import type { Cluster, QuoteRequest } from './clusters.ts';
import { parseMicroUsd, showDollars } from './money.ts';
import type { Offer, OfferPage, OfferQuery } from './offers.ts';
import type { Preset } from './presets.ts';
import { clusterActions } from './words.ts';

/** What is asked to know a preset's price. */
export const presetQuery = ({ filter }: Pick<Preset, 'filter'>): Pick<OfferQuery, 'filter' | 'limit'> => ({
  filter,
  limit: 1,
});

/** What costs nothing is never shown as a price alone. */
const practiceMark = ({ practice }: Offer): string => (practice ? ' (practice)' : '');

type Wanted = Pick<Preset, 'nodes' | 'filter'>;

/** `$0.38/h`, the least for all nodes of the preset. */
export function presetPrice({ nodes, filter }: Wanted, { offers: [cheapest] }: OfferPage): string {
  if (cheapest === undefined) {
    return 'none now';
  }
  return filter.practice === 'only'
    ? 'free'
    : `${showDollars(parseMicroUsd(cheapest.pricePerHourMicroUsd) * BigInt(nodes))}/h${practiceMark(cheapest)}`;
}

/** `from $0.38/h, 41 offers`. */
export function presetPriceWords(preset: Wanted, page: OfferPage): string {
  const [cheapest] = page.offers;
  if (cheapest === undefined) {
    return 'none available now';
  }
  const offers = `${page.matched} ${page.matched === 1 ? 'offer' : 'offers'}`;
  const price = presetPrice(preset, page);
  return preset.filter.practice === 'only' ? `${offers}, ${price}` : `from ${price}, ${offers}`;
}

/** What a preset asks for; the limits are the client's. */
export const presetRequest = ({
  nodes,
  template,
  filter,
  maxNodePricePerHourMicroUsd,
}: Preset): Pick<QuoteRequest, 'nodes' | 'template' | 'filter' | 'maxNodePricePerHourMicroUsd'> => ({
  nodes,
  template,
  filter,
  maxNodePricePerHourMicroUsd,
});

/** What was rented last and is over, so that it can be rented once more; null: there is none. */
export const lastRented = (clusters: readonly Cluster[]): Cluster | null =>
  clusters
    .filter(cluster => clusterActions(cluster).includes('startAgain'))
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0] ?? null;

/** `1× RTX 4090, $0.42/h last time`: what it is rented again with, as far as that is still on offer. */
export function lastRentedWords({ nodes }: Cluster): string {
  const last = nodes.flatMap(({ attempts }) => attempts.at(-1) ?? []);
  const rate = last.reduce((sum, { pricePerHourMicroUsd }) => sum + parseMicroUsd(pricePerHourMicroUsd), 0n);
  const title = nodes[0]?.title ?? '';
  return [...(title === '' ? [] : [title]), `${showDollars(rate)}/h last time`].join(', ');
}
