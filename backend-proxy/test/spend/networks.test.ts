/** From which networks the candidates of a quote come, in which order, and what is said of those that are left out. */
import assert from 'node:assert/strict';
import type { Offer, QuoteRequest } from '@hitch/contract';
import { offer, quote, quotesOver } from './made-quotes.ts';

const OFFERS = [
  offer({ id: 'here:a', pricePerHourMicroUsd: '400000' }),
  offer({ id: 'here:b', pricePerHourMicroUsd: '410000' }),
  offer({ id: 'there:c', pricePerHourMicroUsd: '405000' }),
  offer({ id: 'there:d', pricePerHourMicroUsd: '700000' }),
];
const ids = (request: Partial<QuoteRequest>, offers: readonly Offer[] = OFFERS): readonly string[] =>
  quote(request, offers).offers.map(({ id }) => id);
const HERE = { filter: { providers: ['here'] } };

describe('the networks of a quote', () => {
  it('are all that the filter lets in, for one machine, and all there are where that is asked for', () => {
    assert.deepEqual(ids({}), ['here:a', 'there:c', 'here:b']);
    assert.deepEqual(ids(HERE), ['here:a', 'here:b']);
    assert.deepEqual(ids({ ...HERE, otherNetworks: true }), ['here:a', 'here:b', 'there:c']);
    assert.deepEqual(ids({ offerIds: ['here:a'] }), ['here:a', 'there:c', 'here:b']);
    assert.deepEqual(ids({ offerIds: ['here:a'], ...HERE }), ['here:a', 'here:b']);
    assert.deepEqual(ids({ offerIds: ['here:a'], ...HERE, otherNetworks: true }), [
      'here:a',
      'there:c',
      'here:b',
    ]);
  });

  it('are the first one’s alone where no other is wanted, and for machines that must reach each other', () => {
    assert.deepEqual(ids({ otherNetworks: false }), ['here:a', 'here:b']);
    assert.deepEqual(ids({ offerIds: ['there:c'], otherNetworks: false }), ['there:c']);
    assert.deepEqual(ids({ nodes: 2, otherNetworks: true }), ['here:a', 'here:b']);
    const { lines } = quote({ nodes: 2, otherNetworks: true }, OFFERS).quote;
    assert.ok(lines.includes('All machines are from Network here, where they reach each other'));
    assert.ok(!quote({ nodes: 2 }, OFFERS).quote.lines.some(line => line.startsWith('All machines')));
  });

  it('are named where some are tried, at the price of the dearest that may be taken', () => {
    const { lines, highestRatePerHourMicroUsd } = quote({}, OFFERS).quote;
    assert.equal(
      lines.at(-1),
      'If this offer is gone, Hitch tries up to 2 similar ones (Network there, Network here), at most $0.44/h',
    );
    assert.equal(highestRatePerHourMicroUsd, '440000');
    assert.match(quote(HERE, OFFERS).quote.lines.at(-1) ?? '', /tries up to 1 similar one, at most/);
  });

  it('leave out where nobody is logged in, and say how many would fit', () => {
    const lines = (request: Partial<QuoteRequest>, offers: readonly Offer[] = OFFERS) =>
      quote(
        request,
        offers,
        () => null,
        provider => provider !== 'here',
      ).quote.lines;
    const said = 'Left out: 1 offer of Network there that fits: you are not logged in there.';
    assert.equal(lines({}).at(-1), said);
    assert.equal(lines({ offerIds: ['here:a'] }).at(-1), said);
    assert.ok(!lines(HERE).some(line => line.startsWith('Left out')));
    assert.ok(!lines({ otherNetworks: false }).some(line => line.startsWith('Left out')));
    const more = [...OFFERS, ...['far:e', 'far:f'].map(id => offer({ id, pricePerHourMicroUsd: '300000' }))];
    assert.equal(
      lines({}, more).at(-1),
      'Left out: 2 offers of Network far and 1 of Network there that fit: you are not logged in there.',
    );
  });

  it('count every one of thousands that would fit, dearer than those that can be rented or not', () => {
    // One in a hundred costs more than the limit that follows from the first.
    const behind = Array.from({ length: 20_000 }, (_, each) =>
      offer({ id: `there:${each.toString()}`, pricePerHourMicroUsd: each % 100 === 0 ? '440001' : '440000' }),
    );
    const here = Array.from({ length: 2_000 }, (_, each) =>
      offer({ id: `here:${each.toString()}`, pricePerHourMicroUsd: '400000' }),
    );
    const { lines } = quote(
      {},
      [...here, ...behind],
      () => null,
      provider => provider === 'there',
    ).quote;
    assert.equal(
      lines.at(-1),
      'Left out: 19,800 offers of Network there that fit: you are not logged in there.',
    );
  });
});

describe('the order in which candidates are tried', () => {
  it('goes by what an hour of use costs, so that a flaky host comes after a better one that is a little dearer', () => {
    const flaky = offer({ id: 'here:flaky', pricePerHourMicroUsd: '390000', reliability: 0.7 });
    assert.deepEqual(ids({}, [...OFFERS, flaky]), ['here:a', 'there:c', 'here:b', 'here:flaky']);
    const vain = {
      of: 'machine' as const,
      purchases: 3,
      cameUp: 0,
      notUp: 3,
      failedChecks: 0,
      died: 0,
      usualReadyMs: null,
      lastFailure: null,
    };
    const known = quotesOver(OFFERS, book =>
      book.useHistories({ of: ({ id }) => (id === 'here:a' ? vain : undefined), versionOf: () => 1 }),
    );
    assert.deepEqual(
      known({}).offers.map(({ id }) => id),
      ['there:c', 'here:b', 'here:a'],
    );
  });

  it('is explained for each', () => {
    const [first] = quote({ stopAtMs: null }, OFFERS).quote.candidates;
    assert.match(first?.why?.[0] ?? '', /^\$1\.60 in all for 4 h: \$0\.40\/h with disk and fees\.$/);
  });
});
