/** Builds quotes with what networks say: the prices of their offers on the terms that are wanted, and the accounts. */
import { firstOffers, type QuoteRequest } from '@hitch/contract';
import type { QuoteRecord } from '../ledger/records.ts';
import { buildQuote, type QuoteParts, type RentedBefore } from '../spend/quotes.ts';
import { byNetwork } from './accounts.ts';
import { PRICE_ROUNDS } from './limits.ts';
import type { Parts } from './parts.ts';

type QuotingParts = Pick<Parts, 'prices' | 'providers' | 'accounts'>;

/**
 * A quote at prices that its networks have just said, where their lists are not firm.
 * @throws HitchError as {@link buildQuote} does, LOGIN_NEEDED and FUNDS_TOO_LOW.
 */
export async function quoteOf(
  parts: QuotingParts,
  quoteParts: QuoteParts,
  request: QuoteRequest,
  before: RentedBefore | null = null,
): Promise<QuoteRecord> {
  const firm = parts.prices.session();
  const build = () => buildQuote({ ...quoteParts, firm }, request, before);
  let record = build();
  for (let round = 0; await firm.ask(record.offers, record.terms); round++) {
    if (round === PRICE_ROUNDS) {
      firm.close();
    }
    record = build();
  }
  await checkFunds(parts, record);
  return record;
}

/** Refused before a person is asked. @throws HitchError LOGIN_NEEDED, FUNDS_TOO_LOW */
async function checkFunds(
  { providers, accounts }: QuotingParts,
  { offers, quote, maxNodePricePerHourMicroUsd }: QuoteRecord,
): Promise<void> {
  for (const [id, firsts] of byNetwork(firstOffers(offers, quote.nodes))) {
    const provider = providers.get(id);
    if (provider !== undefined) {
      await accounts.check(provider, firsts, maxNodePricePerHourMicroUsd);
    }
  }
}
