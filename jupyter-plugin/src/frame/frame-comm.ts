/** A widget's comm: what it sends goes by way of JupyterLab's page, which knows the kernel. */
import { unpack } from './buffers.ts';
import type { FromFrame, ToFrame } from './words.ts';

type Message = Extract<ToFrame, { type: 'comm' }>;
type Heard = (message: unknown) => void;
interface Callbacks {
  readonly iopub?: { readonly status?: (message: never) => void };
}

export class FrameComm {
  static #number = 0;
  /** A widget keeps back its next change until the kernel has dealt with this one. */
  static readonly #waiting = new Map<number, Callbacks>();
  readonly comm_id: string;
  readonly target_name = 'jupyter.widget';
  readonly #send: (message: FromFrame) => void;
  #onMessage: Heard | null = null;
  #onClose: Heard = () => undefined;
  /** What came while the widget was still being made: a program that it needs may have to load first. */
  #early: Message[] = [];

  constructor(id: string, send: (message: FromFrame) => void) {
    this.comm_id = id;
    this.#send = send;
  }

  static idle(number: number): void {
    const callbacks = FrameComm.#waiting.get(number);
    FrameComm.#waiting.delete(number);
    callbacks?.iopub?.status?.({ content: { execution_state: 'idle' } } as never);
  }

  send(data: unknown, callbacks?: unknown, _metadata?: unknown, buffers?: readonly unknown[]): string {
    FrameComm.#number += 1;
    const number = FrameComm.#number;
    FrameComm.#waiting.set(number, { ...(callbacks as Callbacks | undefined) });
    this.#send({
      type: 'comm',
      number,
      id: this.comm_id,
      data: { ...(data as object) },
      buffers: unpack(buffers),
    });
    return `hitch-${number.toString()}`;
  }

  hear(heard: Message): void {
    if (this.#onMessage === null) {
      this.#early.push(heard);
      return;
    }
    const { kind, id, data, buffers } = heard;
    const message = {
      header: { msg_type: kind },
      parent_header: {},
      content: { comm_id: id, data },
      buffers,
    };
    (kind === 'comm_close' ? this.#onClose : this.#onMessage)(message);
  }

  on_msg(heard: Heard): void {
    this.#onMessage = heard;
    // The widget asks for messages from within its constructor, and is whole after it.
    queueMicrotask(() => {
      const early = this.#early;
      this.#early = [];
      early.forEach(message => this.hear(message));
    });
  }

  on_close(heard: Heard): void {
    this.#onClose = heard;
  }

  open(): string {
    return '';
  }

  close(): string {
    return '';
  }
}
