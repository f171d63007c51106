/**
 * Fills a notebook's cells with what their kernel on a cluster has printed while this page was away: each execution is
 * asked for whole, shown by its cell's id, and followed from the place in the journal up to which the answer had it.
 */
import type { Execution, JournalCursor, KernelCursor, NotebookOutput } from '@hitch/contract';
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import type { JournalPlaces } from '../kernels/journal-places.ts';
import { type FillableCell, type Heard, isOutput, ShownExecution } from './shown.ts';
import type { CellOrder } from './cell-orders.ts';
import { cellOfStray, isShown, lacking, mayHaveForgotten, over, strayed } from './which.ts';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Far more than a journal holds: a machine that always has another page must not fill this one. */
const MOST_PAGES = 200;
const TOO_MANY_PAGES: NotebookOutput = {
  output_type: 'stream',
  name: 'stderr',
  text: `[Hitch] The rest of the output is not shown: it has more than ${MOST_PAGES.toString()} pages on the cluster.\n`,
};

export interface FillerOptions {
  readonly kernel: Kernel.IKernelConnection;
  readonly journal: JournalPlaces;
  readonly ask: (
    query: { messageId: string; from?: string } | { content: 'none' },
  ) => Promise<readonly Execution[]>;
  /** Where the kernel's journal is now. */
  readonly askPlace: () => Promise<
    Pick<JournalCursor, 'epoch' | 'lastSeq' | 'forgottenExecutions' | 'forgottenCells'>
  >;
  /** Those of the notebook, as they are now. */
  readonly cells: () => readonly FillableCell[];
  /** Up to where the saved notebook shows this kernel's messages. */
  readonly savedAt: KernelCursor | null;
  /** The notebook's cells as the page before noted them; null where all have the ids that they had. */
  readonly before: CellOrder | null;
  /** A cell was run from here. */
  readonly ran: () => void;
  /** A cell shows an execution of a page in which it had this id. */
  readonly placed: (cell: FillableCell, cellId: string) => void;
  /** The cluster has forgotten so many executions, and with them what some cells of the notebook printed last. */
  readonly unknown: (forgotten: number) => void;
  readonly pause: (ms: number) => Promise<void>;
}

export class Filler {
  readonly #options: FillerOptions;
  readonly #shown = new Map<string, ShownExecution>();
  /** Executions that have their cell: asked again after a fault, they would get a twin of it. */
  readonly #done = new Set<string>();
  /** Cells that were run from here: what they show is newer. */
  readonly #own = new Set<string>();
  /** Cells that show an execution of a page before. */
  readonly #taken = new Set<string>();
  /** What came before it was known whose it is, by the executions' messages. */
  readonly #waiting = new Map<string, Heard[]>();
  /** Executions that are over and that their cells show as they were saved. */
  readonly #saved = new Set<string>();
  #savedSeq: number | null = null;
  #seen: KernelCursor | null = null;
  #filled = false;
  #stopped = false;

  constructor(options: FillerOptions) {
    this.#options = options;
    options.kernel.anyMessage.connect(this.#onMessage, this);
    options.kernel.statusChanged.connect(this.#onStatus, this);
  }

  /** The notebook shows all of the kernel's messages up to here. */
  get seen(): KernelCursor | null {
    return this.#filled ? this.#seen : this.#options.savedAt;
  }

  stop(): void {
    this.#stopped = true;
    this.#options.kernel.anyMessage.disconnect(this.#onMessage, this);
    this.#options.kernel.statusChanged.disconnect(this.#onStatus, this);
  }

  /** Resolves once nothing is lacking. */
  async fill(): Promise<void> {
    await this.#patiently(async () => {
      await connected(this.#options.kernel);
      await this.#fillOnce();
    });
    this.#filled = !this.#stopped;
    for (const [messageId, heard] of this.#waiting) {
      if (this.#saved.has(messageId) && heard.some(({ message }) => isOutput(message))) {
        void this.#goOn(messageId);
      } else {
        this.#waiting.delete(messageId);
      }
    }
  }

  /** A cluster that does not answer is asked again. */
  async #patiently(ask: () => Promise<void>): Promise<void> {
    for (let ms = FIRST_RETRY_MS; !this.#stopped; ms = Math.min(2 * ms, LONGEST_RETRY_MS)) {
      try {
        await ask();
        return;
      } catch {
        await this.#options.pause(ms);
      }
    }
  }

