/** A stand-in for Ray's dashboard that answers as told and records what it was asked. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

export interface Asked {
  method: string;
  /** Path and query, as they came. */
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Answer = (asked: Asked, response: ServerResponse) => void;
export type Upgrade = (socket: Duplex, accept: () => Promise<WebSocket>, request: IncomingMessage) => void;

export class FakeHead implements AsyncDisposable {
  readonly asked: Asked[] = [];
  answer: Answer = (_asked, response) => {
    text(response, 404, '404: Not Found');
  };
  upgrade: Upgrade = socket => {
    socket.destroy();
  };
  /** Where it listens: a TCP address, and the path of a Unix socket when asked for one. */
  baseUrl = '';
  socketPath = '';
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  readonly #connections = new Set<Duplex>();
  #folder: string | undefined;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#serve(request, response);
    });
    this.#server.on('connection', socket => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
      socket.on('error', () => undefined);
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
      this.asked.push({ method: 'UPGRADE', url: request.url ?? '', headers: request.headers, body: '' });
      const accept = () =>
        new Promise<WebSocket>(resolve => {
          this.#webSockets.handleUpgrade(request, socket, rest, resolve);
        });
      this.upgrade(socket, accept, request);
    });
  }

  static async start(where: 'tcp' | 'unix' = 'tcp'): Promise<FakeHead> {
    const head = new FakeHead();
    if (where === 'unix') {
      head.#folder = await mkdtemp(join(tmpdir(), 'fake-ray-'));
      head.socketPath = join(head.#folder, 'dashboard.sock');
    }
    await new Promise<void>(resolve => {
      if (where === 'unix') head.#server.listen(head.socketPath, resolve);
      else head.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = head.#server.address();
    head.baseUrl =
      typeof address === 'object' && address !== null
        ? `http://127.0.0.1:${String(address.port)}`
        : 'http://ray';
    return head;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>(resolve => {
      this.#server.close(() => {
        resolve();
      });
    });
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    request.on('data', (chunk: Buffer) => parts.push(chunk));
    await once(request, 'end');
    const asked = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(parts).toString('utf8'),
    };
    this.asked.push(asked);
    this.answer(asked, response);
  }
}

export function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
}

/** JSON as Python writes it: every character beyond ASCII escaped. */
export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(pythonJson(body));
}

export function pythonJson(body: unknown): string {
  return JSON.stringify(body).replace(
    /[\u0080-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A job's details as Ray gives them, in the given status. */
export function jobIn(status: string, id = 'j1'): Record<string, unknown> {
  return {
    type: 'SUBMISSION',
    job_id: null,
    submission_id: id,
    driver_info: null,
    status,
    entrypoint: 'python train.py',
    message: null,
    error_type: null,
    start_time: 1795345298837,
    end_time: null,
    metadata: null,
    runtime_env: null,
    driver_agent_http_address: 'http://192.0.2.2:52365',
    driver_node_id: 'n1',
    driver_exit_code: null,
  };
}

/** Everything that a stream of text hands out, piece by piece. */
export async function collect(pieces: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
