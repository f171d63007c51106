/** What is asked for beside an offer, and what is sold ahead: in the quote's price, words and limits. */
import assert from 'node:assert/strict';
import { type Offer, parseMicroUsd, type QuoteRequest } from '@hitch/contract';
import { clock, offer, OFFERS, quote, refusal } from './made-quotes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DISK = { minGiB: 20, maxGiB: 400, perGiBHourMicroUsd: '100' };

const container = (id: string, price: string, change: Partial<Offer> = {}): Offer =>
  offer({
    id,
    pricePerHourMicroUsd: price,
    priceParts: [
      { label: 'GPU', perHourMicroUsd: (Number(price) - 10_000).toString() },
      { label: 'disk', perHourMicroUsd: '10000' },
    ],
    takes: { disk: DISK, image: true },
    ...change,
  });
const spot = (id: string, price: string): Offer =>
  offer({
    id,
    pricePerHourMicroUsd: price,
    market: 'spot',
    takes: { bid: { leastPerHourMicroUsd: '50000' } },
  });

const SOLD = [...OFFERS, container('here:box', '430000')];
const idsOf = (request: Partial<QuoteRequest>, offers: readonly Offer[] = SOLD) =>
  quote(request, offers).offers.map(({ id }) => id);
const linesOf = (request: Partial<QuoteRequest>, offers: readonly Offer[]) =>
  quote(request, offers).quote.lines;

describe('a disk that is asked for', () => {
  it('is frozen with its price where its size can be chosen', () => {
    const record = quote({ diskGiB: 300 }, SOLD);
    assert.deepEqual(
      record.offers.map(({ id, diskGiB, pricePerHourMicroUsd }) => [id, diskGiB, pricePerHourMicroUsd]),
      [['here:box', 300, '450000']],
    );
    assert.deepEqual(record.terms, {
      'here:box': { termMs: null, diskGiB: 300, market: 'on_demand', bidPerHourMicroUsd: null, image: null },
    });
    const { quote: shown } = record;
    assert.equal(shown.ratePerHourMicroUsd, '450000');
    assert.deepEqual(shown.parts.at(-1), { label: 'disk', perHourMicroUsd: '30000' });
    assert.equal(
      shown.parts.reduce((sum, part) => sum + parseMicroUsd(part.perHourMicroUsd), 0n),
      450_000n,
    );
    assert.equal(shown.candidates[0]?.diskGiB, 300);
    assert.deepEqual(shown.asked, {
      diskGiB: 300,
      image: null,
      bidPerHourMicroUsd: null,
      termMs: null,
    });
    assert.equal(shown.lines[1], 'With a disk of 300 GB');
    assert.equal(record.order?.diskGiB, 300);
  });

  it('is as large as the filter asks, with its price, where an offer passed with a larger one than it comes with', () => {
    const small = container('here:small', '400000', { diskGiB: 20 });
    const record = quote({ filter: { minDiskGiB: 120 }, offerIds: ['here:small'] }, [small]);
    assert.deepEqual(
      record.offers.map(({ diskGiB, pricePerHourMicroUsd }) => [diskGiB, pricePerHourMicroUsd]),
      [[120, '410000']],
    );
    assert.equal(record.quote.lines[1], 'With a disk of 120 GB');
    const large = quote({ filter: { minDiskGiB: 10 }, offerIds: ['here:small'] }, [small]);
    assert.deepEqual([large.offers[0]?.diskGiB, large.quote.asked], [20, undefined]);
  });

  it('makes a machine cheaper where less is asked for than it comes with, and other ones fit as they are', () => {
    const record = quote({ diskGiB: 50 }, [
      offer({ id: 'here:a', pricePerHourMicroUsd: '427000' }),
      ...SOLD.slice(4),
    ]);
    assert.deepEqual(
      record.offers.map(({ id, diskGiB, pricePerHourMicroUsd }) => [id, diskGiB, pricePerHourMicroUsd]),
      [
        ['here:box', 50, '425000'],
        ['here:a', 100, '427000'],
      ],
    );
  });

  it('raises what is paid in any case and ahead with the price, and no deposit', () => {
    const ahead = container('here:box', '400000', {
      floorMicroUsd: '200000',
      termMs: 2 * HOUR_MS,
      dueNowMicroUsd: '800000',
      refundable: 'exact_after_floor',
    });
    const [sold] = quote({ diskGiB: 300 }, [ahead]).offers;
    assert.deepEqual(
      [sold?.pricePerHourMicroUsd, sold?.floorMicroUsd, sold?.dueNowMicroUsd],
      ['420000', '210000', '840000'],
    );
    const held = container('here:box', '400000', { dueNowMicroUsd: '5000000', refundable: 'deposit' });
    assert.equal(quote({ diskGiB: 300 }, [held]).offers[0]?.dueNowMicroUsd, '5000000');
  });

  it('is refused in the quote where an offer has no such, with what it has', () => {
    const named = refusal({ diskGiB: 300, offerIds: ['here:a'] });
    assert.equal(named.code, 'BAD_INPUT');
    assert.equal(named.field, 'diskGiB');
    assert.match(named.message, /\(here:a\) has a disk of 100 GB and is sold with no other\.$/);
    assert.match(
      refusal({ diskGiB: 500, offerIds: ['here:box'] }, SOLD).message,
      /has a disk of 400 GB at most\.$/,
    );
    assert.match(
      refusal({ diskGiB: 300 }).message,
      /^None of the 4 offers that fit is sold with a disk of 300 GB\. The cheapest, .*\(here:a\), has a disk of 100 GB/,
    );
  });

  it('is had by the ones that are tried in place of the first, too', () => {
    const boxes = [
      container('here:box', '430000'),
      container('here:next', '432000', { diskGiB: 400 }),
      ...OFFERS,
    ];
    const record = quote({ diskGiB: 300, offerIds: ['here:box'] }, boxes);
    assert.deepEqual(
      record.offers.map(({ id, diskGiB, pricePerHourMicroUsd }) => [id, diskGiB, pricePerHourMicroUsd]),
      [
        ['here:box', 300, '450000'],
        ['here:next', 300, '422000'],
      ],
    );
    assert.equal(record.terms['here:next']?.diskGiB, 300);
  });
});

