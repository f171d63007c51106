/**
 * One kernel as Jupyter's extension drives it. Sources: the session is made by `JupyterKernelSessionFactory.createNewSession`
 * (src/kernels/jupyter/session/jupyterKernelSessionFactory.ts) with the server's `fetch` and `node-fetch`'s Request
 * (`getRequestCtor`, jupyterRequestCreator.node.ts); the socket is the subclass of the server's `WebSocket` that
 * `wrapWebSocketCtor` there makes, with the `emit` of `KernelSocketWrapper` (src/kernels/common/kernelSocketWrapper.ts).
 * Cells speak the v1 protocol, as the `DefaultKernel` of @jupyterlab/services does.
 */
import { randomUUID } from 'node:crypto';
import { decodeMessage, encodeMessage, KERNEL_PROTOCOL_V1, type KernelMessage } from '@hitch/contract';
import { Request } from 'node-fetch';
import * as vscode from 'vscode';
import * as z from 'zod';
import type { ConnectionInformation } from '../../../extension/src/vscode/jupyter-api.ts';
import type { Connection } from './connections.ts';

/** `wrapWebSocketCtor`. */
const PING_EVERY_MS = 30_000;
const sessionSchema = z.object({ id: z.string(), kernel: z.object({ id: z.string() }) });

interface RunningCell {
  readonly hear: (message: KernelMessage) => void;
}

export class StandInKernel {
  readonly kernelId: string;
  /** Sockets that this kernel opened; one that never closes to the outside stays at 1. */
  sockets = 0;
  closes = 0;
  readonly #session = randomUUID();
  readonly #cells = new Map<string, RunningCell>();
  readonly #socket: InstanceType<ConnectionInformation['WebSocket']>;
  readonly #ping: NodeJS.Timeout;
  readonly #opened: Promise<void>;

  private constructor(kernelId: string, info: ConnectionInformation, onClose: () => void) {
    this.kernelId = kernelId;
    const closed = (): void => {
      this.closes += 1;
    };
    class OwnSocket extends info.WebSocket {
      override emit(type: string, ...args: unknown[]): boolean {
        if (type === 'close') {
          closed();
        }
        return super.emit(type, ...args);
      }
    }
    const url = `${base(info).replace('http', 'ws')}api/kernels/${kernelId}/channels?session_id=${this.#session}`;
    this.#socket = new OwnSocket(url, [KERNEL_PROTOCOL_V1], { headers: {} });
    this.#socket.binaryType = 'arraybuffer';
    this.sockets += 1;
    this.#socket.on('close', onClose);
    this.#socket.on('error', () => undefined);
    this.#opened = new Promise(resolve => this.#socket.on('open', () => resolve()));
    this.#socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) {
        const message = decodeMessage(new Uint8Array(data));
        this.#cells.get(message.parentHeader.msg_id ?? '')?.hear(message);
      }
    };
    this.#ping = setInterval(() => this.#socket.ping(), PING_EVERY_MS);
  }

  /** @param connection a session that lives is joined, anything else is started. */
  static async start(
    info: ConnectionInformation,
    connection: Connection,
    notebook: vscode.NotebookDocument,
    onClose: () => void,
  ): Promise<StandInKernel> {
    const kernelId =
      connection.kind === 'live' ? connection.id : await startSession(info, connection.specName, notebook);
    const started = new StandInKernel(kernelId, info, onClose);
    await started.#opened;
    return started;
  }

  /** Runs a cell to its end; output appears in it as it comes. */
  run(code: string, execution: vscode.NotebookCellExecution): Promise<boolean> {
    const id = randomUUID();
    return new Promise(resolve => {
      let ok: boolean | null = null;
      let idle = false;
      this.#cells.set(id, {
        hear: ({ header, content }) => {
          switch (header.msg_type) {
            case 'stream':
              void execution.appendOutput(textOutput(String(content['text'])));
              break;
            case 'execute_result':
              void execution.appendOutput(textOutput(plainOf(content)));
              break;
            case 'error':
              void execution.appendOutput(
                new vscode.NotebookCellOutput([
                  vscode.NotebookCellOutputItem.error(
                    new Error(`${String(content['ename'])}: ${String(content['evalue'])}`),
                  ),
                ]),
              );
              break;
            case 'execute_reply':
              ok = content['status'] === 'ok';
              break;
            case 'status':
              idle ||= content['execution_state'] === 'idle';
              break;
            default:
          }
          if (ok !== null && idle) {
            this.#cells.delete(id);
            resolve(ok);
          }
        },
      });
      this.#socket.send(encodeMessage(request(id, this.#session, code)));
    });
  }

  dispose(): void {
    clearInterval(this.#ping);
    this.#socket.close();
  }
}

/** `createNewSession` and `generateBackingIPyNbFileName`: name and path differ, and both are new each time. */
async function startSession(
  info: ConnectionInformation,
  kernel: string,
  { uri }: vscode.NotebookDocument,
): Promise<string> {
  const file = uri.path.split('/').at(-1) ?? '';
  const stem = file.replace(/\.ipynb$/, '');
  const body = JSON.stringify({
    path: `${stem}-jvsc-${randomUUID()}${randomUUID()}.ipynb`,
    name: `${stem}-${randomUUID()}${file.endsWith('.ipynb') ? '.ipynb' : ''}`,
    type: file.endsWith('.ipynb') ? 'notebook' : 'console',
    kernel: { name: kernel },
  });
  const headers = { 'content-type': 'application/json' };
  const answer = await info.fetch(
    new Request(`${base(info)}api/sessions`, { method: 'POST', body, headers }),
  );
  if (!answer.ok) {
    throw new Error(`the session was refused: HTTP ${answer.status.toString()} ${await answer.text()}`);
  }
  return sessionSchema.parse(await answer.json()).kernel.id;
}

const base = ({ baseUrl }: ConnectionInformation): string => baseUrl.toString(true).replace(/\/?$/, '/');

const dataSchema = z.object({ 'text/plain': z.string() });
const plainOf = (content: Record<string, unknown>): string => {
  const parsed = dataSchema.safeParse(content['data']);
  return parsed.success ? parsed.data['text/plain'] : '';
};

const textOutput = (text: string): vscode.NotebookCellOutput =>
  new vscode.NotebookCellOutput([vscode.NotebookCellOutputItem.stdout(text)]);

function request(id: string, session: string, code: string): KernelMessage {
  return {
    channel: 'shell',
    header: {
      msg_id: id,
      msg_type: 'execute_request',
      session,
      username: 'stand-in',
      version: '5.4',
      date: new Date().toISOString(),
    },
    parentHeader: {},
    metadata: {},
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
}
