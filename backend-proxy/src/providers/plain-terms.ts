/** What a network's offers can be bought with, held against what is asked for, before the network is asked. */
import { parseMicroUsd } from '@hitch/contract';
import { plainTerms } from '../ledger/terms.ts';
import { type CreateRequest, ProviderError } from './provider.ts';

type Asked = Pick<CreateRequest, 'offer' | 'terms' | 'members'>;

/**
 * For networks that sell one machine at a time, with what an offer says that it takes beside.
 * @throws ProviderError `permanent` for anything else, and for several machines as one.
 */
export function checkTerms({ offer, terms, members }: Asked): void {
  if (members !== 1) {
    throw new ProviderError('permanent', 'These are rented one at a time.');
  }
  const plain = plainTerms(offer);
  const { disk, image, bid } = offer.takes ?? {};
  const [least, most] = [disk?.minGiB ?? plain.diskGiB, disk?.maxGiB ?? plain.diskGiB];
  const others = [
    ...(terms.diskGiB === plain.diskGiB || (terms.diskGiB >= least && terms.diskGiB <= most)
      ? []
      : ['another disk']),
    ...(terms.image === null || image === true ? [] : ['an image']),
    ...(isBidTaken(terms.bidPerHourMicroUsd, bid?.leastPerHourMicroUsd) ? [] : ['a bid']),
    ...(terms.market === plain.market ? [] : ['another market']),
    ...(terms.termMs === plain.termMs ? [] : ['another time']),
  ];
  if (others.length > 0) {
    throw new ProviderError(
      'permanent',
      `This is rented as it is offered, without ${others.join(' or ')} that one asks for.`,
    );
  }
}

const isBidTaken = (asked: bigint | null, least: string | undefined): boolean =>
  asked === null || (least !== undefined && asked >= parseMicroUsd(least));
