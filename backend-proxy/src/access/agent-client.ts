/** The daemon's client of one agent: its contract typed, and its raw routes, over the link's local socket. */
import type { ContractRouterClient } from '@orpc/contract';
import { agentContract, createContractClient, HitchError } from '@hitch/contract';
import type { AgentLink } from './agent-link.ts';
import { type LinkAnswer, type LinkRequest, sendOverLink } from './link-http.ts';

/** An agent that accepted a connection answers at least this fast; a checksum of a large file takes a while. */
const ANSWER_TIMEOUT_MS = 120_000;
/** The longest silence inside an answer; `watch` speaks every 10 s. */
const SILENCE_TIMEOUT_MS = 60_000;
const TIMEOUTS = { answerWithinMs: ANSWER_TIMEOUT_MS, silenceMs: SILENCE_TIMEOUT_MS } as const;

const NO_ANSWER = 'The machine’s agent does not answer; its work may go on.';

export type RawRequest = Omit<LinkRequest, 'answerWithinMs' | 'silenceMs'>;

export interface AgentClient {
  readonly call: ContractRouterClient<typeof agentContract>;
  /** One of the agent's raw routes, streamed both ways. @throws HitchError UNREACHABLE. */
  raw(request: RawRequest): Promise<LinkAnswer>;
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
  const fetchOverSocket = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const answer = await sendOverLink(link, {
      ...TIMEOUTS,
      method: request.method,
      path: `${pathname}${search}`,
      headers: Object.fromEntries(request.headers),
      ...(request.body === null ? {} : { body: new Uint8Array(await request.arrayBuffer()) }),
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
      url: 'http://agent',
      // The link adds its bearer.
      headers: () => ({}),
      fetch: fetchOverSocket,
      unreachable: NO_ANSWER,
    }),
    async raw(request) {
      try {
        return await sendOverLink(link, { ...TIMEOUTS, ...request });
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
function streamOf(body: LinkAnswer['body']): ReadableStream<Uint8Array> {
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
