/** On which terms a job's later machines may be had: those that a person was shown. */
import { type Offer, type QuoteRequest, trustSchema } from '@hitch/contract';

type Terms = Pick<Offer, 'practice' | 'market' | 'trust' | 'endsBillingAlone'>;

/**
 * What is asked for in the place of a lost machine. What the person left open is as it was shown: nobody who said yes to
 * practice pays, nobody gets a machine that may be taken away, whose host is trusted less, or that bills on past its limits
 * while this computer sleeps, unless one such was among those that were shown.
 * @param shown all that the quote may rent.
 */
export function asShown(request: QuoteRequest, shown: readonly Terms[]): QuoteRequest {
  if (shown.length === 0) {
    return request;
  }
  const { filter } = request;
  const leastTrusted = Math.max(...shown.map(({ trust }) => trustSchema.options.indexOf(trust)));
  return {
    ...request,
    filter: {
      ...filter,
      practice: shown.some(({ practice }) => practice) ? 'only' : 'exclude',
      markets:
        filter.markets ??
        (shown.some(({ market }) => market === 'spot') ? ['spot', 'on_demand'] : ['on_demand']),
      trusts: filter.trusts ?? trustSchema.options.slice(0, leastTrusted + 1),
      ...(shown.every(({ endsBillingAlone }) => endsBillingAlone) ? { endsBillingAlone: true } : {}),
    },
  };
}
