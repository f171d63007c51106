/**
 * HTTP to an agent over its link: `node:http`, which the daemon has loaded for its server anyway. Connections are kept
 * between requests and closed with the link.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { noteRead } from '@hitch/platform/src/memory.ts';
import type { AgentLink } from './agent-link.ts';
import { NotUnderstood } from './not-understood.ts';

export interface LinkRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
  readonly signal?: AbortSignal;
  /** The longest silence before the answer begins. */
  readonly answerWithinMs: number;
  /** The longest silence inside the answer. */
  readonly silenceMs: number;
}

/** The head of an answer; its `body` is still to be read, or to be dropped with {@link dump}. */
export interface LinkAnswer {
  readonly statusCode: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: IncomingMessage;
}

/** Kept for the next request, of one link. */
const FREE_CONNECTIONS = 4;

/** `102 Processing` and the like. Ours send none. */
const MOST_INTERIM = 10;

const agents = new WeakMap<AgentLink, Agent>();

function agentOf(link: AgentLink): Agent {
  const known = agents.get(link);
  if (known !== undefined) {
    return known;
  }
  const agent = new Agent({ keepAlive: true, maxFreeSockets: FREE_CONNECTIONS });
  agents.set(link, agent);
  link.closed.addEventListener('abort', () => agent.destroy(), { once: true });
  return agent;
}

/**
 * Sends one request with the link's bearer. Rejects with Node's own error when nobody answers, or with the signal's
 * abort; a closed link ends requests under way.
 */
export async function sendOverLink(link: AgentLink, asked: LinkRequest): Promise<LinkAnswer> {
  try {
    return await send(link, asked);
  } catch (error) {
    // The agent closed the kept connection in the moment it was used again.
    if (error instanceof StaleConnection && !(asked.signal?.aborted ?? false)) {
      return send(link, asked);
    }
    throw error instanceof StaleConnection ? error.cause : error;
  }
}

/** A kept connection was gone before a request that only reads was answered: asking again is harmless. */
class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

/**
 * The signals of requests whose answers are not over. One that is made of others (`AbortSignal.any`) is collected as soon as
 * nobody holds it, listeners or not, and a stream without an end would then have no time limit either.
 */
const held = new Set<{ readonly signal: AbortSignal | undefined }>();

function send(link: AgentLink, asked: LinkRequest): Promise<LinkAnswer> {
  return new Promise((resolve, reject) => {
    link.closed.throwIfAborted();
    asked.signal?.throwIfAborted();
    const { body, signal } = asked;
    const hold = { signal };
    held.add(hold);
    const outgoing = request({
      ...link.address,
      agent: agentOf(link),
      method: asked.method,
      path: asked.path,
      headers: {
        ...asked.headers,
        host: 'agent',
        authorization: `Bearer ${link.token}`,
        ...(typeof body === 'string' || body instanceof Uint8Array
          ? { 'content-length': Buffer.byteLength(body) }
          : {}),
      },
    });
    const giveUp = (): void => {
      outgoing.destroy(signal?.reason instanceof Error ? signal.reason : new Error('given up'));
    };
    // Not by Node's own option: it destroys the connection with an error that nobody hears when the answer is over.
    signal?.addEventListener('abort', giveUp, { once: true });
    outgoing.once('socket', watchSocket);
    outgoing.once('close', () => {
      held.delete(hold);
      signal?.removeEventListener('abort', giveUp);
    });
    outgoing.setTimeout(asked.answerWithinMs, () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', (cause: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && cause.code === 'ECONNRESET' && readsOnly(asked.method);
      reject(stale ? new StaleConnection(cause.message, { cause }) : cause);
    });
    let interim = 0;
    outgoing.on('information', () => {
      interim += 1;
      if (interim > MOST_INTERIM) {
        outgoing.destroy(new NotUnderstood(`more than ${MOST_INTERIM.toString()} answers that are none yet`));
      }
    });
    outgoing.once('response', answer => {
      // One that is given up while nobody reads it has its error all the same; unheard, it would end the daemon.
      answer.on('error', ignore);
      outgoing.setTimeout(asked.silenceMs, () => answer.destroy(new Error('the answer went silent')));
      resolve({ statusCode: answer.statusCode ?? 0, headers: answer.headers, body: answer });
    });
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      outgoing.end(body);
    } else {
      body.once('error', error => outgoing.destroy(error));
      body.pipe(outgoing);
    }
  });
}

const ignore = (): void => undefined;

const heard = new WeakSet<Socket>();

/** A connection that breaks between two requests has nobody to tell, and would end the daemon. */
function watchSocket(socket: Socket): void {
  if (!heard.has(socket)) {
    heard.add(socket);
    socket.on('error', ignore);
    socket.on('data', (bytes: Buffer) => noteRead(bytes.length));
  }
}

const readsOnly = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** More than that is not read to keep a connection. */
const DUMPED_BYTES = 64 * 1024;

/** Reads a short body to its end and forgets it, so that its connection can be used again; a longer one is broken off. */
export async function dump(body: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk instanceof Uint8Array ? chunk.length : 0;
      if (bytes > DUMPED_BYTES) {
        break;
      }
    }
  } catch {
    // It broke by itself.
  }
  body.destroy();
}