describe('an image that is asked for', () => {
  it('is frozen with the offers that take one, and refused of others', () => {
    const record = quote({ image: 'example/own:1' }, SOLD);
    assert.deepEqual(idsOf({ image: 'example/own:1' }), ['here:box']);
    assert.equal(record.terms['here:box']?.image, 'example/own:1');
    assert.equal(record.quote.ratePerHourMicroUsd, '430000');
    assert.equal(record.quote.lines[1], 'With the image example/own:1');
    const { field, message } = refusal({ image: 'example/own:1', offerIds: ['here:a'] });
    assert.equal(field, 'image');
    assert.match(message, /\(here:a\) takes no image of your own\.$/);
  });
});

describe('a bid', () => {
  const offers = [
    ...OFFERS,
    spot('here:spot', '150000'),
    spot('here:dearer', '190000'),
    spot('here:dear', '210000'),
  ];
  const bid = (bidPerHourMicroUsd: string): Partial<QuoteRequest> => ({ bidPerHourMicroUsd });

  it('is for spot, is the most that is paid an hour, and is sent with each offer that takes it', () => {
    const record = quote(bid('200000'), offers);
    assert.deepEqual(
      record.offers.map(({ id }) => id),
      ['here:spot', 'here:dearer'],
    );
    assert.equal(record.maxNodePricePerHourMicroUsd, 200_000n);
    assert.equal(record.quote.yes, 'Rent for up to $0.20/h');
    assert.deepEqual(
      Object.values(record.terms).map(terms => [terms.market, terms.bidPerHourMicroUsd]),
      [
        ['spot', 200_000n],
        ['spot', 200_000n],
      ],
    );
    assert.equal(record.quote.lines[1], 'With a bid of $0.20/h');
  });

  it('is refused of what is not sold so, under the least and today’s price, and above the limit', () => {
    const why = (request: Partial<QuoteRequest>) => refusal(request, offers).message;
    assert.match(why({ ...bid('500000'), offerIds: ['here:a'] }), /\(here:a\) takes no bids\.$/);
    assert.match(why({ ...bid('40000'), offerIds: ['here:spot'] }), /takes no bid under \$0\.05\/h\.$/);
    assert.match(why(bid('100000')), /\(here:spot\), costs \$0\.15\/h now, more than your bid\.$/);
    assert.match(
      why({ ...bid('200000'), maxNodePricePerHourMicroUsd: '160000' }),
      /^The bid of \$0\.20\/h is above the highest price that is accepted, \$0\.16\/h each\.$/,
    );
  });
});