  /** Something of an execution that was over, and saved, goes on to print: it is shown whole, and followed. */
  async #goOn(messageId: string): Promise<void> {
    this.#saved.delete(messageId);
    await this.#patiently(async () => {
      const execution = await this.#whole(messageId);
      if (execution !== undefined && !this.#stopped && !this.#options.kernel.isDisposed) {
        this.#show(execution);
      }
    });
    this.#waiting.delete(messageId);
  }

  /** The socket is open, so what is not in the answers comes through it. */
  async #fillOnce(): Promise<void> {
    const { ask, askPlace, cells, savedAt, before, kernel, unknown } = this.#options;
    const place = await askPlace();
    const { epoch, lastSeq } = place;
    const executions = await ask({ content: 'none' });
    const savedSeq = savedAt?.epoch === epoch ? savedAt.seq : null;
    this.#savedSeq = savedSeq;
    const found = lacking(cells(), executions, savedSeq);
    const strays = before === null ? [] : strayed(cells(), executions, savedSeq, before);
    over(cells(), executions, before).forEach(({ messageId }) => this.#saved.add(messageId));
    [...found, ...strays].forEach(({ messageId }) => this.#saved.delete(messageId));
    for (const { messageId } of [...found, ...strays]) {
      const [execution] = this.#done.has(messageId) ? [] : [await this.#whole(messageId)];
      if (this.#stopped || kernel.isDisposed) {
        return;
      }
      if (execution !== undefined) {
        this.#show(execution);
      }
    }
    this.#seen ??= { epoch, seq: lastSeq };
    const unsure = cells().filter(({ id }) => !this.#taken.has(id));
    if (mayHaveForgotten(unsure, executions, place.forgottenCells, before)) {
      unknown(place.forgottenExecutions);
    }
  }

  #show(execution: Execution): void {
    const { kernel, placed } = this.#options;
    const { messageId, cellId } = execution;
    const cell = this.#cellOf(execution);
    if (cell === undefined || this.#own.has(cell.id)) {
      return;
    }
    this.#taken.add(cell.id);
    this.#done.add(messageId);
    if (cellId !== cell.id && isShown(cell, execution, this.#savedSeq)) {
      return;
    }
    this.#shown.set(messageId, new ShownExecution(cell, kernel, execution, this.#waitingFor(messageId)));
    if (cellId !== null && cellId !== cell.id) {
      placed(cell, cellId);
    }
  }

  #cellOf(execution: Execution): FillableCell | undefined {
    const { cells, before } = this.#options;
    const now = cells();
    const same = now.find(({ id }) => id === execution.cellId);
    return same ?? (before === null ? undefined : cellOfStray(execution, now, before, this.#taken));
  }

  /** All pages of an execution, as it was when the first was asked for. */
  async #whole(messageId: string): Promise<Execution | undefined> {
    const { ask } = this.#options;
    const [first] = await ask({ messageId });
    if (first === undefined) {
      return undefined;
    }
    const outputs = [...first.outputs];
    let { droppedBytes, next } = first;
    for (let pages = 1; next !== undefined && !this.#stopped; pages++) {
      if (pages === MOST_PAGES) {
        outputs.push(TOO_MANY_PAGES);
        break;
      }
      const [page]: readonly (Execution | undefined)[] = await ask({ messageId, from: next });
      if (page === undefined) {
        throw new Error('The cluster no longer has this cell’s output.');
      }
      outputs.push(...page.outputs);
      droppedBytes += page.droppedBytes;
      next = page.next;
    }
    return { ...first, outputs, droppedBytes };
  }

  /** Also the question that came before this filler was there. */
  #waitingFor(messageId: string): readonly Heard[] {
    const waiting = this.#waiting.get(messageId) ?? [];
    const prompt = this.#options.journal.promptOf(messageId);
    return prompt === undefined || waiting.some(({ message }) => message.channel === 'stdin')
      ? waiting
      : [{ message: prompt, seq: null }, ...waiting];
  }

  #onMessage(kernel: Kernel.IKernelConnection, { msg, direction }: Kernel.IAnyMessageArgs): void {
    if (direction === 'send') {
      const cellId = msg.header.msg_type === 'execute_request' ? msg.metadata['cellId'] : null;
      if (typeof cellId === 'string') {
        this.#own.add(cellId);
        this.#options.ran();
      }
      return;
    }
    const at = this.#options.journal.of(msg);
    this.#seen = at ?? this.#seen;
    const parent = 'msg_id' in msg.parent_header ? msg.parent_header : null;
    const heard = { message: msg, seq: at?.seq ?? null };
    if (parent !== null) {
      const shown = this.#shown.get(parent.msg_id);
      shown?.hear(heard);
      if (shown === undefined && parent.session !== kernel.clientId) {
        this.#wait(parent.msg_id, heard);
      }
    }
    if (KernelMessage.isUpdateDisplayDataMsg(msg)) {
      this.#update(heard, parent?.msg_id);
    }
  }

  #wait(messageId: string, heard: Heard): void {
    const waiting = this.#waiting.get(messageId);
    if (waiting !== undefined) {
      waiting.push(heard);
    } else if (!this.#filled || (this.#saved.has(messageId) && isOutput(heard.message))) {
      this.#waiting.set(messageId, [heard]);
      if (this.#filled) {
        void this.#goOn(messageId);
      }
    }
  }

  #update(heard: Heard, heardBy: string | undefined): void {
    for (const [messageId, shown] of this.#shown) {
      if (shown.isGone) {
        this.#shown.delete(messageId);
      } else if (messageId !== heardBy) {
        shown.update(heard);
      }
    }
  }

  /** A process that has ended says nothing of what it ran. */
  #onStatus(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.#shown.forEach(shown => shown.die());
      this.#saved.clear();
    }
  }
}

function connected(kernel: Kernel.IKernelConnection): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (kernel.connectionStatus === 'connected' || kernel.isDisposed) {
        kernel.connectionStatusChanged.disconnect(look);
        resolve();
      }
    };
    kernel.connectionStatusChanged.connect(look);
    look();
  });
}
