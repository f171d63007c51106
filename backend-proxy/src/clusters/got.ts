/** What was rented, held against what was offered. */
import { format, type Offer, trustSchema } from '@hitch/contract';
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
  got.gpuCount < offer.gpuCount || (offer.gpuModel !== null && got.gpuModel !== offer.gpuModel);

const machineWords = ({ gpuModel, gpuCount }: Got): string =>
  gpuModel === null ? 'a machine without a GPU' : `${gpuCount.toString()}× ${gpuModel}`;
