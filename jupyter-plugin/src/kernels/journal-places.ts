/** Where a message of a cluster's kernel stands in that kernel's journal. It is on the wire only, so it is kept beside. */
import type { KernelCursor } from '@hitch/contract';
import type { KernelMessage, ServerConnection } from '@jupyterlab/services';

type Serializer = ServerConnection.ISettings['serializer'];

export class JournalPlaces {
  readonly #data = new WeakMap<ArrayBuffer, KernelCursor>();
  readonly #messages = new WeakMap<object, KernelCursor>();

  /** For the socket: this is about to be read. */
  readonly note = (data: ArrayBuffer, at: KernelCursor): void => {
    this.#data.set(data, at);
  };

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
        }
        return message;
      },
    };
  }
}
