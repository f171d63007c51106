import assert from 'node:assert/strict';
import { asWritten as t } from '../src/base/translate.ts';
import { hoursHelp, paidMs, sellsTime, usualHours } from '../src/rent/hours.ts';
import { firstChoices, quoteRequest, rentProblems, type RentChoices } from '../src/rent/rent-choices.ts';
import { MOMENT_MS, testOffer } from './support/offers.ts';

const HOUR_MS = 3_600_000;
const byTheHour = testOffer(0, {
  pricePerHourMicroUsd: '600000',
  nonRefundableMicroUsd: '0',
  termMs: HOUR_MS,
  floorMicroUsd: '600000',
  dueNowMicroUsd: '600000',
  refundable: 'exact_after_floor',
  stock: 4,
  multiNode: true,
});
const byUse = testOffer(1, { stock: 4 });
const context = (offers = [byTheHour]) => ({
  offers,
  filter: {},
  takenNames: [],
  templates: [],
  nowMs: MOMENT_MS,
  t,
});
const choices = (change: Partial<RentChoices> = {}): RentChoices => ({
  ...firstChoices({ capMicroUsd: '5000000' }, 1),
  ...change,
});

describe('hours paid ahead in the rent form', () => {
  it('are asked for only where an offer is sold so', () => {
    assert.equal(sellsTime([byUse]), false);
    assert.equal(sellsTime([byUse, byTheHour]), true);
    assert.equal(paidMs(choices({ hours: '3' }), [byUse]), null);
    assert.equal(quoteRequest(choices({ hours: '3' }), context([byUse])).termMs, null);
  });

  it('are paid until the stop time in whole terms within the limit, unless a person says how many', () => {
    assert.equal(usualHours(choices(), context()), '4');
    assert.equal(usualHours(choices({ stop: '8' }), context()), '8');
    assert.equal(usualHours(choices({ stop: '8', cap: '2' }), context()), '3');
    assert.equal(usualHours(choices({ stop: 'none' }), context()), '1');
    assert.equal(quoteRequest(choices(), context()).termMs, null);
    assert.equal(quoteRequest(choices({ hours: '3' }), context()).termMs, 3 * HOUR_MS);
  });

  it('say what is paid now and what of it comes back, for all machines', () => {
    assert.equal(
      hoursHelp(choices(), context()),
      '4 h: $2.40 now; what is not used comes back, but for $0.60. Sold for 1 h at a time. Empty: until it stops',
    );
    assert.equal(
      hoursHelp(choices({ hours: '2', nodes: '2' }), context()),
      '2 h: $2.40 now; what is not used comes back, but for $1.20. Sold for 1 h at a time',
    );
    const { refundable: _, ...kept } = byTheHour;
    assert.match(hoursHelp(choices(), context([kept])), /^4 h: \$2\.40 now; not given back\./);
  });

  it('are refused with a sentence where they are none, too few, or more than it runs', () => {
    const problem = (hours: string, change: Partial<RentChoices> = {}) =>
      rentProblems(choices({ hours, ...change }), context()).termMs;
    for (const wrong of ['none', '0', '0.5', '-1', '99999']) {
      assert.match(
        problem(wrong) ?? '',
        /^Hours paid ahead: enter a number from 1 to 8784, or leave it empty/,
        wrong,
      );
    }
    assert.match(problem('5') ?? '', /^5 h would be paid ahead, and it stops before: enter less/);
    assert.equal(problem('5', { stop: 'none' }), undefined);
    assert.equal(problem(''), undefined);
    assert.equal(rentProblems(choices({ hours: 'x' }), context([byUse])).termMs, undefined);
  });
});
