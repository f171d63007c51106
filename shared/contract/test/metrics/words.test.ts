/** A figure in a line. */
import assert from 'node:assert/strict';
import { course, glanceWords } from '../../src/metrics/words.ts';

describe('A figure in a line', () => {
  it('shows its course from the lowest to the highest, in a few characters', () => {
    assert.equal(course([3, 2, 1]), '█▅▁');
    assert.equal(course([1, 1]), '▄▄');
    assert.equal(course([1]), '');
    const long = course(Array.from({ length: 64 }, (_, at) => at));
    assert.equal(long.length, 12);
    assert.ok(long.startsWith('▁') && long.endsWith('█'));
  });

  it('says its last value, and its step where there is one', () => {
    const glance = { name: 'loss', last: 0.123456, step: 40, values: [] };
    assert.equal(glanceWords(glance), 'loss 0.1235 at step 40');
    assert.equal(glanceWords({ ...glance, last: null, step: null }), 'loss –');
  });
});
