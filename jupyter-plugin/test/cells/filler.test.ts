import assert from 'node:assert/strict';
import type { Execution } from '@hitch/contract';
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import type { CellOrder } from '../../src/cells/cell-orders.ts';
import type { CellFuture } from '../../src/cells/cell-future.ts';
import { Filler } from '../../src/cells/filler.ts';
import type { FillableCell } from '../../src/cells/shown.ts';
import { lacking } from '../../src/cells/which.ts';
import { JournalPlaces } from '../../src/kernels/journal-places.ts';

const EPOCH = 'epoch';

const execution = (fields: Partial<Execution>): Execution => ({
  messageId: 'm1',
  cellId: 'c1',
  kernelId: 'k',
  state: 'running',
  code: 'print()',
  executionCount: 3,
  startedAtMs: 0,
  endedAtMs: null,
  outputs: [],
  droppedBytes: 0,
  lastSeq: 10,
  ...fields,
});

const stream = (text: string) => ({ output_type: 'stream', name: 'stdout', text });

/** A cell that notes what it shows. */
class Cell implements FillableCell {
  readonly id: string;
  executionCount: number | null;
  shown = '';
  asked: string[] = [];
  marked = '';
  future: CellFuture | null = null;

  readonly source: string;

  constructor(id: string, executionCount: number | null = null, source = 'print()') {
    this.id = id;
    this.executionCount = executionCount;
    this.source = source;
  }

  follow(future: CellFuture): void {
    this.future = future;
    this.shown = '';
    future.onIOPub = ({ content }) => {
      const text: unknown = Reflect.get(content, 'text') ?? Reflect.get(content, 'data');
      this.shown += typeof text === 'string' ? text : '';
    };
    future.onStdin = message => {
      this.asked.push(KernelMessage.isInputRequestMsg(message) ? message.content.prompt : '');
    };
  }

  mark(state: 'running' | { count: number | null }): void {
    this.marked = state === 'running' ? '*' : String(state.count);
  }
}

/** A kernel whose messages the test says. */
class Talk {
  readonly journal = new JournalPlaces();
  readonly sent: unknown[] = [];
  readonly kernel: Kernel.IKernelConnection;
  readonly #message = new Signal<object, Kernel.IAnyMessageArgs>({});
  readonly #status = new Signal<object, Kernel.Status>({});

  constructor() {
    const kernel = {
      id: 'k',
      clientId: 'this page',
      connectionStatus: 'connected',
      isDisposed: false,
      anyMessage: this.#message,
      statusChanged: this.#status,
      connectionStatusChanged: new Signal<object, string>({}),
      sendInputReply: (content: unknown) => this.sent.push(content),
    };
    // What the filler uses of a kernel.
    this.kernel = kernel as unknown as Kernel.IKernelConnection;
  }

  die(): void {
    this.#status.emit('restarting');
  }

  /** This page runs a cell itself. */
  runs(cellId: string): void {
    const msg = this.#make('execute_request', 'shell', {}, 'own', 'this page');
    this.#message.emit({
      msg: { ...msg, metadata: { cellId } },
      direction: 'send',
    });
  }

  says(type: string, content: object, seq: number | null, parent = 'm1'): void {
    const channel = type === 'input_request' ? 'stdin' : type === 'execute_reply' ? 'shell' : 'iopub';
    const msg = this.#make(type, channel, content, parent, 'page before');
    const data = new ArrayBuffer(0);
    if (seq !== null) {
      this.journal.note(data, { epoch: EPOCH, seq });
    }
    const stock = { serialize: () => '', deserialize: () => msg };
    this.#message.emit({
      msg: this.journal.reading(stock).deserialize(data),
      direction: 'recv',
    });
  }

  #make(type: string, channel: string, content: object, parent: string, session: string) {
    const made = KernelMessage.createMessage<KernelMessage.IStreamMsg>({
      msgType: 'stream',
      channel: 'iopub',
      session: 'kernel',
      content: { name: 'stdout', text: '' },
    });
    return {
      ...made,
      header: { ...made.header, msg_type: type },
      channel,
      content,
      parent_header: { ...made.header, msg_id: parent, session },
    } as unknown as KernelMessage.IMessage;
  }
}

/** A notebook that keeps the ids of its cells. */
const alone = { before: null, ran: () => undefined, placed: () => undefined };

interface Scene {
  readonly talk: Talk;
  readonly filler: Filler;
  readonly asked: string[];
  readonly placed: string[][];
}

function scene(
  cells: readonly Cell[],
  executions: () => readonly Execution[],
  more: { before?: CellOrder; savedSeq?: number; onAsk?: (talk: Talk) => void; journal?: JournalPlaces } = {},
): Scene {
  const talk = new Talk();
  const asked: string[] = [];
  const placed: string[][] = [];
  const filler = new Filler({
    kernel: talk.kernel,
    journal: more.journal ?? talk.journal,
    ask: query => {
      const messageId = 'messageId' in query ? query.messageId : null;
      if (messageId === null) {
        return Promise.resolve(executions().map(found => ({ ...found, outputs: [], code: '' })));
      }
      asked.push(messageId);
      more.onAsk?.(talk);
      return Promise.resolve(executions().filter(found => found.messageId === messageId));
    },
    askPlace: () => Promise.resolve({ epoch: EPOCH, lastSeq: 10 }),
    cells: () => cells,
    savedAt: more.savedSeq === undefined ? null : { epoch: EPOCH, seq: more.savedSeq },
    ...alone,
    before: more.before ?? null,
    placed: (cell, cellId) => placed.push([cell.id, cellId]),
    pause: () => new Promise(resolve => setImmediate(resolve)),
  });
  return { talk, filler, asked, placed };
}

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
      askPlace: () => Promise.resolve({ epoch: EPOCH, lastSeq: 10 }),
      cells: () => [cell],
      savedAt: null,
      ...alone,
      pause: () => new Promise(resolve => setImmediate(resolve)),
    });
    await filler.fill();
    assert.deepEqual(froms, [undefined, '10:1:0:0', '10:2:0:0']);
    assert.equal(cell.shown, 'abcdef123');
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
