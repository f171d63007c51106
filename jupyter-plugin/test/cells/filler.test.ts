import assert from 'node:assert/strict';
import { type Execution, MOST_SAID } from '@hitch/contract';
import { KernelMessage } from '@jupyterlab/services';
import { Filler } from '../../src/cells/filler.ts';
import { lacking } from '../../src/cells/which.ts';
import { alone, Cell, EPOCH, execution, placeWith, scene, stream, Talk } from './scene.ts';

describe('a cell that runs while its page is loaded again', () => {
  it('shows what was printed before, then what comes, each once and in order', async () => {
    const cell = new Cell('c1');
    const onAsk = (talk: Talk) => {
      talk.says('stream', { text: 'b' }, 10);
      talk.says('stream', { text: 'c' }, 11);
    };
    const { talk, filler } = scene([cell], () => [execution({ outputs: [stream('ab')] })], { onAsk });
    talk.says('stream', { text: 'a' }, 9);
    await filler.fill();
    assert.equal(cell.shown, 'abc');
    assert.equal(cell.marked, '*');
    talk.says('stream', { text: 'd' }, 12);
    talk.says('stream', { text: 'somebody else' }, 13, 'm2');
    talk.says('status', { execution_state: 'idle' }, 14);
    assert.equal(cell.shown, 'abcd');
    assert.equal(cell.marked, '3');
    assert.deepEqual(filler.seen, { epoch: EPOCH, seq: 14 });
  });

  it('shows every page of a long output, then what comes, each once and in order', async () => {
    const cell = new Cell('c1');
    const parts = ['ab', 'cd', 'ef'];
    const froms: (string | undefined)[] = [];
    const talk = new Talk();
    const filler = new Filler({
      kernel: talk.kernel,
      journal: talk.journal,
      ask: query => {
        if (!('messageId' in query)) {
          return Promise.resolve([execution({})]);
        }
        froms.push(query.from);
        const page = froms.length;
        talk.says('stream', { text: page.toString() }, 10 + page);
        const next = page < parts.length ? { next: `10:${page.toString()}:0:0` } : {};
        return Promise.resolve([execution({ outputs: [stream(parts[page - 1] ?? '')], ...next })]);
      },
      askPlace: () => Promise.resolve(placeWith([])),
      cells: () => [cell],
      savedAt: null,
      ...alone,
      pause: () => new Promise(resolve => setImmediate(resolve)),
    });
    await filler.fill();
    assert.deepEqual(froms, [undefined, '10:1:0:0', '10:2:0:0']);
    assert.equal(cell.shown, 'abcdef123');
  });

  it('says so where the cluster has forgotten what a cell printed, and not of cells that never ran', async () => {
    const known = () => [execution({ state: 'ok', executionCount: 3 })];
    const neverRan = new Cell('c2');
    const full = Array.from({ length: MOST_SAID.forgottenCells }, (_, n) => `gone-${n.toString()}`);
    for (const [cells, forgotten, before, said] of [
      [[new Cell('c1', 3), new Cell('c3', 1), neverRan], ['c3'], null, [12]],
      [[new Cell('c1', 3), neverRan], ['of another notebook'], null, []],
      [[new Cell('c1', 3), neverRan], [], null, []],
      // A cell that was run under an earlier id, and cells whose ids are all others.
      [[new Cell('c1', 3), neverRan], ['c2-before'], [['c1'], ['c2', 'c2-before']], [12]],
      [[new Cell('d1'), new Cell('d2')], ['c2'], [['c1'], ['c2']], [12]],
      [[new Cell('d1'), new Cell('d2')], ['of another notebook'], [['c1'], ['c2']], []],
      [[new Cell('d1', null, 'other()')], ['c2'], [], [12]],
      // The list has no room for more: it is not known any better.
      [[new Cell('c1', 3), neverRan], full, null, [12 * full.length]],
      [[new Cell('c1', 3)], full, null, []],
    ] as const) {
      const { filler, unknown } = scene(cells, known, { forgotten, ...(before === null ? {} : { before }) });
      await filler.fill();
      assert.deepEqual(unknown, said, JSON.stringify([cells.map(({ id }) => id), forgotten.slice(0, 3)]));
    }
  });

  it('says so where a cluster always has another page', async () => {
    const cell = new Cell('c1');
    const endless = () => [execution({ outputs: [stream('a')], next: '1:1:1:1' })];
    const { filler } = scene([cell], endless);
    await filler.fill();
    assert.match(cell.shown, /^a{200}\[Hitch\] The rest of the output is not shown/);
  });

  it('learns its count from the kernel, and is over when the process ends', async () => {
    const cell = new Cell('c1');
    const queued = execution({ state: 'queued', executionCount: null });
    const { talk, filler } = scene([cell], () => [queued]);
    await filler.fill();
    assert.equal(cell.marked, '*');
    talk.says('execute_input', { execution_count: 7 }, 20);
    talk.die();
    assert.equal(cell.marked, '7');
    talk.says('stream', { text: 'too late' }, 21);
    assert.equal(cell.shown, '');
  });

  it('is asked the question that its kernel waits with, and answers it', async () => {
    const cell = new Cell('c1');
    const { talk, filler } = scene([cell], () => [execution({ lastSeq: 30 })]);
    talk.says('input_request', { prompt: 'name? ', password: false }, 30);
    await filler.fill();
    assert.deepEqual(cell.asked, ['name? ']);
    const { header } = KernelMessage.createMessage<KernelMessage.IStreamMsg>({
      msgType: 'stream',
      channel: 'iopub',
      session: '',
      content: { name: 'stdout', text: '' },
    });
    cell.future?.sendInputReply({ status: 'ok', value: 'Ann' }, header as never);
    assert.deepEqual(talk.sent, [{ status: 'ok', value: 'Ann' }]);
  });

  it('is asked a question that came before anybody knew whose it is', async () => {
    const cell = new Cell('c1');
    const early = new Talk();
    early.says('input_request', { prompt: 'early? ', password: false }, 30);
    const { filler } = scene([cell], () => [execution({ lastSeq: 30 })], { journal: early.journal });
    await filler.fill();
    assert.deepEqual(cell.asked, ['early? ']);
  });

  it('shows an update of its display, whichever cell it comes from', async () => {
    const cell = new Cell('c1');
    const { talk, filler } = scene([cell], () => [execution({})]);
    await filler.fill();
    talk.says('update_display_data', { text: '50 %' }, 40, 'another');
    assert.equal(cell.shown, '50 %');
  });

  it('is left alone once this page has run it anew', async () => {
    const cell = new Cell('c1');
    const { filler } = scene([cell], () => [execution({ outputs: [stream('old')] })], {
      onAsk: talk => talk.runs('c1'),
    });
    await filler.fill();
    assert.equal(cell.future, null);
  });

  it('is filled when its cluster answers again', async () => {
    const cell = new Cell('c1');
    let failures = 2;
    const { filler } = scene([cell], () => {
      failures -= 1;
      if (failures >= 0) {
        throw new Error('no answer');
      }
      return [execution({ outputs: [stream('all')] })];
    });
    await filler.fill();
    assert.equal(cell.shown, 'all');
  });

  it('says how much of its output is lost', async () => {
    const cell = new Cell('c1');
    const { filler } = scene([cell], () => [
      execution({ droppedBytes: 5_000_000, outputs: [stream('end')] }),
    ]);
    await filler.fill();
    assert.match(cell.shown, /^\[Hitch\] 5 MB of older output .*\nend$/s);
  });
});

