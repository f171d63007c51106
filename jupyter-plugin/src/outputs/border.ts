/** Reads what the sockets of clusters' kernels bring, so that nothing active gets into JupyterLab. */
import type { KernelMessage, ServerConnection } from '@jupyterlab/services';
import { type ClusterComms, diverted } from './comms.ts';
import { neutralContent } from './neutral.ts';

type Serializer = ServerConnection.ISettings['serializer'];
type Message = KernelMessage.IMessage;

export class Border {
  readonly #comms: ClusterComms;
  readonly #arrived = new WeakMap<ArrayBuffer, string>();

  constructor(comms: ClusterComms) {
    this.#comms = comms;
  }

  /** For the socket: this is about to be read, and comes from this kernel of a cluster. */
  readonly note = (data: ArrayBuffer, kernelId: string): void => {
    this.#arrived.set(data, kernelId);
  };

  /** Reads messages as `stock` does; those of clusters come out without anything active. */
  reading(stock: Serializer): Serializer {
    return {
      serialize: (message, protocol) => {
        this.#sent(message);
        return stock.serialize(message, protocol);
      },
      deserialize: (data, protocol) => {
        const kernelId = this.#arrived.get(data);
        const message = stock.deserialize(data, protocol);
        return kernelId === undefined ? message : this.pass(message, kernelId);
      },
    };
  }

  /** A message of a cluster's kernel as JupyterLab may have it. */
  pass<T extends Message>(message: T, kernelId: string): T | Message {
    if (this.#comms.of(kernelId).take(message)) {
      return diverted(message);
    }
    const content = message.content as Record<string, unknown>;
    if (message.header.msg_type === 'status' && content['execution_state'] === 'starting') {
      this.#comms.started(kernelId, message);
    }
    const neutral = neutralContent(message.header.msg_type, content, kernelId);
    return neutral === content ? message : { ...message, content: neutral };
  }

  /** A comm's id is new with each comm, so it is noted for every cluster's kernel that this page has. */
  #sent(message: Message): void {
    if (message.header.msg_type === 'comm_open') {
      this.#comms.sent(message);
    }
  }
}
