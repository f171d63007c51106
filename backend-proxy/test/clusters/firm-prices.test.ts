/** A network whose list is not firm: what it says of an offer on terms is what a person agrees to. */
import assert from 'node:assert/strict';
import {
  type Offer,
  parseMicroUsd,
  type Quote,
  type QuoteRequest,
  quoteRequestSchema,
} from '@hitch/contract';
import { PRICE_FRESH_MS } from '../../src/clusters/limits.ts';
import { type Price, type Provider, ProviderError } from '../../src/providers/provider.ts';
import type { FaultRule } from '../../src/providers/sandbox/faults.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice } from './practice.ts';
import { refusal } from './again.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const OFF: FaultRule = { fault: 'list_price_off', chance: 1, percent: 30, longerPercent: 5 };
const ample = { capMicroUsd: '900000000', idleMs: 0 };

/** A market whose list is not firm, and the offers whose price was asked for. */
async function offMarket(
  price?: (provider: Provider) => NonNullable<Provider['price']>,
  rules: readonly FaultRule[] = [],
): Promise<{ practice: Practice; asked: string[] }> {
  const asked: string[] = [];
  const practice = await new Practice({
    faults: { seed: 1, rules: [OFF, ...rules] },
    wrapProvider: provider =>
      wrap(provider, {
        price: (offer, terms, signal) => {
          asked.push(offer.id);
          return (price?.(provider) ?? provider.price?.bind(provider) ?? assert.fail())(offer, terms, signal);
        },
        buyTime: (id, ms, signal) => provider.buyTime?.(id, ms, signal) ?? assert.fail(),
      }),
  }).open();
  return { practice, asked };
}

const quoteFor = (practice: Practice, request: Partial<QuoteRequest>): Promise<Quote> =>
  practice.pass(practice.service.quote(quoteRequestSchema.parse({ ...ample, ...request })));

function box(practice: Practice, isIt: (offer: Offer) => boolean = () => true): Offer {
  const { offers } = practice.book.query({
    filter: {},
    sort: { key: 'pricePerHour', descending: false },
    offset: 0,
    limit: 1000,
  });
  const found = offers.find(
    offer =>
      offer.stock > 1 &&
      offer.gpuCount > 0 &&
      offer.market === 'on_demand' &&
      offer.takes?.disk !== undefined &&
      isIt(offer),
  );
  return found ?? assert.fail('the market sells no such offer');
}

const raised =
  (percent: bigint, kept = 0n) =>
  (provider: Provider): NonNullable<Provider['price']> =>
  async (offer, terms, signal): Promise<Price> => {
    const said = (await provider.price?.(offer, terms, signal)) ?? assert.fail();
    const perHour = said.perHour.map(part => ({
      ...part,
      perHourMicroUsd: (part.perHourMicroUsd * percent) / 100n,
    }));
    return { ...said, perHour, floorMicroUsd: said.floorMicroUsd + kept };
  };

