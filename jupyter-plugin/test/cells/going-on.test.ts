import assert from 'node:assert/strict';
import type { Execution } from '@hitch/contract';
import { Cell, execution, scene, stream } from './scene.ts';

const ended = (more: Partial<Execution> = {}) =>
  execution({ state: 'ok', executionCount: 3, lastSeq: 10, outputs: [stream('all so far')], ...more });

const soon = () => new Promise(resolve => setImmediate(resolve));

describe('a cell whose threads and tasks go on to print when it is over', () => {
  it('shows that, whether it ended after the page came or before', async () => {
    const cell = new Cell('c1');
    const { talk, filler } = scene([cell], () => [execution({ outputs: [stream('a')] })]);
    await filler.fill();
    talk.says('status', { execution_state: 'idle' }, 11);
    talk.says('stream', { text: 'b' }, 12);
    talk.says('status', { execution_state: 'busy' }, 13);
    assert.deepEqual([cell.shown, cell.marked], ['ab', '3']);
    const other = new Cell('c1');
    const onAsk = (now: typeof talk) => now.says('stream', { text: '!' }, 11);
    const later = scene([other], () => [ended()], { onAsk });
    await later.filler.fill();
    later.talk.says('stream', { text: '?' }, 12);
    assert.deepEqual([other.shown, other.marked], ['all so far!?', '3']);
  });

  it('shows what was printed after the notebook had been saved with its count', async () => {
    const cell = new Cell('c1', 3);
    const { filler, asked } = scene([cell], () => [ended()], { savedSeq: 9 });
    await filler.fill();
    assert.deepEqual([cell.shown, asked], ['all so far', ['m1']]);
  });

  for (const [when, early] of [
    ['while the page asks what it lacks', true],
    ['after that', false],
  ] as const) {
    it(`is asked for whole, once, when it prints ${when} though the notebook was saved with all of it`, async () => {
      const cell = new Cell('c1', 3);
      const { talk, filler, asked } = scene([cell], () => [ended({ lastSeq: 11 })], { savedSeq: 11 });
      const print = () => {
        talk.says('stream', { text: 'here already' }, 11);
        talk.says('stream', { text: ' and more' }, 12);
      };
      const filled = filler.fill();
      if (early) {
        print();
        await filled;
      } else {
        await filled;
        assert.deepEqual(asked, []);
        print();
      }
      await soon();
      talk.says('stream', { text: ' and more' }, 13);
      assert.deepEqual([cell.shown, asked], ['all so far and more and more', ['m1']]);
    });
  }

  it('is found by its place where its file keeps no ids', async () => {
    const cells = [new Cell('new 1', 2, 'other'), new Cell('new 2', 3)];
    const before = [['old 1'], ['old 2']];
    let lastSeq = 10;
    const { talk, filler, asked } = scene(cells, () => [ended({ cellId: 'old 2', lastSeq })], {
      before,
      savedSeq: 10,
    });
    await filler.fill();
    assert.deepEqual(asked, []);
    lastSeq = 12;
    talk.says('stream', { text: ' in the answer' }, 12);
    talk.says('stream', { text: ' and more' }, 13);
    await soon();
    assert.deepEqual([cells[0]?.shown, cells[1]?.shown], ['', 'all so far and more']);
  });

  it('is left alone once this page has run it anew, and where its process is gone', async () => {
    for (const change of ['runs', 'dies'] as const) {
      const cell = new Cell('c1', 3);
      const { talk, filler } = scene([cell], () => [ended()], { savedSeq: 10 });
      await filler.fill();
      if (change === 'runs') {
        talk.runs('c1');
      } else {
        talk.die();
      }
      talk.says('stream', { text: 'late' }, 12);
      await soon();
      assert.equal(cell.future, null, change);
    }
  });
});
