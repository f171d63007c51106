import assert from 'node:assert/strict';
import { add, emptySummary, totalsLine, withFailure } from './summary.ts';
import { tierOf } from './tiers.ts';

describe('the tiers', () => {
  it('take a word before .test.ts over a folder, and the nearest folder over a farther one', () => {
    assert.equal(tierOf('backend-proxy/test/money.test.ts'), 'unit');
    assert.equal(tierOf('backend-proxy/test/relay.engine.test.ts'), 'engine');
    assert.equal(tierOf('test/chaos/kills.test.ts'), 'chaos');
    assert.equal(tierOf('test/chaos/seed.unit.test.ts'), 'unit');
    assert.equal(tierOf('test/chaos/contract/store.test.ts'), 'contract');
    assert.equal(tierOf('test\\engine\\ray.test.ts'), 'engine');
  });

  it('leave a word that is no tier alone', () => {
    assert.equal(tierOf('shared/contract/test/money.property.test.ts'), 'unit');
  });
});

describe('the totals', () => {
  it('add up what every runner reported', () => {
    const left = withFailure({ ...emptySummary, passed: 2 }, 'a.test.ts', 'breaks', 'because');
    const sum = add(left, { ...emptySummary, passed: 1, skipped: 3 });
    assert.equal(totalsLine(sum), '3 passed, 1 failed, 3 skipped');
  });
});