describe('what is sold by terms', () => {
  const byTheHour = (change: Partial<Offer> = {}): Offer =>
    offer({
      id: 'here:ahead',
      pricePerHourMicroUsd: '420000',
      floorMicroUsd: '420000',
      termMs: HOUR_MS,
      dueNowMicroUsd: '420000',
      ...change,
    });
  const stopIn = (minutes: number, sold: Offer): number => {
    const stopAtMs = clock.now() + minutes * MINUTE_MS;
    const shown = quote({ stopAtMs }, [sold]).quote.caps.stopAtMs;
    return ((shown ?? Number.NaN) - clock.now()) / MINUTE_MS;
  };

  it('stops at the end of the last whole term before the time that was asked for, and inside the first as asked', () => {
    assert.deepEqual(
      [30, 60, 61, 119, 120, 150].map(minutes => stopIn(minutes, byTheHour())),
      [30, 60, 60, 60, 120, 120],
    );
    assert.equal(
      stopIn(150, byTheHour({ refundable: 'exact_after_floor' })),
      150,
      'what is not used comes back',
    );
    assert.equal(stopIn(150, offer({ id: 'here:use', pricePerHourMicroUsd: '420000' })), 150);
    assert.equal(quote({}, [byTheHour()]).quote.caps.stopAtMs, null);
  });

  it('is paid at once until the stop time, down to whole terms, and never above the spending limit', () => {
    const paid = (request: Partial<QuoteRequest>, change: Partial<Offer> = {}) => {
      const record = quote({ capMicroUsd: '5000000', ...request }, [byTheHour(change)]);
      const [candidate] = record.quote.candidates;
      assert.equal(candidate?.termMs, record.terms['here:ahead']?.termMs);
      return [
        (candidate?.termMs ?? 0) / MINUTE_MS,
        candidate?.floorMicroUsd,
        record.offers[0]?.dueNowMicroUsd,
      ];
    };
    const inMinutes = (minutes: number) => ({ stopAtMs: clock.now() + minutes * MINUTE_MS });
    assert.deepEqual(paid({}), [60, '420000', '420000']);
    assert.deepEqual(paid(inMinutes(30)), [60, '420000', '420000']);
    assert.deepEqual(paid(inMinutes(200)), [180, '1260000', '1260000']);
    assert.deepEqual(paid({ ...inMinutes(600), capMicroUsd: '1000000' }), [120, '840000', '840000']);
    assert.deepEqual(paid({ ...inMinutes(600), termMs: 4 * HOUR_MS }), [240, '1680000', '1680000']);
    assert.deepEqual(paid({ termMs: 100 * MINUTE_MS }), [60, '420000', '420000']);
    const back = { refundable: 'exact_after_floor', floorMicroUsd: '42000' } as const;
    assert.deepEqual(paid({ termMs: 2 * HOUR_MS }, back), [120, '42000', '840000']);
    const [line] = quote({ ...inMinutes(200), capMicroUsd: '5000000' }, [byTheHour()]).quote.lines.filter(
      each => each.startsWith('Paid ahead: '),
    );
    assert.match(line ?? '', /^Paid ahead: 3 h, \$1\.26 now, then 1 h at a time, not given back\. /);
  });

  it('is refused for longer than it runs, and where an offer is not sold for so long, with what it is sold for', () => {
    const byUse = offer({ id: 'here:use', pricePerHourMicroUsd: '420000' });
    const why = (request: Partial<QuoteRequest>, offers = [byTheHour(), byUse]) => refusal(request, offers);
    const late = why({ termMs: 5 * HOUR_MS, stopAtMs: clock.now() + 4 * HOUR_MS });
    assert.deepEqual([late.code, late.field], ['BAD_INPUT', 'termMs']);
    assert.match(late.message, /^5 h would be paid at once, and it stops in 4 h\.$/);
    assert.match(
      why({ termMs: HOUR_MS, offerIds: ['here:use'] }).message,
      /\(here:use\) costs as it is used: none of its time is paid ahead\.$/,
    );
    assert.match(
      why({ termMs: 30 * MINUTE_MS, offerIds: ['here:ahead'] }).message,
      /\(here:ahead\) is sold for 60 min at a time, not for 30 min\.$/,
    );
    assert.deepEqual(idsOf({ termMs: 2 * HOUR_MS, capMicroUsd: '5000000' }, [byUse, byTheHour()]), [
      'here:ahead',
    ]);
    assert.match(why({ termMs: HOUR_MS }, [byUse]).message, /costs as it is used/);
  });

  it('says that the stop time was moved, only where it was', () => {
    const said = (minutes: number) =>
      linesOf({ stopAtMs: clock.now() + minutes * MINUTE_MS }, [byTheHour()]).find(line =>
        line.startsWith('Paid ahead: '),
      );
    assert.match(
      said(150) ?? '',
      /It stops at \d\d:\d\d instead of \d\d:\d\d, with the last whole one before$/,
    );
    assert.match(said(120) ?? '', /to save and delete$/);
  });

  it('says what is paid ahead, what of it comes back, what is held and how sure the price is', () => {
    const of = (start: string, change: Partial<Offer>) =>
      linesOf({}, [byTheHour(change)]).filter(line => line.startsWith(start));
    assert.match(
      of('Paid ahead: ', {})[0] ?? '',
      /^Paid ahead: 1 h at a time \(\$0\.42 now\), not given back\. /,
    );
    assert.match(
      of('Paid ahead: ', { refundable: 'exact_after_floor' })[0] ?? '',
      /^Paid ahead: 1 h at a time \(\$0\.42 now\), what is not used comes back when it ends, but for what is paid in any case\. /,
    );
    assert.deepEqual(of('Deposit: ', {}), []);
    const held = { id: 'here:held', pricePerHourMicroUsd: '420000', dueNowMicroUsd: '5000000' };
    const deposit = linesOf({}, [offer({ ...held, refundable: 'deposit', basis: 'most' })]);
    assert.ok(
      deposit.includes(
        'Deposit: $5.00 leaves your account at once; what its hours do not use of it comes back when it ends',
      ),
    );
    assert.ok(deposit.some(line => line.startsWith('Ordered first: ')));
    assert.ok(!deposit.some(line => line.startsWith('Paid ahead: ')));
    assert.equal(of('Estimate: ', {}).length, 0);
    assert.equal(of('Estimate: ', { basis: 'estimate' }).length, 1);
  });
});
