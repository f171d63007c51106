/** A simulator over HTTP on this computer: for the networks' own clients, for daemons of tests, and for people. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Faults } from './faults.ts';
import type { SimAnswer, SimRequest, Simulator } from './simulator.ts';
import { bodyOf, httpAnswer } from './transport.ts';

export interface SimulatorServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
}

export interface ServerOptions {
  readonly clock: Clock;
  readonly faults: Faults;
  /** 0 or left out: any that is free. */
  readonly port?: number;
  /** Hears of each request and of what was answered. */
  readonly heard?: (request: SimRequest, status: number) => void;
}

/** Ends with what it gives back; the simulator itself stays open. */
export async function serveSimulator(simulator: Simulator, options: ServerOptions): Promise<SimulatorServer> {
  const server = createServer((request, response) => {
    respond(simulator, options, request, response).catch(() => {
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port.toString()}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>(resolve => {
        server.close(() => {
          resolve();
        });
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(
  simulator: Simulator,
  { clock, faults, heard }: ServerOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = await read(incoming);
  const fault = faults.of(request);
  if (fault?.does === 'before' || fault?.does === 'refuse') {
    incoming.socket.destroy();
    return;
  }
  const real =
    fault?.does === 'answer'
      ? fault.answer
      : faults.answered(request, await simulator.handle(request), fault);
  if (fault?.does === 'slow') {
    await clock.sleep(fault.ms);
  }
  const given = fault?.does === 'answer-after' ? fault.answer : real;
  heard?.(request, given.status);
  if (fault?.does === 'lose-reply') {
    incoming.socket.destroy();
    return;
  }
  send(response, given, clock, fault?.does === 'cut');
}

function send(response: ServerResponse, answer: SimAnswer, clock: Clock, isCut: boolean): void {
  const { status, headers, text } = httpAnswer(answer, clock);
  const bytes = Buffer.from(text);
  response.writeHead(status, {
    ...headers,
    ...(status === 204 ? {} : { 'content-length': bytes.byteLength }),
  });
  if (isCut) {
    response.write(bytes.subarray(0, Math.floor(bytes.byteLength / 2)), () => response.destroy());
  } else {
    response.end(bytes);
  }
}

async function read(incoming: IncomingMessage): Promise<SimRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    chunks.push(Buffer.from(chunk as Uint8Array));
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://simulator');
  return {
    method: incoming.method ?? 'GET',
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
    body: text === '' ? undefined : bodyOf(text),
  };
}
