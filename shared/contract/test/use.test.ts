import assert from 'node:assert/strict';
import { lastValue, NO_USE, withPage } from '../src/use/gather.ts';
import type { UseName, UsePage } from '../src/use/wire.ts';
import { nowWords, ownersNow, seriesWords, useOfText } from '../src/use/words.ts';

const CPU: UseName = { of: 'machine', id: '', name: '', kind: 'cpu', most: 100 };
const MEMORY: UseName = { of: 'machine', id: '', name: '', kind: 'memory', most: 65_536 };
const BUSY: UseName = { of: 'gpu', id: '0', name: 'RTX 4090', kind: 'busy', most: 100 };
const VRAM: UseName = { ...BUSY, kind: 'vram', most: 24_576 };
const WATT: UseName = { ...BUSY, kind: 'power', most: null };
const KERNEL: UseName = { of: 'kernel', id: 'a', name: 'train.ipynb', kind: 'memory', most: null };

const page = (timesMs: number[], series: UsePage['series']): UsePage => ({ timesMs, series, more: false });

describe('A machine’s use', () => {
  it('is put together of pages, each series in its place', () => {
    const one = withPage(NO_USE, page([1, 2], [{ ...CPU, values: [10, 20] }]));
    const two = withPage(
      one,
      page(
        [2, 3],
        [
          { ...KERNEL, values: [5, 6] },
          { ...CPU, values: [20, 30] },
        ],
      ),
    );
    assert.deepEqual(two.timesMs, [1, 2, 3]);
    assert.deepEqual(two.series, [
      { ...CPU, values: [10, 20, 30] },
      { ...KERNEL, values: [null, null, 6] },
    ]);
  });

  it('forgets what is too old, and series that have nothing left', () => {
    const held = page(
      [1, 2, 3],
      [
        { ...CPU, values: [1, 2, 3] },
        { ...KERNEL, values: [9, null, null] },
      ],
    );
    const next = withPage(held, page([4], [{ ...CPU, values: [4] }]), 2);
    assert.deepEqual(next, page([2, 3, 4], [{ ...CPU, values: [2, 3, 4] }]));
  });

  it('of a long life is held in no more places than a screen has', () => {
    let held: UsePage = NO_USE;
    for (let from = 0; from < 20_000; from += 1_000) {
      const timesMs = Array.from({ length: 1_000 }, (_, at) => from + at + 1);
      held = withPage(held, page(timesMs, [{ ...CPU, values: timesMs }]));
    }
    assert.ok(held.timesMs.length <= 3_600, held.timesMs.length.toString());
    assert.equal(held.timesMs.at(-1), 20_000);
    assert.deepEqual(held.series[0]?.values, held.timesMs);
  });

  it('is said in words', () => {
    const now = page(
      [1],
      [
        { ...CPU, values: [34.4] },
        { ...MEMORY, values: [4_300] },
        { ...BUSY, values: [97] },
        { ...VRAM, values: [512] },
        { ...WATT, values: [null] },
        { ...KERNEL, values: [900] },
        { ...KERNEL, kind: 'vram', values: [400] },
      ],
    );
    assert.equal(nowWords(now), 'CPU 34 %, memory 4.2 GB of 64.0 GB; GPU 0 97 %, 512 MB of 24.0 GB');
    assert.deepEqual(ownersNow(now), [{ owner: 'kernel train.ipynb', cpu: null, memory: 900, vram: 400 }]);
    assert.deepEqual([CPU, BUSY, VRAM, WATT, KERNEL].map(seriesWords), [
      'CPU',
      'GPU 0',
      'GPU 0 memory',
      'GPU 0 power',
      'kernel train.ipynb memory',
    ]);
    assert.equal(useOfText(WATT, 412.4), '412 W');
    assert.equal(useOfText({ ...CPU, kind: 'received', most: null }, 1_234_567), '1.2 MB/s');
    assert.equal(lastValue({ values: [3, null] }), 3);
  });
});
