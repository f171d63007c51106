/** Where a message of a cluster's kernel stands in that kernel's journal. It is on the wire only, so it is kept beside. */
import type { KernelCursor } from '@hitch/contract';
import { KernelMessage, type ServerConnection } from '@jupyterlab/services';

type Serializer = ServerConnection.ISettings['serializer'];

const PROMPTS_KEPT = 50;

export class JournalPlaces {
  readonly #data = new WeakMap<ArrayBuffer, KernelCursor>();
  readonly #messages = new WeakMap<object, KernelCursor>();

  /** For the socket: this is about to be read. */
  readonly note = (data: ArrayBuffer, at: KernelCursor): void => {
    this.#data.set(data, at);
  };

  /** By the execution that asks. A page is asked before it knows which of its cells that is. */
  readonly #prompts = new Map<string, KernelMessage.IMessage>();

  /** The last question that this execution has asked this page; undefined where it asked none. */
  promptOf(messageId: string): KernelMessage.IMessage | undefined {
    return this.#prompts.get(messageId);
  }

  /** Undefined for a message of a local kernel, and for what was said on the way. */
  of(message: KernelMessage.IMessage): KernelCursor | undefined {
    return this.#messages.get(message);
  }

  /** Reads messages as `stock` does. */
  reading(stock: Serializer): Serializer {
    return {
      serialize: (message, protocol) => stock.serialize(message, protocol),
      deserialize: (data, protocol) => {
        const message = stock.deserialize(data, protocol);
        const at = this.#data.get(data);
        if (at !== undefined) {
          this.#messages.set(message, at);
          this.#keepPrompt(message);
        }
        return message;
      },
    };
  }

  #keepPrompt(message: KernelMessage.IMessage): void {
    if (!KernelMessage.isInputRequestMsg(message) || !('msg_id' in message.parent_header)) {
      return;
    }
    const asking = message.parent_header.msg_id;
    this.#prompts.delete(asking);
    this.#prompts.set(asking, message);
    const [oldest] = this.#prompts.keys();
    if (this.#prompts.size > PROMPTS_KEPT && oldest !== undefined) {
      this.#prompts.delete(oldest);
    }
  }
}
