import assert from 'node:assert/strict';
import { extendLines, type Offer, type Quote, termLine, type Usage } from '../src/index.ts';
import { at, NOW } from './support/moment.ts';

const HOUR_MS = 3_600_000;

describe('what an extension buys of time that is sold ahead', () => {
  type Term = NonNullable<Usage['terms']>[number];
  const term = (change: Partial<Term> = {}): Term => ({
    nodeId: 'nod_01KAABCDEFGHJKMNPQRSTVWXYZ' as Term['nodeId'],
    termMs: HOUR_MS,
    endsAtMs: at(18, 0),
    costMicroUsd: '900000',
    comesBack: false,
    ...change,
  });
  const lines = (
    terms: readonly Term[] | undefined,
    change: Parameters<typeof extendLines>[1],
    cap = '9000000',
  ) =>
    extendLines(
      {
        usage: { committedMicroUsd: '1000000', ...(terms === undefined ? {} : { terms }) } as Usage,
        caps: { totalMicroUsd: cap, stopAtMs: at(18, 0), idleMs: null },
      },
      change,
      NOW,
    );

  it('is nothing where time costs as it is used, and nothing more while what is paid lasts', () => {
    assert.deepEqual(lines(undefined, { stopAtMs: at(20, 0) }), []);
    assert.deepEqual(lines([term()], { capMicroUsd: '10000000' }), [
      'Paid ahead until 18:00, 1 h at a time: no more is bought for this',
    ]);
  });

  it('is whole terms, each with its price and when it is paid', () => {
    assert.deepEqual(lines([term()], { stopAtMs: at(20, 0) }), [
      'Paid ahead until 18:00, 1 h at a time: 2 h more are bought before that ends, $0.90 each, $1.80 in all, until 20:00; nothing is paid now',
    ]);
    assert.deepEqual(lines([term({ endsAtMs: at(14, 20) })], { stopAtMs: at(15, 20) }), [
      'Paid ahead until 14:20, 1 h at a time: 1 h more is bought before that ends, $0.90 each, $0.90 in all, until 15:20; the first is paid within minutes',
    ]);
  });

  it('says what becomes of the rest of the last one, and whether the spending limit allows all', () => {
    const [line = ''] = lines([term()], { stopAtMs: at(19, 30) });
    assert.match(
      line,
      /until 20:00; nothing is paid now; it stops at 19:30, and the rest is not given back$/,
    );
    const [back = ''] = lines([term({ comesBack: true })], { stopAtMs: at(19, 30) }, '1500000');
    assert.match(back, /and the rest comes back$/);
    const [short = ''] = lines([term()], { stopAtMs: at(20, 0) }, '1500000');
    assert.match(short, /nothing is paid now\. The spending limit does not allow all of it: raise it too$/);
    assert.match(
      lines([term()], { stopAtMs: null })[0] ?? '',
      /\$0\.90 each, as long as the spending limit allows/,
    );
  });

  it('is said of machines apart whose times differ', () => {
    const said = lines([term(), term(), term({ termMs: 24 * HOUR_MS, costMicroUsd: '20000000' })], {
      stopAtMs: at(19, 0),
    });
    assert.equal(said.length, 2);
    assert.match(
      said[0] ?? '',
      /^Paid ahead until 18:00 for 2 machines, 1 h at a time: 1 h more .* \$1\.80 each/,
    );
    assert.match(said[1] ?? '', /^Paid ahead until 18:00 for 1 machine, 24 h at a time: 24 h more/);
  });
});

describe('what a rental pays ahead', () => {
  const offer = (change: Partial<Offer>) =>
    ({ id: 'a:1', pricePerHourMicroUsd: '420000', termMs: HOUR_MS, ...change }) as Offer;
  const quote = {
    candidates: [],
    createdAtMs: NOW,
    caps: { totalMicroUsd: '2000000', stopAtMs: at(15, 35), idleMs: null },
  } satisfies Pick<Quote, 'candidates' | 'createdAtMs' | 'caps'>;

  it('says to which hour a stop time was moved', () => {
    assert.match(
      termLine(quote, [offer({})], at(16, 0))[0] ?? '',
      /It stops at 15:35 instead of 16:00, with the last whole one before$/,
    );
  });

  it('says of machines with different terms until when each is paid', () => {
    const mixed = termLine(quote, [offer({}), offer({}), offer({ termMs: 2 * HOUR_MS })], at(15, 35));
    assert.match(
      mixed[0] ?? '',
      /It stops at 15:35; in whole terms it is paid for longer: 2 machines by 1 h, until 16:05; 1 machine by 2 h, until 16:05$/,
    );
  });
});
