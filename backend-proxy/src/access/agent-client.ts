/** The daemon's client of one agent: its contract typed, and its raw routes, over the link's local socket. */
import type { ContractRouterClient } from '@orpc/contract';
import { agentContract, createContractClient, HitchError } from '@hitch/contract';
import { Agent, request as send, type Dispatcher } from 'undici';
import type { AgentLink } from './agent-link.ts';

/** An agent that accepted a connection answers at least this fast; a checksum of a large file takes a while. */
const ANSWER_TIMEOUT_MS = 120_000;
/** The longest silence inside an answer; `watch` speaks every 10 s. */
const SILENCE_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;

const NO_ANSWER = 'The machine’s agent does not answer; its work may go on.';

export interface RawRequest {
  readonly method: Dispatcher.HttpMethod;
  /** Path and query, such as `/raw-files?path=a.txt`. */
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Dispatcher.DispatchOptions['body'];
  readonly signal?: AbortSignal;
}

export interface AgentClient {
  readonly call: ContractRouterClient<typeof agentContract>;
  /** One of the agent's raw routes, streamed both ways. @throws HitchError UNREACHABLE. */
  raw(request: RawRequest): Promise<Dispatcher.ResponseData>;
}

const clients = new WeakMap<AgentLink, AgentClient>();

/** The client of a link; the same one each time it is asked for, its connections closed when the link is. */
export function agentClient(link: AgentLink): AgentClient {
  const known = clients.get(link);
  if (known !== undefined) {
    return known;
  }
  const client = create(link);
  clients.set(link, client);
  return client;
}

function create(link: AgentLink): AgentClient {
  const { address } = link;
  const origin =
    'socketPath' in address ? 'http://agent' : `http://${address.host}:${address.port.toString()}`;
  const dispatcher = new Agent({
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      ...('socketPath' in address ? { socketPath: address.socketPath } : {}),
    },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
  });
  link.closed.addEventListener('abort', () => void dispatcher.destroy().catch(() => undefined), {
    once: true,
  });
  const authorization = `Bearer ${link.token}`;

  const fetchOverSocket = async (request: Request): Promise<Response> => {
    const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
    const answer = await send(request.url, {
      dispatcher,
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body,
      signal: request.signal,
    });
    const headers = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) {
          headers.append(name, one);
        }
      }
    }
    const empty = answer.statusCode === 204 || answer.statusCode === 304;
    return new Response(empty ? null : streamOf(answer.body), { status: answer.statusCode, headers });
  };

  return {
    call: createContractClient(agentContract, {
      url: origin,
      headers: () => ({ authorization }),
      fetch: fetchOverSocket,
      unreachable: NO_ANSWER,
    }),
    async raw(request) {
      try {
        return await send(`${origin}${request.path}`, {
          dispatcher,
          method: request.method,
          headers: { ...request.headers, authorization },
          ...(request.body === undefined ? {} : { body: request.body }),
          ...(request.signal === undefined ? {} : { signal: request.signal }),
        });
      } catch (error) {
        if (request.signal?.aborted === true) {
          throw error;
        }
        throw new HitchError('UNREACHABLE', NO_ANSWER, { cause: error });
      }
    },
  };
}

/** Bytes of a Node stream as a web stream that passes cancellation and back-pressure on. */
function streamOf(body: Dispatcher.ResponseData['body']): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) {
        controller.close();
      } else {
        controller.enqueue(next.value);
      }
    },
    cancel() {
      body.destroy();
    },
  });
}
