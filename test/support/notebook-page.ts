/**
 * A notebook page as a client opens it: the kernel socket that carries on over drops, and what each cell has shown. It
 * notes every message it is given, so that a line that came twice or out of order is seen.
 */
import { randomUUID } from 'node:crypto';
import {
  type Cluster,
  createKernelSocketClass,
  decodeMessage,
  encodeMessage,
  KERNEL_PROTOCOL_V1,
  type KernelMessage,
  type KernelSocketBase,
  type KernelSocketClass,
} from '@hitch/contract';
import * as z from 'zod';
import { connectInner } from '@hitch/client-node/src/inner-socket.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { DaemonHome } from './daemon-home.ts';
import { until } from './waiting.ts';

const kernelSchema = z.object({ id: z.string() });

/** Starts a kernel through the relay. @returns its id. */
export async function startKernel(home: DaemonHome, { jupyterPath }: Cluster): Promise<string> {
  const answer = await home.client.raw(`${jupyterPath}/api/kernels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  return kernelSchema.parse(await answer.json()).id;
}

export class Cell {
  readonly messageId: string;
  readonly messages: KernelMessage[] = [];

  constructor(messageId: string) {
    this.messageId = messageId;
  }

  /** What it printed so far. */
  get text(): string {
    return this.#of('stream')
      .map(({ content }) => String(content['text']))
      .join('');
  }

  /** `ok`, `error` or `aborted`; null while it runs. */
  get status(): string | null {
    const [reply] = this.#of('execute_reply');
    const idle = this.#of('status').some(({ content }) => content['execution_state'] === 'idle');
    return reply === undefined || !idle ? null : String(reply.content['status']);
  }

  get error(): string {
    return this.#of('error')
      .map(({ content }) => `${String(content['ename'])}: ${String(content['evalue'])}`)
      .join('');
  }

  /** Resolves with what it printed once it is over. */
  async over(withinMs?: number): Promise<string> {
    await until(`cell ${this.messageId} is over`, () => this.status !== null, withinMs);
    return this.text;
  }

  #of(type: string): readonly KernelMessage[] {
    return this.messages.filter(({ header }) => header.msg_type === type);
  }
}

export class NotebookPage {
  readonly #url: string;
  readonly #session = randomUUID();
  readonly #cells = new Map<string, Cell>();
  readonly #Socket: KernelSocketClass;
  #socket: KernelSocketBase | null = null;
  #connected = false;

  /** Opens nothing yet; each page object is a page load of its own, with no memory of another. */
  constructor(home: DaemonHome, { jupyterPath }: Pick<Cluster, 'jupyterPath'>, kernelId: string) {
    this.#url = `ws://daemon${jupyterPath}/api/kernels/${kernelId}/channels?session_id=${this.#session}`;
    this.#Socket = createKernelSocketClass({
      connect: connectInner,
      setTimer: (run, ms) => systemClock.setTimer(run, ms),
      random: Math.random,
      newId: randomUUID,
      now: Date.now,
      // Port and token change with each daemon; both stand in its discovery file.
      locate: url => {
        const { baseUrl, token } = home.place();
        const headers = { authorization: `Bearer ${token}` };
        return { url: url.replace('ws://daemon', baseUrl.replace('http:', 'ws:')), options: { headers } };
      },
      onStatus: ({ connected }) => (this.#connected = connected),
    });
  }

  static async open(home: DaemonHome, cluster: Cluster, kernelId: string): Promise<NotebookPage> {
    const page = new NotebookPage(home, cluster, kernelId);
    await page.comeBack();
    return page;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Opens the socket; after {@link leave} it goes on from where this page stopped. */
  async comeBack(): Promise<void> {
    const socket = new this.#Socket(this.#url, [KERNEL_PROTOCOL_V1]);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) {
        const message = decodeMessage(new Uint8Array(data));
        this.#cells.get(message.parentHeader.msg_id ?? '')?.messages.push(message);
      }
    };
    await until('the kernel socket is open', () => socket.readyState === socket.OPEN);
  }

  leave(): void {
    this.#socket?.close();
    this.#socket = null;
    this.#connected = false;
  }

  /** Runs a cell; its output is gathered from then on. */
  run(code: string, cellId?: string): Cell {
    const cell = new Cell(randomUUID());
    this.#cells.set(cell.messageId, cell);
    const message: KernelMessage = {
      channel: 'shell',
      header: {
        msg_id: cell.messageId,
        msg_type: 'execute_request',
        session: this.#session,
        username: 'test',
        version: '5.4',
        date: new Date().toISOString(),
      },
      parentHeader: {},
      metadata: cellId === undefined ? {} : { cellId },
      content: {
        code,
        silent: false,
        store_history: true,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      },
      buffers: [],
    };
    if (this.#socket === null) {
      throw new Error('the page is not open');
    }
    this.#socket.send(encodeMessage(message));
    return cell;
  }

  /** Runs a cell to its end. @throws Error with what it raised. */
  async result(code: string, withinMs?: number): Promise<string> {
    const cell = this.run(code);
    const text = await cell.over(withinMs);
    if (cell.error !== '') {
      throw new Error(`the cell raised ${cell.error}`);
    }
    return text;
  }
}
