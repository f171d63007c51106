/** The smallest client of a kernel's socket, the same for a direct connection and for the relay. */
import { randomUUID } from 'node:crypto';
import { decodeMessage, encodeMessage, KERNEL_PROTOCOL_V1, type KernelMessage } from '@hitch/contract';
import { WebSocket } from 'ws';

/** What one cell left behind. */
export interface CellResult {
  readonly status: string;
  readonly streamBytes: number;
}

interface Running {
  reply: string | null;
  idle: boolean;
  streamBytes: number;
  finish: (result: CellResult) => void;
}

export class KernelClient {
  readonly #socket: WebSocket;
  readonly #session = randomUUID();
  readonly #running = new Map<string, Running>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(decodeMessage(data)));
  }

  /** @param url `ws://…/channels` or `ws+unix:<socket>:/…/channels`, without a session. */
  static async open(url: string, headers: Record<string, string>): Promise<KernelClient> {
    const socket = new WebSocket(`${url}?session_id=${randomUUID()}`, [KERNEL_PROTOCOL_V1], {
      headers,
      perMessageDeflate: false,
      maxPayload: 2 ** 30,
    });
    const client = new KernelClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    return client;
  }

  /** Runs a cell. `until: 'reply'` for a round trip; `'idle'` waits for all output as well. */
  execute(code: string, until: 'reply' | 'idle' = 'idle'): Promise<CellResult> {
    const id = randomUUID();
    return new Promise(resolve => {
      this.#running.set(id, { reply: null, idle: until === 'reply', streamBytes: 0, finish: resolve });
      this.#socket.send(
        encodeMessage({
          channel: 'shell',
          header: {
            msg_id: id,
            msg_type: 'execute_request',
            session: this.#session,
            username: '',
            version: '5.3',
            date: new Date().toISOString(),
          },
          parentHeader: {},
          metadata: {},
          content: { code, silent: false, store_history: false, user_expressions: {}, allow_stdin: false },
          buffers: [],
        }),
      );
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(message: KernelMessage): void {
    const running = this.#running.get(message.parentHeader.msg_id ?? '');
    if (running === undefined) {
      return;
    }
    const { content } = message;
    if (message.header.msg_type === 'execute_reply') {
      running.reply = String(content['status']);
    } else if (message.header.msg_type === 'stream') {
      running.streamBytes += Buffer.byteLength(String(content['text']));
    } else if (message.header.msg_type === 'status' && content['execution_state'] === 'idle') {
      running.idle = true;
    }
    if (running.reply !== null && running.idle) {
      this.#running.delete(message.parentHeader.msg_id ?? '');
      running.finish({ status: running.reply, streamBytes: running.streamBytes });
    }
  }
}
