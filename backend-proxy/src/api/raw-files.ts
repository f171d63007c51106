/** `GET` and `PUT /clusters/<id>/raw-files`: a file's bytes, streamed between client and agent, never held here. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import {
  type ClusterId,
  HitchError,
  type UploadState,
  uploadStateSchema,
  workPathSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { agentClient } from '../access/agent-client.ts';
import { readAnswer } from '../access/answer-bounds.ts';
import { aboutPath } from '../access/asked-for.ts';
import { dump, type LinkAnswer } from '../access/link-http.ts';
import { issueWords, mustBe, NotUnderstood, saidError } from '../access/not-understood.ts';
import { agentFailure, type AgentCalls } from './agent-calls.ts';
import { sendJson } from './envelope.ts';

const count = z.string().regex(/^\d{1,15}$/, 'must be a number of bytes');
const querySchema = z.object({
  path: workPathSchema.min(1, 'must name a file'),
  offset: count.optional(),
  total: count.optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .optional(),
});

const REQUEST_HEADERS = ['content-length', 'if-range', 'range'];
const ANSWER_HEADERS = ['accept-ranges', 'content-length', 'content-range', 'etag', 'last-modified'];

/** The agent's path for the query; only what is known is passed on. @throws HitchError BAD_INPUT. */
function agentPath(url: URL): string {
  const parsed = querySchema.safeParse(Object.fromEntries(url.searchParams));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = String(issue?.path[0] ?? '');
    const text = issue?.code === 'invalid_type' ? 'is missing' : (issue?.message ?? 'is not valid');
    throw new HitchError('BAD_INPUT', `“${field}” ${text}.`, { field });
  }
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parsed.data)) {
    if (value !== undefined) {
      query.set(name, value);
    }
  }
  return `/raw-files?${query.toString()}`;
}

function picked(headers: IncomingMessage['headers'], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap(name => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

/** The file's own name for a browser that saves it, as RFC 6266 writes names of any alphabet. */
function attachment(path: string): string {
  const name = encodeURIComponent((path.split('/').at(-1) ?? '').toWellFormed());
  return `attachment; filename*=UTF-8''${name.replace(/['()*]/g, character => `%${character.charCodeAt(0).toString(16)}`)}`;
}

export async function passRawFile(
  agents: AgentCalls,
  clusterId: ClusterId,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'PUT') {
    throw new HitchError('NOT_FOUND', 'Files are read with GET and written with PUT.');
  }
  const path = agentPath(url);
  const named = url.searchParams.get('path') ?? '';
  const link = agents.link(clusterId);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const answer = await agentClient(link)
    .raw({
      method,
      path,
      headers: picked(request.headers, REQUEST_HEADERS),
      signal: AbortSignal.any([gone.signal, link.closed]),
      ...(method === 'PUT' ? { body: request } : {}),
    })
    .catch((error: unknown) => {
      throw agentFailure(error, 'The cluster');
    });
  if (isBare(answer, method, request.headers.range)) {
    await passBare(answer, response);
    return;
  }
  if (method === 'PUT' || answer.statusCode >= 400) {
    const state = await uploadAnswer(answer, path, named).catch((error: unknown) => {
      throw agentFailure(error, 'The cluster');
    });
    sendJson(response, 200, state);
    return;
  }
  try {
    checkLength(answer, request.headers.range);
  } catch (error) {
    answer.body.destroy();
    throw error;
  }
  response.writeHead(answer.statusCode, {
    ...picked(answer.headers, ANSWER_HEADERS),
    // A file is bytes to this origin, whatever it contains.
    'content-type': 'application/octet-stream',
    'content-disposition': attachment(named),
  });
  await pipeline(answer.body, response).catch((error: unknown) => {
    throw agentFailure(error, 'The cluster');
  });
}

/** A failure that says all in its head: of a range that the file does not have, or of anything that was asked with HEAD. */
function isBare({ statusCode }: LinkAnswer, method: string, range: string | undefined): boolean {
  return (
    (method === 'HEAD' && statusCode >= 400) ||
    (method === 'GET' && statusCode === 416 && range !== undefined)
  );
}

/** Passes the head on. A body has no place here, whatever a machine sends. @throws HitchError */
async function passBare({ statusCode, headers, body }: LinkAnswer, response: ServerResponse): Promise<void> {
  await dump(body);
  mustBe(statusCode < 600, `HTTP ${statusCode.toString()}`);
  if (statusCode === 401 || statusCode === 403) {
    // The agent's refusal is of this daemon, not of whoever asks it.
    throw agentFailure(new HitchError('UNAUTHORIZED', 'The agent refused the daemon.'), 'The cluster');
  }
  response.writeHead(statusCode, {
    ...picked(headers, ['accept-ranges', 'content-range', 'etag', 'last-modified']),
    'content-type': 'application/octet-stream',
    'content-length': 0,
  });
  response.end();
}

/** The agent's word about a piece that it was sent. @throws HitchError: its own, or that it is not understood. */
async function uploadAnswer(answer: LinkAnswer, path: string, asked: string): Promise<UploadState> {
  const body = await readAnswer(answer, path);
  if (answer.statusCode >= 400) {
    throw saidError(body, answer.statusCode);
  }
  const state = uploadStateSchema.safeParse(body);
  if (!state.success) {
    throw new NotUnderstood(issueWords(state.error.issues));
  }
  return aboutPath(asked, state.data);
}

/** A file's bytes end where its length says: without one they might have no end. @throws NotUnderstood */
function checkLength({ statusCode, headers }: LinkAnswer, range: string | undefined): void {
  if (statusCode === 304) {
    return;
  }
  mustBe(
    statusCode === 200 || (statusCode === 206 && range !== undefined),
    `HTTP ${statusCode.toString()} in the place of a file`,
  );
  mustBe(headers['content-encoding'] === undefined, 'a file that is compressed');
  mustBe(/^\d{1,16}$/.test(headers['content-length'] ?? ''), 'a file without a length');
  const [, from] = /^bytes=(\d+)-/.exec(range ?? '') ?? [];
  const [, at] = /^bytes (\d+)-\d+\/\d+$/.exec(headers['content-range'] ?? '') ?? [];
  mustBe(
    statusCode === 200 || from === undefined || Number(at) === Number(from),
    'another part of the file than the one that was asked',
  );
}
