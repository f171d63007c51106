import assert from 'node:assert/strict';
import type { Execution } from '@hitch/contract';
import { Cell, execution, scene, stream } from './scene.ts';

describe('a cell that has another id than in the page before', () => {
  const ran = (messageId: string, cellId: string, more: Partial<Execution> = {}) =>
    execution({ messageId, cellId, outputs: [stream(messageId)], ...more });
  const shown = (cells: readonly Cell[]) => cells.map(cell => cell.shown);

  it('is found by its place and source, also among twins', async () => {
    const cells = [new Cell('new 1'), new Cell('new 2', null, 'other'), new Cell('new 3')];
    const executions = [
      ran('third', 'old 3'),
      ran('first', 'old 1'),
      ran('second', 'old 2', { code: 'other' }),
    ];
    const before = [['old 1'], ['old 2'], ['old 3']];
    const { talk, filler, placed } = scene(cells, () => executions, { before });
    await filler.fill();
    assert.deepEqual(shown(cells), ['first', 'second', 'third']);
    assert.deepEqual(placed.sort(), [
      ['new 1', 'old 1'],
      ['new 2', 'old 2'],
      ['new 3', 'old 3'],
    ]);
    talk.says('stream', { text: ' goes on' }, 40, 'third');
    assert.equal(cells[2]?.shown, 'third goes on');
  });

  it('is found after others were put before it, and after two pages', async () => {
    const cells = [new Cell('new 0', null, 'put in'), new Cell('new 1'), new Cell('new 2')];
    const before = [['page 2, 1'], ['page 2, 2', 'page 1, 2']];
    const { filler } = scene(cells, () => [ran('second', 'page 1, 2')], { before });
    await filler.fill();
    assert.deepEqual(shown(cells), ['', 'second', '']);
  });

  it('has what it ran last, under whichever id; what it ran before goes to no twin', async () => {
    const cells = [new Cell('A3'), new Cell('B3')];
    const executions = [ran('E1', 'A1'), ran('E2', 'A2')];
    const { filler, asked } = scene(cells, () => executions, { before: [['A2', 'A1'], ['B2']] });
    await filler.fill();
    assert.deepEqual([shown(cells), asked], [['E2', ''], ['E2']]);
  });

  it('keeps what it has when the next one has to be asked for again', async () => {
    const cells = [new Cell('new 1', 3), new Cell('new 2'), new Cell('new 3', null, 'other')];
    const executions = [
      ran('other', 'old 3', { code: 'other' }),
      ran('its', 'old 1', { state: 'ok', executionCount: 3 }),
    ];
    let faults = 1;
    const { filler, asked } = scene(cells, () => executions, {
      before: [['old 1'], ['old 2'], ['old 3']],
      onAsk: () => {
        if (asked.at(-1) === 'other' && faults-- > 0) {
          throw new Error('The cluster does not answer.');
        }
      },
    });
    await filler.fill();
    assert.deepEqual(
      [shown(cells), asked],
      [
        ['', '', 'other'],
        ['its', 'other', 'other'],
      ],
    );
  });

  it('is found by its source alone where nobody has noted its place', async () => {
    const cells = [new Cell('new 1'), new Cell('new 2'), new Cell('new 3', null, 'other')];
    const executions = [
      ran('older', 'page 0', { state: 'ok', lastSeq: 5 }),
      ran('first', 'page 1, 1'),
      ran('second', 'page 1, 2'),
      ran('edited since', 'page 1, 3', { code: 'was other' }),
    ];
    const { filler } = scene(cells, () => executions, { before: [], savedSeq: 7 });
    await filler.fill();
    assert.deepEqual(shown(cells), ['first', 'second', '']);
  });

  it('is no cell that has kept its id, and none that shows the execution as it was saved', async () => {
    const kept = [new Cell('same'), new Cell('new', 3)];
    const before = [['same'], ['gone']];
    const { filler, asked } = scene(kept, () => [ran('its', 'gone', { state: 'ok', executionCount: 3 })], {
      before,
    });
    await filler.fill();
    assert.deepEqual(asked, ['its']);
    assert.equal(kept[1]?.future, null);
    const { filler: other } = scene([new Cell('same')], () => [ran('deleted', 'gone')], { before });
    await other.fill();
    assert.deepEqual(shown(kept), ['', '']);
  });
});
