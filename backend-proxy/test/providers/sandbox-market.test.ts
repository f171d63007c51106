/** The practice market under a clock that moves only when told: its shelf and its bill. */
import assert from 'node:assert/strict';
import { type MicroUsd, type Offer, costOver, parseMicroUsd } from '@hitch/contract';
import fc from 'fast-check';
import { type CatalogueEntry, buildCatalogue } from '../../src/providers/sandbox/catalogue.ts';
import { MOST_STEP, MOST_SWING, quoteAt } from '../../src/providers/sandbox/drift.ts';
import { HOUR_MS, isRefusal, open, rentOne, signal } from './sandbox-rig.ts';

describe('practice market: what is on the shelf', () => {
  it('has several hundred offers over GPU models, counts, places, tiers and kinds', async () => {
    const offers = await open().market.offers(signal);
    assert.ok(offers.length >= 300, offers.length.toString());
    const distinct = (of: (offer: Offer) => unknown) => new Set(offers.map(of)).size;
    assert.ok(distinct(({ gpuModel }) => gpuModel) >= 20);
    assert.deepEqual([...new Set(offers.map(({ gpuCount }) => gpuCount))].toSorted(), [0, 1, 2, 4, 8]);
    assert.ok(distinct(({ country }) => country) >= 20);
    for (const of of [
      (offer: Offer) => offer.kind,
      (offer: Offer) => offer.trust,
      (offer: Offer) => offer.security,
    ]) {
      assert.equal(distinct(of), 3);
    }
    assert.equal(
      distinct(({ market }) => market),
      2,
    );
    assert.equal(
      distinct(({ endsBillingAlone }) => endsBillingAlone),
      2,
    );
  });

  it('calls every offer practice, and offers several nodes only where machines share a network', async () => {
    for (const { practice, multiNode, kind } of await open().market.offers(signal)) {
      assert.equal(practice, true);
      assert.equal(multiNode, kind !== 'container');
    }
  });

  it('is the same for the same seed and moment, and another for another seed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 0, max: 10_000 }), async (seed, minutes) => {
        const at = async (seedNow: number) => {
          const { clock, market } = open({ seed: seedNow });
          clock.jump(minutes * 60_000);
          return await market.offers(signal);
        };
        assert.deepEqual(await at(seed), await at(seed));
        assert.notDeepEqual(await at(seed), await at(seed + 1));
      }),
      { numRuns: 15 },
    );
  });

  const entries = buildCatalogue(3);
  const anEntry = fc.constantFrom<CatalogueEntry>(...entries);
  const minute = fc.integer({ min: 29_000_000, max: 31_000_000 });

  it('prices with whole parts that add up to the price exactly', () => {
    fc.assert(
      fc.property(anEntry, minute, (entry, at) => {
        const { pricePerHourMicroUsd, priceParts } = quoteAt(3, entry, at * 60_000);
        const sum = priceParts.reduce((total, part) => total + parseMicroUsd(part.perHourMicroUsd), 0n);
        assert.equal(sum, parseMicroUsd(pricePerHourMicroUsd));
      }),
    );
  });

  it('lets prices wander within bounds, a little each minute, and stock between none and all', () => {
    fc.assert(
      fc.property(anEntry, minute, (entry, at) => {
        const machineAt = (when: number) =>
          Number(quoteAt(3, entry, when * 60_000).priceParts[0]?.perHourMicroUsd);
        const [now, next] = [machineAt(at), machineAt(at + 1)];
        assert.ok(Math.abs(now - entry.gpuMicroUsd) <= entry.gpuMicroUsd * MOST_SWING + 1);
        assert.ok(Math.abs(next - now) <= entry.gpuMicroUsd * MOST_STEP + 1);
        const { stock } = quoteAt(3, entry, at * 60_000);
        assert.ok(stock >= 0 && stock <= entry.fullStock);
      }),
    );
  });

  it('does move prices and stock over an hour', async () => {
    const { clock, market } = open();
    const before = await market.offers(signal);
    clock.jump(HOUR_MS);
    const after = new Map((await market.offers(signal)).map(offer => [offer.id, offer]));
    const moved = before.filter(
      ({ id, pricePerHourMicroUsd }) => after.get(id)?.pricePerHourMicroUsd !== pricePerHourMicroUsd,
    );
    assert.ok(moved.length > before.length / 2);
    assert.notDeepEqual(
      before.map(({ id, stock }) => [id, stock]),
      [...after.values()].map(({ id, stock }) => [id, stock]),
    );
  });

  it('sells no more of an offer than there are, and again once one is given back', async () => {
    const { market } = open();
    const { offer, order, rental } = await rentOne(market, 'hitch-first', ({ stock }) => stock === 1);
    assert.ok(!(await market.offers(signal)).some(({ id }) => id === offer.id));
    await assert.rejects(market.rent({ ...order, ref: 'hitch-second' }, signal), isRefusal('sold_out'));
    await market.end(rental.id, signal);
    await market.rent({ ...order, ref: 'hitch-second' }, signal);
  });
});

