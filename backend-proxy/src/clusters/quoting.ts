/** Builds quotes with what networks say: the prices of their offers on the terms that are wanted, and the accounts. */
import { firstOffers, HitchError, type ProviderId, type QuoteRequest } from '@hitch/contract';
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
  const barred = new Map<ProviderId, string>();
  const build = () => buildQuote({ ...quoteParts, firm, barred }, request, before);
  let record = build();
  for (let round = 0; await firm.ask(record.offers, record.terms); round++) {
    if (round === PRICE_ROUNDS) {
      firm.close();
    }
    record = build();
  }
  await checkFunds(parts, record);
  while (await barThoseWithoutFunds(parts, record, barred)) {
    // Nobody is asked for another price: what is not known is left out.
    firm.close();
    record = build();
  }
  return record;
}

/** What is tried besides the first choices is no reason to refuse them. @returns whether another network is barred now. */
async function barThoseWithoutFunds(
  { providers, accounts }: QuotingParts,
  { offers, quote, maxNodePricePerHourMicroUsd }: QuoteRecord,
  barred: Map<ProviderId, string>,
): Promise<boolean> {
  const before = barred.size;
  const firsts = new Set(firstOffers(offers, quote.nodes).map(({ provider }) => provider));
  for (const [id, [spare]] of byNetwork(offers)) {
    const provider = providers.get(id);
    if (provider !== undefined && spare !== undefined && !firsts.has(id) && !barred.has(id)) {
      await accounts.check(provider, [spare], maxNodePricePerHourMicroUsd).catch((error: unknown) => {
        if (!(error instanceof HitchError)) {
          throw error;
        }
        barred.set(id, `what ${provider.title} offers. ${error.message}`);
      });
    }
  }
  return barred.size > before;
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
