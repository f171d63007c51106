import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MOST_USE_FIGURES, type UseName } from '@hitch/contract/src/use/wire.ts';
import { UseLog } from '../../../src/agent/use/use-log.ts';

const CPU: UseName = { of: 'machine', id: '', name: '', kind: 'cpu', most: 100 };
const KERNEL: UseName = { of: 'kernel', id: 'a', name: 'a.ipynb', kind: 'memory', most: null };

describe('The log of a machine’s use', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-use-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (fileMs = 10_000, keptMs = 20_000): UseLog =>
    new UseLog({ folder, name: 'fine', fileMs, keptMs });
  const all = { afterMs: 0, most: 1_800 };

  it('answers what it was given, and a series that came later without values before', () => {
    const log = open();
    log.add({ atMs: 1_000, names: [CPU], values: [12.345] });
    log.add({ atMs: 3_000, names: [CPU, KERNEL], values: [null, 512.4] });
    log.add({ atMs: 5_000, names: [CPU], values: [7] });
    assert.deepEqual(log.page(all), {
      timesMs: [1_000, 3_000, 5_000],
      series: [
        { ...CPU, values: [12.3, null, 7] },
        { ...KERNEL, values: [null, 512, null] },
      ],
      more: false,
    });
  });

  it('answers page by page what came after a moment', () => {
    const log = open(4_000, 60_000);
    for (let atMs = 1_000; atMs <= 20_000; atMs += 1_000) {
      log.add({ atMs, names: [CPU], values: [atMs / 1_000] });
    }
    const seen: number[] = [];
    for (let more = true; more;) {
      const page = log.page({ afterMs: seen.at(-1) ?? 0, most: 7 });
      seen.push(...page.timesMs);
      more = page.more;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, at) => (at + 1) * 1_000),
    );
    assert.deepEqual(log.page({ afterMs: 20_000, most: 7 }), { timesMs: [], series: [], more: false });
  });

  it('holds fewer samples in a page where there are many series', () => {
    const log = open(1_000_000, 1_000_000);
    const names = Array.from({ length: 400 }, (_, at) => ({ ...KERNEL, id: at.toString() }));
    const values = names.map(() => 1);
    for (let at = 1; at <= 100; at++) {
      log.add({ atMs: at * 2_000, names, values });
    }
    const page = log.page(all);
    assert.equal(page.timesMs.length, MOST_USE_FIGURES / 400);
    assert.ok(page.more);
  });

  it('goes on after a program that was killed in the middle of a line', () => {
    open().add({ atMs: 1_000, names: [CPU], values: [1] });
    const [file = ''] = readdirSync(folder);
    appendFileSync(join(folder, file), '[3000,4');
    const next = open();
    assert.equal(next.lastMs, 1_000);
    next.add({ atMs: 5_000, names: [CPU], values: [2] });
    assert.deepEqual(next.page(all).timesMs, [1_000, 5_000]);
    assert.deepEqual(open().page(all).series[0]?.values, [1, 2]);
  });

  it('leaves out lines that are damaged, and reads the others', () => {
    const log = open();
    log.add({ atMs: 1_000, names: [CPU], values: [1] });
    log.add({ atMs: 2_000, names: [CPU], values: [2] });
    const [file = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, file), 'utf8').replace(
      '[1000,1]',
      '[1000,"x"]\n[1500,1,2]\n\u0000',
    );
    writeFileSync(join(folder, file), text);
    assert.deepEqual(open().page(all).timesMs, [2_000]);
  });

  it('keeps what it is to keep, and lets older files go', () => {
    const log = open();
    for (let atMs = 1_000; atMs <= 100_000; atMs += 1_000) {
      log.add({ atMs, names: [CPU], values: [1] });
    }
    const { timesMs } = log.page(all);
    assert.ok((timesMs[0] ?? 0) <= 80_000, 'all of the time that is kept is there');
    assert.ok((timesMs[0] ?? 0) > 60_000, 'and no more than a file before it');
    assert.ok(readdirSync(folder).length <= 4);
  });

  it('never goes back in time', () => {
    const log = open();
    log.add({ atMs: 5_000, names: [CPU], values: [1] });
    log.add({ atMs: 2_000, names: [CPU], values: [2] });
    assert.deepEqual(log.page(all).timesMs, [5_000, 5_001]);
  });
});