describe('practice market: its bill', () => {
  it('is the sum over spans of rate and time, whatever is rented and ended when', async () => {
    const step = fc.record({
      passMs: fc.integer({ min: 0, max: 10_000_000 }),
      end: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const { clock, market } = open({ stock: 100 });
        const expected: { ref: string; rate: MicroUsd; fromMs: number; untilMs: number | null }[] = [];
        for (const [index, { passMs, end }] of steps.entries()) {
          const ref = `hitch-${index.toString()}`;
          const { rental } = await rentOne(market, ref);
          const span = {
            ref,
            rate: rental.pricePerHourMicroUsd,
            fromMs: clock.now(),
            untilMs: null as number | null,
          };
          expected.push(span);
          clock.jump(passMs);
          if (end) {
            await market.end(rental.id, signal);
            span.untilMs = clock.now();
          }
        }
        for (const { ref, rate, fromMs, untilMs } of expected) {
          assert.equal(market.billed(ref), costOver(rate, (untilMs ?? clock.now()) - fromMs));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('stops at the end time of an offer that ends alone, and runs on where the offer cannot', async () => {
    for (const alone of [true, false]) {
      const { clock, market } = open();
      const offer = (await market.offers(signal)).find(({ endsBillingAlone }) => endsBillingAlone === alone);
      assert.ok(offer !== undefined);
      const rate = parseMicroUsd(offer.pricePerHourMicroUsd);
      const order = {
        ref: 'hitch-ends',
        entryId: offer.id.slice('sandbox:'.length),
        maxPricePerHourMicroUsd: rate,
        endAtMs: clock.now() + HOUR_MS,
      };
      const { id } = await market.rent(order, signal);
      clock.jump(5 * HOUR_MS);
      assert.equal((await market.show(id, signal))?.state, alone ? 'terminated' : 'running');
      assert.equal(market.billed('hitch-ends'), alone ? rate : rate * 5n);
    }
  });

  it('stays ended when an extension and an end are asked for at the same time', async () => {
    const { clock, market } = open();
    const { rental } = await rentOne(market, 'hitch-both', ({ endsBillingAlone }) => endsBillingAlone);
    await Promise.allSettled([
      market.extend(rental.id, clock.now() + HOUR_MS, signal),
      market.end(rental.id, signal),
      market.extend(rental.id, clock.now() + HOUR_MS, signal),
    ]);
    assert.equal((await market.show(rental.id, signal))?.state, 'terminated');
    assert.equal(market.billed('hitch-both'), 0n);
  });

  it('bills a slow end until it is done', async () => {
    const { clock, market } = open({}, [{ fault: 'destroy_slow', chance: 1, delayMs: HOUR_MS }]);
    const { rental } = await rentOne(market, 'hitch-slow');
    await market.end(rental.id, signal);
    clock.jump(10 * HOUR_MS);
    assert.equal((await market.show(rental.id, signal))?.state, 'terminated');
    assert.equal(market.billed('hitch-slow'), rental.pricePerHourMicroUsd);
  });

  it('bills what was bought when the answer was lost', async () => {
    const { clock, market } = open({}, [{ fault: 'reply_lost_after_create', chance: 1 }]);
    await assert.rejects(rentOne(market, 'hitch-lost'), isRefusal('lost'));
    clock.jump(HOUR_MS);
    assert.equal(
      market.billed('hitch-lost'),
      parseMicroUsd(market.rentals('hitch-lost')[0]?.pricePerHourMicroUsd ?? '0'),
    );
    assert.ok(market.billed('hitch-lost') > 0n);
  });
});
