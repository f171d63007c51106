/** How much one answer of an agent may hold, and the reading of it: nothing is gathered that goes over. */
import { MOST_EXECUTIONS_BYTES, MOST_EXECUTIONS_JSON } from '@hitch/contract';
import { noteBroken } from '@hitch/platform/src/memory.ts';
import type { LinkAnswer } from './link-http.ts';
import { JsonBounds, type JsonLimits, tooMuch } from './json-bounds.ts';
import { mustBe, NotUnderstood } from './not-understood.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const DEPTH = 100;

/** A status, a file, a list of terminals: an honest one has a few kilobytes. */
const USUAL: JsonLimits = { bytes: 512 * KiB, depth: DEPTH, values: 50_000, containers: 10_000 };
/** 20,000 entries with names of a usual length. */
const FOLDER: JsonLimits = { bytes: 8 * MiB, depth: DEPTH, values: 300_000, containers: 25_000 };
/** Outputs of cells; the agent itself leaves out what is more, and says how much. */
const EXECUTIONS: JsonLimits = { bytes: MOST_EXECUTIONS_BYTES, ...MOST_EXECUTIONS_JSON };
const FAILURE: JsonLimits = { bytes: 64 * KiB, depth: DEPTH, values: 1_000, containers: 1_000 };
/** One event of a stream, and whatever stands before it. */
const EVENT_BYTES = 256 * KiB;

function limitsOf(path: string, statusCode: number): JsonLimits {
  if (statusCode >= 400) {
    return FAILURE;
  }
  if (path === '/files' || path.startsWith('/files?')) {
    return FOLDER;
  }
  return /^\/kernels\/[^/]+\/executions(?:\?|$)/.test(path) ? EXECUTIONS : USUAL;
}

const mediaType = (value: unknown): string =>
  typeof value === 'string' ? (value.split(';')[0]?.trim().toLowerCase() ?? '') : '';

/**
 * The answer's body in its bounds: JSON, or a stream of events whose data is. Whatever goes over breaks it off, and ends
 * its connection. @throws NotUnderstood for what is neither.
 */
export function inBounds(
  { statusCode, headers, body }: LinkAnswer,
  path: string,
): AsyncGenerator<Uint8Array> {
  try {
    const encoding = headers['content-encoding'];
    mustBe(encoding === undefined || encoding === 'identity', 'an answer that is compressed');
    mustBe((statusCode >= 200 && statusCode < 300) || statusCode >= 400, `HTTP ${statusCode.toString()}`);
    const type = mediaType(headers['content-type']);
    if (type === 'text/event-stream' && statusCode < 300) {
      return broken(body, eventBounds());
    }
    mustBe(
      type === 'application/json',
      `${type === '' ? 'something of no type' : 'something other'} than JSON`,
    );
    const limits = limitsOf(path, statusCode);
    if (Number(headers['content-length'] ?? 0) > limits.bytes) {
      throw tooMuch('bytes', limits.bytes);
    }
    const bounds = new JsonBounds(limits);
    return broken(body, chunk => bounds.see(chunk));
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** The whole of a short answer. @throws NotUnderstood */
export async function readAnswer(answer: LinkAnswer, path: string): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of inBounds(answer, path)) {
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new NotUnderstood('something that is no JSON', error);
  }
}

const NEWLINE = 0x0a;

/** Counts what comes from one event with data to the next: a stream of comments alone is one that says nothing. */
function eventBounds(): (chunk: Uint8Array) => void {
  let sinceEvent = 0;
  let line = '';
  let hasData = false;
  return chunk => {
    for (const byte of chunk) {
      sinceEvent += 1;
      if (sinceEvent > EVENT_BYTES) {
        throw new NotUnderstood(`more than ${EVENT_BYTES.toLocaleString('en')} bytes in one event`);
      }
      if (byte !== NEWLINE) {
        line = line.length < 5 ? line + String.fromCharCode(byte) : line;
        continue;
      }
      hasData ||= line === 'data:';
      if (line === '' && hasData) {
        sinceEvent = 0;
        hasData = false;
      }
      line = '';
    }
  };
}

async function* broken(
  body: LinkAnswer['body'],
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      if (chunk instanceof Uint8Array) {
        bytes += chunk.length;
        see(chunk);
        yield chunk;
      }
    }
  } catch (error) {
    if (error instanceof NotUnderstood) {
      noteBroken(bytes);
    }
    throw error;
  } finally {
    body.destroy();
  }
}
