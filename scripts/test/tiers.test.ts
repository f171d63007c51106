import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dealt, inLanes } from './run-tier.ts';
import { add, emptySummary, timed, totalsLine, withFailure } from './summary.ts';
import { alone, isNightly, tierOf } from './tiers.ts';

describe('the tiers', () => {
  it('take a word before .test.ts over a folder, and the nearest folder over a farther one', () => {
    assert.equal(tierOf('backend-proxy/test/money.test.ts'), 'unit');
    assert.equal(tierOf('backend-proxy/test/relay.engine.test.ts'), 'engine');
    assert.equal(tierOf('test/chaos/kills.test.ts'), 'chaos');
    assert.equal(tierOf('test/chaos/seed.unit.test.ts'), 'unit');
    assert.equal(tierOf('test/chaos/contract/store.test.ts'), 'contract');
    assert.equal(tierOf('test\\engine\\ray.test.ts'), 'engine');
  });

  it('leave to the night what says so, whatever its tier', () => {
    const long = 'test/e2e/saves.nightly.engine.test.ts';
    assert.equal(isNightly(long), true);
    assert.equal(tierOf(long), 'engine');
    assert.equal(isNightly('test/seed.nightly.test.ts'), true);
    assert.equal(isNightly('test/nightly/saves.engine.test.ts'), false);
  });

  it('name files that are there where they let a file run alone', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    assert.deepEqual(
      Object.keys(alone).filter(file => !existsSync(root + file)),
      [],
    );
  });

  it('leave a word that is no tier alone', () => {
    assert.equal(tierOf('shared/contract/test/money.property.test.ts'), 'unit');
  });
});

describe('lanes', () => {
  it('have at most so many jobs under way at once, and do each once', async () => {
    let underWay = 0;
    let most = 0;
    const jobs = [1, 2, 3, 4, 5].map(n => async () => {
      most = Math.max(most, (underWay += 1));
      await new Promise(setImmediate);
      underWay -= 1;
      return n;
    });
    assert.deepEqual((await inLanes(2, jobs)).sort(), [1, 2, 3, 4, 5]);
    assert.equal(most, 2);
  });
});

describe('files that share a process', () => {
  it('are dealt out one by one, each to one part, and no part is empty', () => {
    assert.deepEqual(dealt(['a', 'b', 'c', 'd', 'e'], 2), [
      ['a', 'c', 'e'],
      ['b', 'd'],
    ]);
    assert.deepEqual(dealt(['a'], 2), [['a']]);
    assert.deepEqual(dealt([], 2), []);
  });
});

describe('the totals', () => {
  it('add up what every runner reported', () => {
    const left = withFailure({ ...emptySummary, passed: 2 }, 'a.test.ts', 'breaks', 'because');
    const right = timed({ ...emptySummary, passed: 1, skipped: 3 }, 'b.test.ts', 1_500);
    const sum = add(left, right);
    assert.equal(totalsLine(sum), '3 passed, 1 failed, 3 skipped');
    assert.deepEqual(sum.files, [{ title: 'b.test.ts', durationMs: 1_500 }]);
  });
});
