import assert from 'node:assert/strict';
import type { UseName, UsePage } from '@hitch/contract/src/use/wire.ts';
import { glanceValues, momentAt, ranAt } from '../src/use/at-moment.ts';

const CPU: UseName = { of: 'machine', id: '', name: '', kind: 'cpu', most: 100 };
const busy = (id: string): UseName => ({ of: 'gpu', id, name: 'A100', kind: 'busy', most: 100 });
const NOON = new Date(2026, 10, 30, 12, 0, 5).getTime();
const ran = (executionCount: number, startedAtMs: number | null, endedAtMs: number | null) => ({
  ...{ executionCount, startedAtMs, endedAtMs },
});

describe('The small plot of a notebook’s machine', () => {
  const page: UsePage = {
    timesMs: [NOON, NOON + 2_000],
    series: [
      { ...CPU, values: [10, 20] },
      { ...busy('0'), values: [50, 90] },
      { ...busy('1'), values: [100, null] },
    ],
    more: false,
  };

  it('draws the GPUs as one, and the processor where there is none', () => {
    assert.deepEqual(glanceValues(page), [75, 90]);
    assert.deepEqual(glanceValues({ ...page, series: page.series.slice(0, 1) }), [10, 20]);
    assert.deepEqual(glanceValues({ ...page, series: [] }), [null, null]);
  });

  it('says what was at a moment, and which cell ran then', () => {
    const executions = [ran(3, NOON - 5_000, NOON + 1_000), ran(4, NOON + 1_500, null), ran(5, null, null)];
    assert.deepEqual(momentAt(page, executions, 0), {
      time: '12:00:05',
      figures: 'CPU 10 %; GPU 0 50 %; GPU 1 100 %',
      cell: 3,
    });
    assert.equal(momentAt(page, executions, 1)?.cell, 4);
    assert.equal(ranAt(executions, NOON + 1_200), null);
    assert.equal(momentAt(page, executions, 7), null);
  });
});