describe('a price that a network names on being asked', () => {
  it('is in the quote beside its list’s, is the limit, and is what is billed, with the disk and the hours asked for', async () => {
    const { practice } = await offMarket(undefined, [{ fault: 'sold_by_terms', chance: 1, minutes: 60 }]);
    const offer = box(practice);
    const diskGiB = offer.diskGiB + 50;
    const quote = await quoteFor(practice, { offerIds: [offer.id], diskGiB, termMs: 3 * HOUR_MS });
    const [first] = quote.candidates;
    const listed =
      parseMicroUsd(offer.pricePerHourMicroUsd) +
      50n * parseMicroUsd(offer.takes?.disk?.perGiBHourMicroUsd ?? '');
    assert.equal(first?.listedPerHourMicroUsd, listed.toString());
    const price = parseMicroUsd(first.pricePerHourMicroUsd);
    assert.ok(price > listed);
    assert.equal(first.termMs, 3 * HOUR_MS);
    assert.equal(quote.ratePerHourMicroUsd, price.toString());
    assert.equal(quote.highestRatePerHourMicroUsd, ((price * 11n) / 10n).toString());
    assert.equal(
      quote.parts.reduce((sum, part) => sum + parseMicroUsd(part.perHourMicroUsd), 0n),
      price,
    );
    assert.ok(
      quote.lines.some(line =>
        /^The list says \$\S+\/h; on being asked, the network says \$\S+\/h for so much time$/.test(line),
      ),
      quote.lines.join('\n'),
    );
    const { id } = await practice.pass(practice.service.create({ quoteId: quote.id }));
    const ready = await practice.untilPhase(id, 'ready');
    assert.equal(ready.usage.ratePerHourMicroUsd, price.toString());
    assert.equal(practice.market.rentals().length, 1);
    await practice.run(30 * MINUTE_MS);
    const over = await endsClean(practice, ready);
    assert.equal(over.usage.accruedMicroUsd, (3n * price).toString(), 'three hours were paid');
  });

  it('keeps the limit: what its network names above it is not in question, however cheap its list says it is', async () => {
    const { practice } = await offMarket();
    const offer = box(practice);
    const { code } = await refusal(
      practice.pass(
        practice.service.quote(
          quoteRequestSchema.parse({
            ...ample,
            offerIds: [offer.id],
            maxNodePricePerHourMicroUsd: offer.pricePerHourMicroUsd,
          }),
        ),
      ),
    );
    assert.equal(code, 'NO_OFFERS');
    const most = '500000';
    const quote = await quoteFor(practice, { maxNodePricePerHourMicroUsd: most, nodes: 2 });
    assert.ok(
      quote.candidates.every(({ pricePerHourMicroUsd }) => Number(pricePerHourMicroUsd) <= Number(most)),
    );
    practice.close();
  });

  it('is asked of each offer of a quote once, and not again a moment later', async () => {
    const { practice, asked } = await offMarket();
    const quote = await quoteFor(practice, {});
    assert.deepEqual(
      quote.candidates.filter(({ offerId }) => !asked.includes(offerId)),
      [],
    );
    assert.equal(new Set(asked).size, asked.length);
    const before = asked.length;
    await quoteFor(practice, {});
    assert.equal(asked.length, before);
    await practice.run(PRICE_FRESH_MS + 1_000);
    await quoteFor(practice, {});
    assert.ok(asked.length > before);
    practice.close();
  });

  it('that is not to be had leaves its offer out, with a sentence, and refuses the one that was named', async () => {
    let broken = '';
    const { practice } = await offMarket(provider => async (offer, terms, signal) => {
      if (broken === '' || offer.id === broken) {
        broken = offer.id;
        throw new ProviderError('unknownOutcome', 'The price service is down.');
      }
      return (await provider.price?.(offer, terms, signal)) ?? assert.fail();
    });
    const quote = await quoteFor(practice, {});
    assert.notEqual(broken, '');
    assert.ok(quote.candidates.every(({ offerId }) => offerId !== broken));
    const [line, ...more] = quote.lines.filter(each => each.startsWith('Left out: '));
    assert.deepEqual(more, []);
    assert.ok(line?.includes(`(${broken}) is not known. The price service is down.`), line);
    const { code, message } = await refusal(
      practice.pass(practice.service.quote(quoteRequestSchema.parse({ ...ample, offerIds: [broken] }))),
    );
    assert.equal(code, 'NO_OFFERS');
    assert.match(message, /is not known\. The price service is down\.$/);
    practice.close();
  });

  it('that makes no sense counts as none', async () => {
    const { practice } = await offMarket(provider => async (offer, terms, signal) => {
      const said = (await provider.price?.(offer, terms, signal)) ?? assert.fail();
      return { ...said, floorMicroUsd: -1n };
    });
    const { code, message } = await refusal(
      practice.pass(practice.service.quote(quoteRequestSchema.parse(ample))),
    );
    assert.equal(code, 'NO_OFFERS');
    assert.match(message, /a price that makes no sense/);
    practice.close();
  });

  it('is asked again before a purchase that comes late, and one above the limit buys the next offer instead', async () => {
    let factor = 100n;
    const { practice, asked } = await offMarket(
      provider => (offer, terms, signal) =>
        raised(offer.id === first ? factor : 100n)(provider)(offer, terms, signal),
    );
    let first = '';
    const quote = await quoteFor(practice, { maxNodePricePerHourMicroUsd: '900000' });
    first = quote.candidates[0]?.offerId ?? '';
    assert.ok(quote.candidates.length > 1);
    factor = 5_000n;
    await practice.run(PRICE_FRESH_MS + 1_000);
    asked.length = 0;
    const { id } = await practice.pass(practice.service.create({ quoteId: quote.id }));
    const ready = await practice.untilPhase(id, 'ready');
    assert.deepEqual(
      asked.slice(0, 2),
      quote.candidates.slice(0, 2).map(({ offerId }) => offerId),
    );
    const attempts = ready.nodes[0]?.attempts ?? [];
    assert.deepEqual(
      attempts.map(({ state }) => state),
      ['refused', 'owned'],
    );
    assert.match(attempts[0]?.message ?? '', /^It costs \$\S+\/h now, above the limit of \$\S+\/h\.$/);
    assert.equal(practice.market.rentals().length, 1, 'it was not asked to rent');
    await endsClean(practice, ready);
  });

  it('is asked again before a purchase, and what is kept above the quote is not agreed to', async () => {
    let kept = 0n;
    const { practice } = await offMarket(
      provider => (offer, terms, signal) => raised(100n, kept)(provider)(offer, terms, signal),
    );
    const quote = await quoteFor(practice, { offerIds: [box(practice).id] });
    kept = 50_000_000n;
    await practice.run(PRICE_FRESH_MS + 1_000);
    const { id } = await practice.pass(practice.service.create({ quoteId: quote.id }));
    const failed = await practice.untilPhase(id, 'failed');
    assert.match(JSON.stringify(failed.nodes[0]), /is paid in any case now, more than the quote said\./);
    assert.deepEqual(practice.market.rentals(), []);
    practice.close();
  });

  it('that fails for a moment before a purchase is asked for again, and then bought at', async () => {
    let failures = 0;
    const { practice } = await offMarket(provider => async (offer, terms, signal) => {
      if (failures > 0) {
        failures -= 1;
        throw new ProviderError('retryable', 'Later.');
      }
      return (await provider.price?.(offer, terms, signal)) ?? assert.fail();
    });
    const quote = await quoteFor(practice, { offerIds: [box(practice).id] });
    failures = 2;
    await practice.run(PRICE_FRESH_MS + 1_000);
    const { id } = await practice.pass(practice.service.create({ quoteId: quote.id }));
    const ready = await practice.untilPhase(id, 'ready');
    assert.equal(failures, 0);
    assert.equal(practice.market.rentals().length, 1);
    await endsClean(practice, ready);
  });
});
