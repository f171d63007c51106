/** An execution that another page began, as it is shown in a cell of this one. */
import { type Execution, format, type NotebookOutput } from '@hitch/contract';
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import { neutralContent } from '../outputs/neutral.ts';
import { CellFuture } from './cell-future.ts';
import { isUnfinished } from './which.ts';

/** What is needed of a cell. */
export interface FillableCell {
  readonly id: string;
  readonly executionCount: number | null;
  readonly source: string;
  /** Clears the outputs and shows what the future is given. */
  follow(future: CellFuture): void;
  /** `[*]` or the count. */
  mark(state: 'running' | { readonly count: number | null }): void;
}

export interface Heard {
  readonly message: KernelMessage.IMessage;
  /** In the kernel's journal; null for what was said on the way. */
  readonly seq: number | null;
}

export class ShownExecution {
  readonly #cell: FillableCell;
  readonly #future: CellFuture;
  readonly #lastSeq: number;
  #count: number | null;
  #over = false;
  #dead = false;

  /** Shows what is there, and `waiting`, which came while it was asked for. */
  constructor(
    cell: FillableCell,
    kernel: Kernel.IKernelConnection,
    execution: Execution,
    waiting: readonly Heard[],
  ) {
    const { messageId, code, outputs, droppedBytes, lastSeq, executionCount } = execution;
    this.#cell = cell;
    this.#lastSeq = lastSeq;
    this.#count = executionCount;
    this.#future = new CellFuture(kernel, messageId, code);
    cell.follow(this.#future);
    const lost = droppedBytes === 0 ? [] : [droppedNotice(droppedBytes)];
    for (const output of [...lost, ...outputs]) {
      this.#future.take(messageOf(output, this.#future, kernel.id));
    }
    if (isUnfinished(execution)) {
      cell.mark('running');
    } else {
      this.#end();
    }
    waiting.forEach(heard => this.hear(heard));
  }

  /** The cell was run anew, or is gone: nothing of this execution is shown any more. */
  get isGone(): boolean {
    return this.#future.isDisposed;
  }

  /** A message of this execution. Threads and tasks of it may go on to print when it is over. */
  hear({ message, seq }: Heard): void {
    // A question is asked until it is answered, wherever it stands.
    const isHere = message.channel === 'iopub' && seq !== null && seq <= this.#lastSeq;
    if (isHere || this.#dead || (this.#over && !isOutput(message))) {
      return;
    }
    this.#future.take(message);
    if (this.#over) {
      return;
    }
    this.#count = countOf(message) ?? this.#count;
    const isIdle = KernelMessage.isStatusMsg(message) && message.content.execution_state === 'idle';
    if (isIdle) {
      this.#end();
    }
  }

  /** A display of this cell may be updated by any other. */
  update({ message, seq }: Heard): void {
    if (seq === null || seq > this.#lastSeq) {
      this.#future.take(message);
    }
  }

  /** Its process has ended: nothing more comes of it. */
  die(): void {
    this.#dead = true;
    this.#end();
  }

  #end(): void {
    if (!this.#over) {
      this.#over = true;
      this.#future.end(this.#count);
      if (!this.isGone) {
        this.#cell.mark({ count: this.#count });
      }
    }
  }
}

const OUTPUTS: ReadonlySet<string> = new Set([
  'stream',
  'display_data',
  'execute_result',
  'update_display_data',
  'error',
  'clear_output',
]);

/** Whether a message changes what its cell shows. */
export const isOutput = ({ header }: Pick<KernelMessage.IMessage, 'header'>): boolean =>
  OUTPUTS.has(header.msg_type);

function countOf({ header, content }: KernelMessage.IMessage): number | null {
  const tells = header.msg_type === 'execute_input' || header.msg_type === 'execute_reply';
  const count: unknown = tells ? Reflect.get(content, 'execution_count') : null;
  return typeof count === 'number' ? count : null;
}

const droppedNotice = (bytes: number): NotebookOutput => ({
  output_type: 'stream',
  name: 'stderr',
  text: `[Hitch] ${format.bytes(bytes)} of older output are no longer kept on the cluster.\n`,
});

/** The message that made this output. */
function messageOf(
  { output_type: type, ...content }: NotebookOutput,
  future: CellFuture,
  kernelId: string,
): KernelMessage.IMessage {
  const { header } = future.msg;
  const { session } = header;
  const blank = KernelMessage.createMessage<KernelMessage.IStreamMsg>({
    msgType: 'stream',
    channel: 'iopub',
    session,
    parentHeader: header,
    content: { name: 'stdout', text: '' },
  });
  // The contract's schema has seen that it is an output; what each kind holds is the renderer's to judge.
  // It came by another way than the kernel's socket, and is a stranger's as much.
  const neutral = neutralContent(type, content, kernelId);
  return {
    ...blank,
    header: { ...blank.header, msg_type: type },
    content: neutral,
  } as KernelMessage.IMessage;
}
