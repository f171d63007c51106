/** A notebook's cells and the kernel that they run on, as a test says them. */
import type { Execution } from '@hitch/contract';
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import type { CellFuture } from '../../src/cells/cell-future.ts';
import type { CellOrder } from '../../src/cells/cell-orders.ts';
import { Filler } from '../../src/cells/filler.ts';
import type { FillableCell } from '../../src/cells/shown.ts';
import { JournalPlaces } from '../../src/kernels/journal-places.ts';

export const EPOCH = 'epoch';

export const execution = (fields: Partial<Execution>): Execution => ({
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

export const stream = (text: string) => ({ output_type: 'stream', name: 'stdout', text });

/** A cell that notes what it shows. */
export class Cell implements FillableCell {
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
export class Talk {
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

/** Where the journal is, of a kernel that forgot twelve executions of each of these cells. */
export const placeWith = (forgottenCells: readonly string[]) => ({
  epoch: EPOCH,
  lastSeq: 10,
  forgottenExecutions: 12 * forgottenCells.length,
  forgottenCells: [...forgottenCells],
});

/** A notebook that keeps the ids of its cells. */
export const alone = {
  before: null,
  ran: () => undefined,
  placed: () => undefined,
  unknown: () => undefined,
};

export interface Scene {
  readonly talk: Talk;
  readonly filler: Filler;
  readonly asked: string[];
  readonly placed: string[][];
  readonly unknown: number[];
}

export function scene(
  cells: readonly Cell[],
  executions: () => readonly Execution[],
  more: {
    before?: CellOrder;
    savedSeq?: number;
    onAsk?: (talk: Talk) => void;
    journal?: JournalPlaces;
    forgotten?: readonly string[];
  } = {},
): Scene {
  const talk = new Talk();
  const asked: string[] = [];
  const placed: string[][] = [];
  const unknown: number[] = [];
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
    askPlace: () => Promise.resolve(placeWith(more.forgotten ?? [])),
    cells: () => cells,
    savedAt: more.savedSeq === undefined ? null : { epoch: EPOCH, seq: more.savedSeq },
    ...alone,
    before: more.before ?? null,
    placed: (cell, cellId) => placed.push([cell.id, cellId]),
    unknown: forgotten => unknown.push(forgotten),
    pause: () => new Promise(resolve => setImmediate(resolve)),
  });
  return { talk, filler, asked, placed, unknown };
}
