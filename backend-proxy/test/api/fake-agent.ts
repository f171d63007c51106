/** An agent that answers from memory, on a real Unix socket: for tests of the daemon's calls to it. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AGENT_PROTOCOL,
  agentContract,
  type AgentStatus,
  HitchError,
  type Kernel,
  type NodePort,
} from '@hitch/contract';
import { transferRoute } from '@hitch/transfer';
import { OpenAPIHandler } from '@orpc/openapi/node';
import { implement } from '@orpc/server';
import type { AgentLink } from '../../src/access/agent-link.ts';
import { portUpgrade } from '../../src/agent/ports/stream.ts';
import { refuseUpgrade, sendError, sendJson, toOrpcError, toShownError } from '../../src/api/envelope.ts';
import { START_MS } from '../store/records.ts';

const BROKEN_AFTER_BYTES = 500_000;
const supervised = { state: 'running', pid: 1, restarts: 0, message: '' } as const;

export class FakeAgent {
  readonly files = new Map<string, Buffer>();
  readonly kernels: Kernel[] = [];
  /** What listens, on the loopback of this computer. */
  readonly ports: NodePort[] = [];
  /** Pieces of files under way. */
  readonly #parts = new Map<string, Buffer>();
  /** Breaks the connection of the next so many raw requests half-way. */
  breakNext = 0;
  /** Files of the transfer routes are real ones, in here. */
  readonly work: string;
  readonly #route;
  readonly #closed = new AbortController();
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-agent-'));
  readonly #server;
  readonly link: AgentLink;

  constructor() {
    const socketPath = join(this.#folder, 's');
    this.work = join(realpathSync(this.#folder), 'work');
    mkdirSync(this.work);
    this.#route = transferRoute(this.work);
    this.link = { address: { socketPath }, token: 'agent-token', closed: this.#closed.signal };
    const handler = new OpenAPIHandler(this.#router(), {
      interceptors: [
        async call => {
          try {
            return await call.next();
          } catch (error) {
            throw toOrpcError(error);
          }
        },
      ],
      customErrorResponseBodyEncoder: error => toShownError(error.cause ?? error).toEnvelope(),
    });
    this.#server = createServer((request, response) => {
      void (async () => {
        try {
          if (request.headers.authorization !== 'Bearer agent-token') {
            throw new HitchError('UNAUTHORIZED', 'No.');
          }
          if (request.url?.startsWith('/transfer/') === true) {
            await this.#transfer(request, response);
          } else if (request.url?.startsWith('/raw-files') === true) {
            await this.#raw(request, response);
          } else {
            await handler.handle(request, response);
          }
        } catch (error) {
          sendError(response, error);
        }
      })();
    });
    const upgrade = portUpgrade({
      addressesOf: port => {
        if (!this.ports.some(entry => entry.port === port)) {
          throw new HitchError('NOT_FOUND', 'No program of this cluster listens there.');
        }
        return ['127.0.0.1'];
      },
    });
    this.#server.on('upgrade', (request, socket, head) => {
      upgrade(new URL(request.url ?? '', 'http://agent'), request, socket, head).catch((error: unknown) =>
        refuseUpgrade(socket, error),
      );
    });
    this.#server.listen(socketPath);
  }

  #router() {
    const os = implement(agentContract);
    const status = (): AgentStatus => ({
      protocol: AGENT_PROTOCOL,
      version: '0.1.0',
      nodeId: 'nod',
      ref: 'ref',
      startedAtMs: START_MS,
      nowMs: START_MS,
      jupyter: supervised,
      engine: { ...supervised, headAddress: null, nodesAlive: null, rayVersion: null },
      kernels: this.kernels,
      watchdog: { state: 'off', reason: 'none', idleSinceMs: null, activity: [], stopAtMs: null },
      signals: null,
    });
    const entry = (path: string) => {
      const bytes = this.files.get(path);
      if (bytes === undefined) {
        throw new HitchError('NOT_FOUND', `There is no ${path} in the work folder.`, { field: 'path' });
      }
      return {
        path,
        name: path.split('/').at(-1) ?? '',
        kind: 'file',
        sizeBytes: bytes.length,
        modifiedAtMs: 0,
        writable: true,
      } as const;
    };
    const refuse = () => {
      throw new HitchError('CONFLICT', 'The fake agent does not do this.');
    };
    return os.router({
      status: os.status.handler(status),
      watch: os.watch.handler(async function* () {
        yield status();
      }),
      use: os.use.handler(({ input }) => ({
        ...{ timesMs: [input.afterMs + 1], more: false },
        series: [{ of: 'machine', id: '', name: '', kind: 'memory', most: 1_000, values: [500] }],
      })),
      startEngine: os.startEngine.handler(refuse),
      setWatchdog: os.setWatchdog.handler(refuse),
      setEnvironment: os.setEnvironment.handler(refuse),
      shutDown: os.shutDown.handler(() => ({})),
      kernels: {
        interruptAll: os.kernels.interruptAll.handler(() => ({ interrupted: 0 })),
        executions: os.kernels.executions.handler(() => []),
        cursor: os.kernels.cursor.handler(() => ({ epoch: 'a', firstSeq: 1, lastSeq: 9, droppedBytes: 0 })),
      },
      terminals: {
        list: os.terminals.list.handler(() => [{ name: 'main', lastActivityMs: START_MS }]),
        create: os.terminals.create.handler(({ input }) => ({
          name: input.name ?? '1',
          lastActivityMs: START_MS,
        })),
        remove: os.terminals.remove.handler(() => ({})),
      },
      jobs: {
        start: os.jobs.start.handler(refuse),
        list: os.jobs.list.handler(() => []),
        get: os.jobs.get.handler(refuse),
        stop: os.jobs.stop.handler(refuse),
        endAll: os.jobs.endAll.handler(() => ({})),
        ofRay: os.jobs.ofRay.handler(() => ({ jobs: [], more: 0 })),
        log: os.jobs.log.handler(refuse),
        metrics: os.jobs.metrics.handler(refuse),
        search: os.jobs.search.handler(refuse),
      },
      allowSsh: os.allowSsh.handler(refuse),
      sshTicket: os.sshTicket.handler(refuse),
      ports: os.ports.handler(() => ({ ports: this.ports, more: 0 })),
      touch: os.touch.handler(() => ({})),
      files: {
        list: os.files.list.handler(({ input }) =>
          [...this.files.keys()].filter(path => parentOf(path) === input.path).map(entry),
        ),
        stat: os.files.stat.handler(({ input }) => entry(input.path)),
        checksum: os.files.checksum.handler(({ input: { path } }) => ({
          path,
          sizeBytes: entry(path).sizeBytes,
          sha256: sha256(this.files.get(path) ?? Buffer.alloc(0)),
        })),
        uploadState: os.files.uploadState.handler(({ input: { path } }) => {
          const file = this.files.get(path);
          return {
            path,
            receivedBytes: (this.#parts.get(path) ?? file)?.length ?? 0,
            complete: !this.#parts.has(path) && file !== undefined,
            sha256: file === undefined ? null : sha256(file),
          };
        }),
        makeFolder: os.files.makeFolder.handler(refuse),
        move: os.files.move.handler(refuse),
        remove: os.files.remove.handler(({ input }) => {
          entry(input.path);
          this.files.delete(input.path);
          return {};
        }),
      },
    });
  }

  /** Breaks those that move content, once some of it has passed. */
  async #transfer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://agent');
    const call = url.pathname.slice('/transfer/'.length);
    if (this.breakNext > 0 && ['read', 'open', 'write', 'append'].includes(call)) {
      this.breakNext -= 1;
      let passed = 0;
      const count = (bytes: number): void => {
        passed += bytes;
        if (passed > BROKEN_AFTER_BYTES) {
          request.socket.destroy();
        }
      };
      request.on('data', (chunk: Buffer) => count(chunk.length));
      const write = response.write.bind(response);
      response.write = (chunk: string | Uint8Array, ...rest: never[]) => {
        count(chunk.length);
        return write(chunk, ...rest);
      };
    }
    await this.#route(url, request, response);
  }

  async #raw(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { searchParams } = new URL(request.url ?? '', 'http://agent');
    const path = searchParams.get('path') ?? '';
    const broken = this.breakNext > 0;
    this.breakNext -= broken ? 1 : 0;
    if (request.method === 'GET' || request.method === 'HEAD') {
      const file = this.files.get(path);
      if (file === undefined) {
        throw new HitchError('NOT_FOUND', `There is no ${path} in the work folder.`, { field: 'path' });
      }
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (start >= file.length && start > 0) {
        response.writeHead(416, {
          'content-type': 'application/octet-stream',
          'content-range': `bytes */${file.length}`,
          'content-length': 0,
        });
        response.end();
        return;
      }
      const bytes = file.subarray(start);
      response.writeHead(request.headers.range === undefined ? 200 : 206, {
        'content-type': 'text/html',
        'content-length': bytes.length,
        'content-range': `bytes ${start}-${file.length - 1}/${file.length}`,
      });
      if (broken) {
        response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
        return;
      }
      response.end(bytes);
      return;
    }
    if (broken) {
      request.destroy();
      return;
    }
    const offset = Number(searchParams.get('offset'));
    const had = offset === 0 ? Buffer.alloc(0) : (this.#parts.get(path) ?? Buffer.alloc(0));
    if (had.length !== offset) {
      throw new HitchError('CONFLICT', 'There is a gap.');
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(Buffer.from(chunk as Uint8Array));
    }
    const bytes = Buffer.concat([had, ...chunks]);
    const complete = bytes.length === Number(searchParams.get('total'));
    if (complete && sha256(bytes) !== searchParams.get('sha256')) {
      throw new HitchError('BAD_INPUT', 'The checksum is wrong.', { field: 'sha256' });
    }
    this.#parts.set(path, bytes);
    if (complete) {
      this.#parts.delete(path);
      this.files.set(path, bytes);
    }
    sendJson(response, 200, {
      path,
      receivedBytes: bytes.length,
      complete,
      sha256: complete ? sha256(bytes) : null,
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
