/** What stands in the place of a machine's agent and Jupyter Server, and answers cells as a test wants it to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeMessage,
  encodeControl,
  encodeMessage,
  KERNEL_PROTOCOL_HITCH,
  type KernelMessage,
  SEQUENCE_BYTES,
  writeUint64,
} from '@hitch/contract';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AgentLink } from '../../src/access/agent-link.ts';

const KERNEL_ID = '0f0f0f0f-0000-4000-8000-000000000000';

export class LyingKernel {
  readonly link: AgentLink;
  /** What it sends when it is asked to run a cell: v1 frames, good or bad. */
  answer: (request: KernelMessage) => readonly Uint8Array[] = () => [];
  /** What it says when a cell is to run, beside the cursor protocol; null: nothing. */
  says: Uint8Array | null = null;
  /** Its answer to `GET /api/kernelspecs`. */
  kernelspecs = JSON.stringify({
    default: 'python3',
    kernelspecs: { python3: { name: 'python3', spec: { language: 'python', display_name: 'Python 3' } } },
  });
  readonly #closed = new AbortController();
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-liar-'));
  readonly #server;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => KERNEL_PROTOCOL_HITCH });
  #seq = 0;

  constructor() {
    const socketPath = join(this.#folder, 's');
    this.link = { address: { socketPath }, token: 'liar', closed: this.#closed.signal };
    this.#server = createServer((request, response) => {
      const isSession = request.method === 'POST' && request.url?.endsWith('/sessions') === true;
      request.resume();
      response.setHeader('content-type', 'application/json');
      response.statusCode = request.method === 'DELETE' ? 204 : isSession ? 201 : 200;
      response.end(
        request.method === 'DELETE'
          ? ''
          : isSession
            ? JSON.stringify({ id: 's', kernel: { id: KERNEL_ID, name: 'python3' } })
            : this.kernelspecs,
      );
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, upgraded => this.#greet(upgraded));
    });
    this.#server.listen(socketPath);
  }

  #greet(socket: WebSocket): void {
    socket.on('error', () => socket.terminate());
    socket.send(
      encodeControl({ type: 'hello', epoch: 'e', firstSeq: 1, lastSeq: this.#seq, resumed: false }),
    );
    socket.on('message', (data, isBinary) => {
      if (isBinary && Buffer.isBuffer(data)) {
        if (this.says !== null) socket.send(this.says);
        this.answer(decodeMessage(new Uint8Array(data))).forEach(frame => socket.send(this.#numbered(frame)));
      }
    });
  }

  #numbered(frame: Uint8Array): Uint8Array {
    const numbered = new Uint8Array(SEQUENCE_BYTES + frame.byteLength);
    writeUint64(new DataView(numbered.buffer), 0, ++this.#seq, false);
    numbered.set(frame, SEQUENCE_BYTES);
    return numbered;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#sockets.clients.forEach(client => client.terminate());
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

let count = 0;

/** An honest frame of a kernel. */
export const frameOf = (
  request: KernelMessage,
  channel: KernelMessage['channel'],
  type: string,
  content: KernelMessage['content'],
): Uint8Array =>
  encodeMessage({
    channel,
    header: { msg_id: `k${(count++).toString()}`, msg_type: type, session: 'kernel' },
    parentHeader: request.header,
    metadata: {},
    content,
    buffers: [],
  });

/** A cell that prints this and ends well. */
export const printing = (request: KernelMessage, text: string): readonly Uint8Array[] => [
  frameOf(request, 'iopub', 'stream', { name: 'stdout', text }),
  frameOf(request, 'shell', 'execute_reply', { status: 'ok', execution_count: 1 }),
  frameOf(request, 'iopub', 'status', { execution_state: 'idle' }),
];

const raw = (parts: readonly string[]): Uint8Array => {
  const bytes = parts.map(part => Buffer.from(part));
  const first = 8 * (2 + bytes.length);
  const offsets = bytes.reduce<number[]>(
    (known, part) => [...known, (known.at(-1) ?? 0) + part.length],
    [first],
  );
  const frame = Buffer.alloc((offsets.at(-1) ?? 0) + 0);
  [offsets.length, ...offsets].forEach((value, index) => frame.writeBigUInt64LE(BigInt(value), 8 * index));
  Buffer.concat(bytes).copy(frame, first);
  return new Uint8Array(frame);
};

/** Frames that are none, each in its own way. */
export const BAD_FRAMES: Readonly<Record<string, Uint8Array>> = {
  empty: new Uint8Array(0),
  'three bytes': new Uint8Array([1, 2, 3]),
  'a count beyond all numbers': new Uint8Array(64).fill(0xff),
  'no offsets': new Uint8Array(8),
  'a text instead': new TextEncoder().encode('{"header":{}}'.repeat(10)),
  'an unknown channel': raw(['evil', '{"msg_id":"a","msg_type":"b"}', '{}', '{}', '{}']),
  'a header that is no JSON': raw(['iopub', '{', '{}', '{}', '{}']),
  'a header that is a list': raw(['iopub', '[]', '{}', '{}', '{}']),
  'a type that is a number': raw(['iopub', '{"msg_id":"a","msg_type":1}', '{}', '{}', '{}']),
  'a parent that is null': raw(['iopub', '{"msg_id":"a","msg_type":"b"}', 'null', '{}', '{}']),
  'a content that is a text': raw([
    'iopub',
    '{"msg_id":"a","msg_type":"b"}',
    '{}',
    '{}',
    '"\\u001b]0;x\\u0007"',
  ]),
  'a content that is no JSON': raw([
    'iopub',
    '{"msg_id":"a","msg_type":"b"}',
    '{}',
    '{}',
    '\u001b]0;x\u0007',
  ]),
};
