/** An agent's side of copies over real HTTP in this process, and a way to it that breaks as a seed says. */
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { bytesOf } from '../../src/packed.ts';
import type { SendTransfer } from '../../src/remote.ts';
import { transferRoute } from '../../src/serve.ts';
import type { Disk } from './rig.ts';
import type { Chance } from './chance.ts';

export class Served {
  readonly #server: Server;
  readonly #socketPath: string;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, socketPath: string) {
    this.#server = server;
    this.#socketPath = socketPath;
    server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param work the agent's work folder. @param folder a short path, for the socket. */
  static async over(work: string, folder: string, disk: Disk): Promise<Served> {
    const route = transferRoute(work, disk);
    const server = createServer((asked, response) => {
      route(new URL(asked.url ?? '/', 'http://agent'), asked, response).catch((error: unknown) => {
        respondError(response, error);
      });
    });
    const socketPath = join(folder, 'agent.sock');
    await new Promise<void>(resolve => {
      server.listen(socketPath, resolve);
    });
    return new Served(server, socketPath);
  }

  /** Breaks every connection; what was being answered may still be at work. */
  cut(): void {
    this.#sockets.forEach(socket => socket.destroy());
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise(resolve => {
      this.#server.close(resolve);
    });
  }

  readonly send: SendTransfer = ({ path, body, signal }) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: this.#socketPath, method: 'POST', path, signal, agent: false });
      outgoing.once('error', cause =>
        reject(signal.aborted ? cause : new HitchError('UNREACHABLE', 'Nobody answers.', { cause })),
      );
      outgoing.once('response', answer => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: bytesOf(answer),
          trailers: () => answer.trailers,
          drop: async () => {
            answer.destroy();
          },
        });
      });
      if (Buffer.isBuffer(body)) {
        outgoing.end(body);
      } else {
        const bytes = Readable.from(body, { objectMode: false });
        bytes.once('error', error => outgoing.destroy(error));
        bytes.pipe(outgoing);
      }
    });
}

function respondError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const known = error instanceof HitchError ? error : new HitchError('INTERNAL', String(error));
  response.writeHead(known.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(known.toEnvelope()));
}

const broken = (what: string): HitchError => new HitchError('UNREACHABLE', `The test broke ${what}.`);

const FAULTS = ['refused', 'cut while sending', 'cut while answering', 'answer lost', 'all cut'] as const;

/**
 * Breaks calls, and calls back at each, whether it breaks or not.
 * @param most faults there are; after them all goes well.
 */
export function breaking(
  served: Served,
  chance: Chance,
  most: number,
  share: number,
  onCall: (path: string) => void,
): SendTransfer {
  let left = most;
  return async asked => {
    onCall(asked.path);
    if (left === 0 || !chance.happens(share)) {
      return served.send(asked);
    }
    left -= 1;
    const fault = chance.pick(FAULTS);
    // Often in the first bytes, sometimes in the middle of much.
    const after = Math.floor(10 ** (chance.next() * 6.5));
    switch (fault) {
      case 'refused':
        throw broken('the call');
      case 'cut while sending':
        return served.send(
          Buffer.isBuffer(asked.body)
            ? { ...asked, body: cutAfter(Readable.from([asked.body]), after, fault) }
            : { ...asked, body: cutAfter(asked.body, after, fault) },
        );
      case 'cut while answering': {
        const answer = await served.send(asked);
        return { ...answer, body: cutAfter(answer.body, after, fault, () => answer.drop()) };
      }
      case 'answer lost': {
        const answer = await served.send(asked);
        return { ...answer, body: lost(answer.body) };
      }
      case 'all cut': {
        const answer = await served.send(asked);
        return {
          ...answer,
          body: cutAfter(answer.body, after, fault, async () => served.cut()),
        };
      }
    }
  };
}

async function* cutAfter(
  bytes: AsyncIterable<Uint8Array>,
  most: number,
  what: string,
  cut: () => Promise<void> = () => Promise.resolve(),
): AsyncGenerator<Uint8Array> {
  let left = most;
  for await (const some of bytes) {
    if (some.length > left) {
      yield some.subarray(0, left);
      await cut();
      throw broken(what);
    }
    left -= some.length;
    yield some;
  }
}

/** The other side did all it was asked, and nobody hears of it. */
async function* lost(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const nothing: Uint8Array[] = [];
  for await (const some of bytes) {
    nothing[0] = some;
  }
  yield* nothing.slice(1);
  throw broken('the answer');
}
