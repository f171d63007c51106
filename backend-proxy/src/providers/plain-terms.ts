/** For networks that sell their offers as they are. */
import { plainTerms } from '../ledger/terms.ts';
import { type CreateRequest, ProviderError } from './provider.ts';

/** @throws ProviderError `permanent` for terms that differ from what the offer says, and for several machines as one. */
export function checkPlain({
  offer,
  terms,
  members,
}: Pick<CreateRequest, 'offer' | 'terms' | 'members'>): void {
  if (members !== 1) {
    throw new ProviderError('permanent', 'These are rented one at a time.');
  }
  const plain = plainTerms(offer);
  const others = [
    ...(terms.diskGiB === plain.diskGiB ? [] : ['another disk']),
    ...(terms.image === null ? [] : ['an image']),
    ...(terms.bidPerHourMicroUsd === null ? [] : ['a bid']),
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
