/** A disk, an image and a bid that a person asks for: bought, billed and bought again as the quote says. */
import assert from 'node:assert/strict';
import { type Offer, parseMicroUsd, type QuoteRequest, quoteRequestSchema } from '@hitch/contract';
import { again, refusal, stopped } from './again.ts';
import type { CreateRequest } from '../../src/providers/provider.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const everything = (practice: Practice): readonly Offer[] =>
  practice.book.query({
    filter: {},
    sort: { key: 'pricePerHour', descending: false },
    offset: 0,
    limit: 1000,
  }).offers;

function found(practice: Practice, isIt: (offer: Offer) => boolean): Offer {
  const offer = everything(practice).find(each => each.stock > 1 && each.floorMicroUsd === '0' && isIt(each));
  return offer ?? assert.fail('the market sells no such offer');
}

const box = (practice: Practice): Offer =>
  found(practice, ({ takes, market }) => takes?.disk !== undefined && market === 'on_demand');
const spot = (practice: Practice): Offer => found(practice, ({ takes }) => takes?.bid !== undefined);

/** The one machine there is, in the market's own book. */
function machine(practice: Practice) {
  const [rental, ...others] = practice.market.rentals().filter(({ endedAtMs }) => endedAtMs === null);
  assert.ok(rental !== undefined && others.length === 0);
  return rental;
}

const ample = { capMicroUsd: '900000000', idleMs: 0 };

describe('terms that a person asks for', () => {
  it('are bought as the quote froze them, and cost what it said', async () => {
    const practice = await new Practice().open();
    const offer = box(practice);
    const diskGiB = offer.diskGiB + 40;
    const request = { ...ample, offerIds: [offer.id], diskGiB, image: 'example/own:1' };
    const { id } = await practice.rent(request);
    const ready = await practice.untilPhase(id, 'ready');
    const more = 40n * parseMicroUsd(offer.takes?.disk?.perGiBHourMicroUsd ?? '0');
    const rate = parseMicroUsd(offer.pricePerHourMicroUsd) + more;
    assert.ok(more > 0n);
    assert.equal(machine(practice).pricePerHourMicroUsd, rate.toString());
    assert.equal(machine(practice).image, 'example/own:1');
    assert.equal(ready.usage.ratePerHourMicroUsd, rate.toString());
    assert.equal(ready.nodes[0]?.attempts[0]?.pricePerHourMicroUsd, rate.toString());
    await endsClean(practice, ready);
  });

  it('are bought as a daemon froze them that died before it bought', async () => {
    const sent: CreateRequest['terms'][] = [];
    const practice = await new Practice({
      wrapProvider: provider =>
        wrap(provider, {
          create: (order, signal) => {
            sent.push(order.terms);
            return provider.create(order, signal);
          },
        }),
    }).open();
    const offer = spot(practice);
    const bid = 2n * parseMicroUsd(offer.pricePerHourMicroUsd);
    const quote = await practice.pass(
      practice.service.quote(
        quoteRequestSchema.parse({ ...ample, offerIds: [offer.id], bidPerHourMicroUsd: bid.toString() }),
      ),
    );
    practice.close();
    await practice.open();
    const { id } = await practice.pass(practice.service.create({ quoteId: quote.id }));
    const ready = await practice.untilPhase(id, 'ready');
    assert.equal(quote.highestRatePerHourMicroUsd, bid.toString());
    assert.equal(machine(practice).entryId, offer.id.slice('sandbox:'.length));
    assert.deepEqual(
      sent.map(({ market, bidPerHourMicroUsd }) => [market, bidPerHourMicroUsd]),
      [['spot', bid]],
    );
    await endsClean(practice, ready);
  });

  it('are asked for again when it is started again, and others where others are named', async () => {
    const practice = await new Practice().open();
    const offer = box(practice);
    const diskGiB = offer.diskGiB + 40;
    const asked: Partial<QuoteRequest> = { ...ample, offerIds: [offer.id], diskGiB, image: 'example/own:1' };
    const over = await stopped(practice, asked);
    const quote = await again(practice, over);
    assert.deepEqual(quote.asked, {
      diskGiB,
      image: 'example/own:1',
      bidPerHourMicroUsd: null,
      termMs: null,
    });
    assert.ok(quote.candidates.every(candidate => (candidate.diskGiB ?? 0) >= diskGiB));
    assert.ok(
      !(quote.again?.changes ?? []).some(change => change.includes('GB disk')),
      quote.again?.changes.join(),
    );
    const other = await again(practice, over, { diskGiB: null, image: 'example/other:2' });
    assert.deepEqual(other.asked, {
      diskGiB: null,
      image: 'example/other:2',
      bidPerHourMicroUsd: null,
      termMs: null,
    });
    const { code, message } = await refusal(again(practice, over, { diskGiB: 900_000 }));
    assert.equal(code, 'NO_OFFERS');
    assert.match(message, /, with a disk of 900000 GB and the image example\/own:1\.$/);
    await practice.pass(practice.service.startAgain(over.id, quote.id));
    const ready = await practice.untilPhase(over.id, 'ready');
    assert.equal(machine(practice).image, 'example/own:1');
    await practice.pass(practice.service.stop(ready.id, { skipSave: true }));
    await practice.untilPhase(ready.id, 'stopped');
  });
});
