/** What was rented, held against what was offered. */
import { format, gpuMatcher, type Offer, trustSchema } from '@hitch/contract';
import type { Got } from '../providers/provider.ts';

/** What of it is worse than was agreed to, in words; null: nothing, or its network does not say what it is. */
export function worseThanOffered(offer: Offer, got: Got | undefined): string | null {
  if (got === undefined) {
    return null;
  }
  const trusts = trustSchema.options;
  const worse = [
    ...(isAnotherGpu(offer, got) ? [`${machineWords(got)} and not ${machineWords(offer)}`] : []),
    ...(offer.market === 'on_demand' && got.market === 'spot' ? ['spot and not on demand'] : []),
    ...(got.trust !== null && trusts.indexOf(got.trust) > trusts.indexOf(offer.trust)
      ? [`${format.TRUST_WORDS[got.trust]} and not ${format.TRUST_WORDS[offer.trust]}`]
      : []),
  ];
  return worse.length === 0 ? null : worse.join(', ');
}

const isAnotherGpu = (offer: Offer, got: Got): boolean =>
  got.gpuCount < offer.gpuCount ||
  (offer.gpuModel !== null && (got.gpuModel === null || !isSameModel(offer.gpuModel, got.gpuModel)));

/** A network may name a GPU in its list and on a machine's page in two ways, with its maker, form and memory in one of them. */
const isSameModel = (one: string, other: string): boolean =>
  one === other || gpuMatcher(one)(other) || gpuMatcher(other)(one);

const machineWords = ({ gpuModel, gpuCount }: Got): string =>
  gpuModel === null ? 'a machine without a GPU' : `${gpuCount.toString()}× ${gpuModel}`;