describe('what a saved notebook lacks', () => {
  const ended = (fields: Partial<Execution>) => execution({ state: 'ok', ...fields });
  const ids = (...args: Parameters<typeof lacking>) => lacking(...args).map(({ messageId }) => messageId);

  it('is what ended after it was saved, by the newest execution of each cell', () => {
    const runs = [
      ended({ messageId: 'old' }),
      ended({ messageId: 'new', executionCount: 5 }),
      ended({ messageId: 'other', cellId: 'not here' }),
      ended({ messageId: 'no cell', cellId: null }),
    ];
    assert.deepEqual(ids([{ id: 'c1', executionCount: 3, source: '' }], runs, null), ['new']);
    assert.deepEqual(ids([{ id: 'c1', executionCount: 5, source: '' }], runs, null), []);
  });

  it('is not what was there when it was saved, even when it was cleared since', () => {
    const cells = [{ id: 'c1', executionCount: null, source: '' }];
    assert.deepEqual(ids(cells, [ended({ lastSeq: 10 })], 10), []);
    assert.deepEqual(ids(cells, [ended({ lastSeq: 11 })], 10), ['m1']);
  });

  it('is everything that still runs, and that first', () => {
    const cells = [
      { id: 'c1', executionCount: null, source: '' },
      { id: 'c2', executionCount: null, source: '' },
    ];
    const runs = [ended({}), execution({ messageId: 'm2', cellId: 'c2', lastSeq: 1 })];
    assert.deepEqual(ids(cells, runs, null), ['m2', 'm1']);
    assert.deepEqual(ids(cells, runs, 1_000), ['m2']);
  });

  it('is not an execution that had no turn', () => {
    const skipped = execution({ state: 'aborted', executionCount: null });
    assert.deepEqual(ids([{ id: 'c1', executionCount: 2, source: '' }], [skipped], null), []);
  });
});
