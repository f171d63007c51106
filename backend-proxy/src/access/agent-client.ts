/** The daemon's client of one agent: its contract typed, and its raw routes, over the link's local socket. */
import { ORPCError } from '@orpc/client';
import { type ContractRouterClient, ValidationError } from '@orpc/contract';
import { ResponseValidationPlugin } from '@orpc/contract/plugins';
import { agentContract, createContractClient, HitchError, isAbort } from '@hitch/contract';
import type { AgentLink } from './agent-link.ts';
import { inBounds } from './answer-bounds.ts';
import { type LinkAnswer, type LinkRequest, sendOverLink } from './link-http.ts';
import { issueWords, NotUnderstood, saidError } from './not-understood.ts';

/** An agent that accepted a connection answers at least this fast; a checksum of a large file takes a while. */
const ANSWER_TIMEOUT_MS = 120_000;
/** The longest silence inside an answer; `watch` speaks every 10 s. */
const SILENCE_TIMEOUT_MS = 60_000;
const TIMEOUTS = { answerWithinMs: ANSWER_TIMEOUT_MS, silenceMs: SILENCE_TIMEOUT_MS } as const;

const NO_ANSWER = 'The machine’s agent does not answer; its work may continue.';

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
  const fetchOverSocket = async (request: Request, signal: AbortSignal | undefined): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const path = `${pathname}${search}`;
    const answer = await sendOverLink(link, {
      ...TIMEOUTS,
      method: request.method,
      path,
      headers: Object.fromEntries(request.headers),
      ...(request.body === null ? {} : { body: new Uint8Array(await request.arrayBuffer()) }),
      ...(signal === undefined ? {} : { signal }),
    });
    // Other headers would have the body read as a file or a form.
    const headers = { 'content-type': answer.headers['content-type'] ?? '' };
    return new Response(streamOf(inBounds(answer, path)), { status: answer.statusCode, headers });
  };

  return {
    call: createContractClient(agentContract, {
      url: 'http://agent',
      // The link adds its bearer.
      headers: () => ({}),
      fetch: fetchOverSocket,
      unreachable: NO_ANSWER,
      plugins: [new ResponseValidationPlugin(agentContract)],
      failure: agentError,
    }),
    async raw(request) {
      try {
        return await sendOverLink(link, { ...TIMEOUTS, ...request });
      } catch (error) {
        if (request.signal?.aborted === true) {
          throw error;
        }
        throw agentError(error);
      }
    },
  };
}

/**
 * What a failed call to an agent means: its own error, an answer that is not understood, or none at all. The caller's
 * own abort passes through.
 */
export function agentError(error: unknown): unknown {
  const known = causesOf(error).find(cause => cause instanceof HitchError);
  if (known !== undefined) {
    return known;
  }
  if (error instanceof ORPCError && !(error.cause instanceof ValidationError)) {
    return saidError(error.data, error.status, error);
  }
  for (const cause of causesOf(error)) {
    if (isAbort(cause)) {
      return cause;
    }
    if (cause instanceof ValidationError) {
      return new NotUnderstood(issueWords(cause.issues), error);
    }
    if (cause instanceof SyntaxError) {
      return new NotUnderstood('something that is no JSON', error);
    }
    const code = 'code' in cause ? String(cause.code) : '';
    if (code.startsWith('HPE_')) {
      return new NotUnderstood('something that is no HTTP', error);
    }
  }
  return new HitchError('UNREACHABLE', NO_ANSWER, { cause: error });
}

function causesOf(error: unknown): readonly Error[] {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error && causes.length < 8; at = at.cause) {
    causes.push(at);
  }
  return causes;
}

/** Bytes as a web stream that passes cancellation and back-pressure on. */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) {
        controller.close();
      } else {
        controller.enqueue(next.value);
      }
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}
