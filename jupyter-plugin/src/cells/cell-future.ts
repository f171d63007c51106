/**
 * What an output area listens to while a cell runs. JupyterLab makes one for an execution that this page asked for;
 * this one stands for an execution that another page began.
 */
import { type Kernel, KernelMessage } from '@jupyterlab/services';

type Request = KernelMessage.IExecuteRequestMsg;
type Reply = KernelMessage.IExecuteReplyMsg;

export class CellFuture implements Kernel.IShellFuture<Request, Reply> {
  readonly msg: Request;
  readonly done: Promise<Reply>;
  onReply: (msg: Reply) => void | PromiseLike<void> = () => undefined;
  onIOPub: (msg: KernelMessage.IIOPubMessage) => void | PromiseLike<void> = () => undefined;
  onStdin: (msg: KernelMessage.IStdinMessage) => void | PromiseLike<void> = () => undefined;
  readonly #kernel: Kernel.IKernelConnection;
  #settle: (reply: Reply) => void = () => undefined;
  #disposed = false;

  constructor(kernel: Kernel.IKernelConnection, messageId: string, code: string) {
    this.#kernel = kernel;
    this.msg = KernelMessage.createMessage<Request>({
      msgType: 'execute_request',
      channel: 'shell',
      msgId: messageId,
      session: kernel.clientId,
      content: { code },
    });
    this.done = new Promise(resolve => (this.#settle = resolve));
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** The cell was run anew, or is gone. */
  dispose(): void {
    this.#disposed = true;
    this.onReply = this.onIOPub = this.onStdin = () => undefined;
  }

  /** Hooks are set by whoever asks for an execution, and nobody here did. */
  registerMessageHook(): void {
    return;
  }

  removeMessageHook(): void {
    return;
  }

  sendInputReply(
    content: KernelMessage.IInputReplyMsg['content'],
    parentHeader: KernelMessage.IInputReplyMsg['parent_header'],
  ): void {
    this.#kernel.sendInputReply(content, parentHeader);
  }

  /** Gives the output area a message of the kernel. */
  take(message: KernelMessage.IMessage): void {
    if (this.#disposed) {
      return;
    }
    if (isIOPub(message)) {
      void this.onIOPub(message);
    } else if (KernelMessage.isInputRequestMsg(message)) {
      void this.onStdin(message);
    } else if (isReply(message)) {
      void this.onReply(message);
      this.#settle(message);
    }
  }

  /** The execution is over; its reply went to the page that asked for it. */
  end(executionCount: number | null): void {
    this.#settle(
      KernelMessage.createMessage<Reply>({
        msgType: 'execute_reply',
        channel: 'shell',
        session: this.#kernel.clientId,
        parentHeader: this.msg.header,
        content: { status: 'ok', execution_count: executionCount ?? 0, user_expressions: {}, payload: [] },
      }),
    );
  }
}

const isIOPub = (message: KernelMessage.IMessage): message is KernelMessage.IIOPubMessage =>
  message.channel === 'iopub';

const isReply = (message: KernelMessage.IMessage): message is Reply =>
  message.header.msg_type === 'execute_reply';
