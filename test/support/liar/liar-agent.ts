/**
 * A machine's agent that lies: it listens where the real one would, answers as it was told, and otherwise as an honest one.
 * It knows no contract: honest answers and lies come from the test (`honest.json`, and `POST /liar`).
 */
import { readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { HonestAnswer, Lie, Piece } from './lie.ts';

const SAYS_AGAIN_MS = 400;

interface Config {
  readonly listen: string;
  readonly nodeId: string;
  readonly ref: string;
}

interface Told {
  readonly route: string;
  readonly lies: readonly Lie[];
}

export function lie(configPath: string, honestPath: string): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as Config;
  const honest = JSON.parse(readFileSync(honestPath, 'utf8')) as readonly HonestAnswer[];
  new Liar(config, honest).listen();
}

class Liar {
  readonly #config: Config;
  readonly #routes: readonly (HonestAnswer & { readonly pattern: RegExp })[];
  /** Lies still to be told, by the route's name. */
  readonly #lies = new Map<string, Lie[]>();
  readonly #streams = new Set<ServerResponse>();
  #toldLies = 0;
  /** The job that was asked for last: `$jobId` in what is said stands for it, unless the question names another. */
  #jobId = '';

  constructor(config: Config, honest: readonly HonestAnswer[]) {
    this.#config = config;
    this.#routes = honest.map(answer => ({
      ...answer,
      text: answer.text.replaceAll('$nodeId', config.nodeId).replaceAll('$ref', config.ref),
      pattern: new RegExp(`^${answer.path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
    }));
  }

  listen(): void {
    const server = createServer((request, response) => {
      response.on('error', () => undefined);
      this.#answer(request, response).catch(() => response.destroy());
    });
    server.on('upgrade', (request, socket: Duplex) => {
      socket.on('error', () => undefined);
      void this.#upgrade(request, socket);
    });
    rmSync(this.#config.listen, { force: true });
    server.listen(this.#config.listen);
    process.on('uncaughtException', error => process.stderr.write(`${String(error)}\n`));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://liar');
    if (pathname === '/liar') {
      await this.#control(request, response);
      return;
    }
    const route = this.#routes.find(
      ({ method, pattern }) => method === request.method && pattern.test(pathname),
    );
    const name = route?.name ?? pathname;
    await this.#hearOfJobs(name, pathname, request);
    const next = this.#lies.get(name)?.shift();
    if (next !== undefined) {
      this.#toldLies += 1;
      await tell({ ...next, pieces: next.pieces.map(piece => this.#aboutJob(piece)) }, response);
    } else if (route === undefined) {
      response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
    } else if (route.isStream) {
      await this.#stream(route.text, response);
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end(this.#naming(route.text));
    }
  }

  async #hearOfJobs(name: string, pathname: string, request: IncomingMessage): Promise<void> {
    if (name === 'jobs.start') {
      const { jobId } = JSON.parse(await text(request)) as { readonly jobId?: string };
      this.#jobId = jobId ?? this.#jobId;
    } else {
      request.resume();
      this.#jobId = /^\/jobs\/([^/]+)/.exec(pathname)?.[1] ?? this.#jobId;
    }
  }

  #naming(said: string): string {
    return said.replaceAll('$jobId', this.#jobId);
  }

  #aboutJob(piece: Piece): Piece {
    return typeof piece === 'string' ? this.#naming(piece) : piece;
  }

  /** `POST`: lies for a route · `GET`: how many it has told, and how many are left of each route. */
  async #control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'POST') {
      const { route, lies } = JSON.parse(await text(request)) as Told;
      this.#lies.set(route, [...(this.#lies.get(route) ?? []), ...lies]);
      if (this.#routes.some(({ name, isStream }) => isStream && name === route)) {
        this.#streams.forEach(stream => stream.end());
      }
    }
    const left = Object.fromEntries([...this.#lies].map(([name, { length }]) => [name, length]));
    response.end(JSON.stringify({ told: this.#toldLies, left }));
  }

  async #stream(said: string, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
    while (!response.destroyed && !response.writableEnded) {
      response.write(`event: message\ndata: ${said}\n\n`);
      await delay(SAYS_AGAIN_MS);
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://liar');
    const next = this.#lies.get(`upgrade ${pathname}`)?.shift();
    if (next === undefined) {
      socket.destroy();
      return;
    }
    this.#toldLies += 1;
    await say(next, socket);
    socket.destroy();
  }
}

async function tell(lie: Lie, response: ServerResponse): Promise<void> {
  if (lie.silent === true) {
    return;
  }
  if (lie.raw === true) {
    const { socket } = response;
    if (socket !== null) {
      await say(lie, socket);
      socket.destroy();
    }
    return;
  }
  response.writeHead(lie.status ?? 200, lie.headers ?? {});
  response.flushHeaders();
  await say(lie, response);
  if (lie.breaks === true) {
    response.destroy();
  } else {
    response.end();
  }
}

/** Says the pieces as fast as they are taken, until they are over or nobody listens. */
async function say(
  { pieces, everyMs }: Lie,
  to: NodeJS.WritableStream & { readonly destroyed?: boolean },
): Promise<void> {
  for (const piece of pieces) {
    for (const bytes of repeated(piece)) {
      if (everyMs !== undefined) {
        await delay(everyMs);
      }
      if (to.destroyed === true) {
        return;
      }
      if (!to.write(bytes)) {
        await new Promise(resolve => {
          to.once('drain', resolve);
          to.once('close', resolve);
        });
      }
    }
  }
}

function* repeated(piece: Piece): Generator<Buffer> {
  if (typeof piece === 'string') {
    yield Buffer.from(piece);
  } else if ('base64' in piece) {
    yield Buffer.from(piece.base64, 'base64');
  } else {
    const bytes = Buffer.from(piece.text);
    for (let said = 0; piece.times < 0 || said < piece.times; said++) {
      yield bytes;
    }
  }
}
