/** What a run of a template begins with, and what its quote is asked for with. */
import assert from 'node:assert/strict';
import { jobQuoteRequestSchema, type OfferFilter } from '@hitch/contract';
import { firstRunLimits, templateJobRequest } from '../../src/templates/run-wish.ts';

const HOUR_MS = 3_600_000;
const WISH = {
  filter: { minRamMiB: 2048, markets: ['on_demand', 'spot'], orNotStated: true } satisfies OfferFilter,
  nodes: 1,
  capMicroUsd: '1000000',
  maxNodePricePerHourMicroUsd: null,
  timeMs: HOUR_MS,
  idleMs: null,
  save: ['out'],
  secrets: [],
};
const OWN = {
  practice: 'only',
  markets: ['on_demand'],
  trusts: ['verified'],
  minGpuCount: 1,
  minVramMiB: 24_000,
  minDownMbps: 200,
} satisfies OfferFilter;
const LIMITS = { capMicroUsd: '1000000', timeMs: HOUR_MS, practice: false };

function rentOf(limits: typeof LIMITS, own: OfferFilter = OWN) {
  const asked = templateJobRequest(
    { template: 'numpy', preset: null, values: { steps: '40' }, limits },
    { own, wish: WISH, nowMs: 5_000 },
  );
  return jobQuoteRequestSchema.parse(asked);
}

describe('what a run of a template begins with', () => {
  it('is the lower of the template’s limits and the person’s', () => {
    const own = { capMicroUsd: '2000000', timeMs: 4 * HOUR_MS, practice: true };
    assert.deepEqual(firstRunLimits(own, WISH), { capMicroUsd: '1000000', timeMs: HOUR_MS, practice: true });
    const low = { capMicroUsd: '500000', timeMs: 60_000, practice: false };
    assert.deepEqual(firstRunLimits(low, WISH), low);
    assert.deepEqual(firstRunLimits(own, { ...WISH, capMicroUsd: null, timeMs: null }), own);
  });

  it('leaves the machine to the template, and keeps the rest of the person’s filter', () => {
    const { rent, work } = rentOf(LIMITS);
    // The daemon adds what the template asks for to this; what is said here would win over it.
    assert.deepEqual(rent.filter, { trusts: ['verified'], minDownMbps: 200, practice: 'exclude' });
    assert.equal(rent.capMicroUsd, '1000000');
    assert.equal(rent.stopAtMs, 5_000 + HOUR_MS);
    assert.deepEqual(work, { kind: 'template', template: 'numpy', values: { steps: '40' } });
  });

  it('takes any practice machine for practice', () => {
    assert.deepEqual(rentOf({ ...LIMITS, practice: true }).rent.filter, { practice: 'only' });
  });
});
