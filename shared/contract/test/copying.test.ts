import assert from 'node:assert/strict';
import { freePath, moveAll, type PlannedFile, settleFiles } from '../src/copying.ts';

const file = (to: string, inTheWay = false): PlannedFile => ({ from: to, to, sizeBytes: 10, inTheWay });

describe('files that stand in the way of a copy', () => {
  it('give way by a number, on either side', () => {
    assert.equal(
      freePath('d/x.tar.gz', path => path === 'd/x.tar-1.gz'),
      'd/x.tar-2.gz',
    );
    assert.equal(
      freePath('.env', () => false),
      '.env-1',
    );
    assert.equal(
      freePath('C:\\data.d\\x', () => false),
      'C:\\data.d\\x-1',
    );
  });

  it('are skipped, replaced or kept, and nothing that stands there is replaced unasked', () => {
    const files = [file('x.csv', true), file('x-1.csv'), file('y.csv')];
    const targets = (settled: readonly PlannedFile[]) => settled.map(({ to }) => to);
    assert.deepEqual(targets(settleFiles(files, 'skip', () => false)), ['x-1.csv', 'y.csv']);
    assert.equal(
      settleFiles(files, 'replace', () => false),
      files,
    );
    const kept = settleFiles(files, 'keep-both', target => target === 'x-2.csv');
    assert.deepEqual(targets(kept), ['x-3.csv', 'x-1.csv', 'y.csv']);
    assert.ok(!kept.some(({ inTheWay }) => inTheWay));
  });
});

describe('a copy of many files', () => {
  it('adds up, and ends all at the first failure', async () => {
    const files = [1, 2, 3, 4, 5].map(number => ({
      from: number.toString(),
      to: '',
      sizeBytes: 10,
      inTheWay: false,
    }));
    let last = { doneFiles: 0, doneBytes: 0 };
    const signal = new AbortController().signal;
    await moveAll(
      files,
      signal,
      async (_file, _signal, progress) => {
        progress(4);
      },
      moved => (last = moved),
    );
    assert.deepEqual(last, { doneFiles: 5, doneBytes: 50 });
    const started: string[] = [];
    const failing = moveAll(
      files,
      signal,
      async ({ from }) => {
        started.push(from);
        if (from === '2') throw new Error('the disk is full');
        await new Promise(resolve => setImmediate(resolve));
      },
      () => undefined,
      2,
    );
    await assert.rejects(failing, /the disk is full/);
    assert.deepEqual(started, ['1', '2']);
  });
});
