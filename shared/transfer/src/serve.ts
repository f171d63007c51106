/** An agent's side of a copy, as routes: whatever a daemon asks of its work folder. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { cutText } from '@hitch/contract/src/said.ts';
import type * as z from 'zod';
import { isUnreadable, reasonOf } from './disk-calls.ts';
import type { Listed } from './entry.ts';
import { DiskThread } from './thread/disk-thread.ts';
import type { Source, Target } from './sides.ts';
import { type Call, CALLS, END_LINE, LINE_CHARACTERS, OPEN_HEADERS, unframed } from './wire.ts';

const PREFIX = '/transfer/';
/** Whoever waits for a long checksum hears so often that it goes on. */
const STILL_THERE_MS = 10_000;

/**
 * @param work the folder that nothing is read or written outside of, with every link on the way followed.
 * @param disk reads and writes it.
 */
export function transferRoute(
  work: string,
  disk: Pick<DiskThread, 'source' | 'target'> = new DiskThread(),
): (url: URL, request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const source = disk.source(work);
  const target = disk.target(work, true);
  return async (url, request, response) => {
    if (!url.pathname.startsWith(PREFIX)) {
      return false;
    }
    if (request.method !== 'POST') {
      throw new HitchError('BAD_INPUT', `Files cannot be asked for with ${String(request.method)}.`);
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('whoever asked has gone')));
    // Whoever needs no more of a body may stop reading it: the connection stays, and the answer can be heard.
    const { value, rest } = await unframed(request.iterator({ destroyOnReturn: false }));
    try {
      await answer(url.pathname.slice(PREFIX.length), value, rest, {
        source,
        target,
        response,
        signal: gone.signal,
      });
    } finally {
      request.resume();
    }
    return true;
  };
}

interface Asked {
  readonly source: Source;
  readonly target: Target;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

async function answer(
  call: string,
  value: unknown,
  bytes: AsyncIterable<Uint8Array>,
  { source, target, response, signal }: Asked,
): Promise<void> {
  switch (call) {
    case 'list': {
      const { roots, rules } = input('list', value);
      await lines(response, shortLines(source.list(roots, rules, signal)));
      return;
    }
    case 'read': {
      const { roots, entries } = input('read', value);
      begin(response, 'application/x-tar');
      await pipeline(Readable.from(source.read(roots, entries, signal), { objectMode: false }), response);
      return;
    }
    case 'open':
      await open(input('open', value), { source, target, response, signal });
      return;
    case 'sourceHash': {
      const { roots, entries, upTo } = input('sourceHash', value);
      await slowly(response, source.hash(roots, entries, upTo, signal));
      return;
    }
    case 'targetHash': {
      const { roots, entries, upTo } = input('targetHash', value);
      await slowly(response, target.hash(roots, entries, upTo, signal));
      return;
    }
    case 'look': {
      const { roots, entries } = input('look', value);
      json(response, await target.look(roots, entries, signal));
      return;
    }
    case 'room':
      json(response, { bytes: await target.room(input('room', value).roots, signal) });
      return;
    case 'write': {
      const { roots, entries, policy } = input('write', value);
      begin(response, 'application/x-ndjson');
      try {
        await target.write(roots, entries, policy, bytes, signal, written => {
          response.write(`${JSON.stringify(written)}\n`);
        });
        response.end(END_LINE);
      } catch (error) {
        response.end(failureLine(error));
      }
      return;
    }
    case 'part': {
      const { roots, entry } = input('part', value);
      json(response, { bytes: await target.part(roots, entry, signal) });
      return;
    }
    case 'partHash': {
      const { roots, entry } = input('partHash', value);
      await slowly(
        response,
        target.partHash(roots, entry, signal).then(sha256 => ({ sha256 })),
      );
      return;
    }
    case 'append': {
      const { roots, entry, offset, policy } = input('append', value);
      json(response, await target.append(roots, entry, offset, policy, bytes, signal));
      return;
    }
    case 'place': {
      const { roots, entry, policy } = input('place', value);
      json(response, await target.place(roots, entry, policy, signal));
      return;
    }
    case 'forget': {
      const { roots, entry } = input('forget', value);
      await target.forget(roots, entry, signal);
      json(response, {});
      return;
    }
    case 'settle': {
      const { roots, entries } = input('settle', value);
      json(response, { missing: await target.settle(roots, entries, signal) });
      return;
    }
    default:
      throw new HitchError('NOT_FOUND', `There is no transfer call “${cutText(call, 40)}”.`);
  }
}

function input<C extends Call>(call: C, value: unknown): z.output<(typeof CALLS)[C]> {
  const found = CALLS[call].safeParse(value);
  if (!found.success) {
    const issue = found.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    throw new HitchError('BAD_INPUT', `“${field}” ${issue?.message ?? 'is not valid'}.`, { field });
  }
  // The schema is that of this call.
  return found.data as z.output<(typeof CALLS)[C]>;
}

async function open(
  { roots, entry, offset }: z.output<typeof CALLS.open>,
  { source, response, signal }: Asked,
): Promise<void> {
  const file = await source.open(roots, entry, offset, signal);
  begin(response, 'application/octet-stream', {
    [OPEN_HEADERS.size]: file.sizeBytes,
    [OPEN_HEADERS.modified]: file.modifiedAtMs,
    [OPEN_HEADERS.mode]: file.mode,
    trailer: `${OPEN_HEADERS.changed}, ${OPEN_HEADERS.unreadable}`,
  });
  let unreadable = '';
  const readable = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* file.bytes;
    } catch (error) {
      if (!isUnreadable(error)) {
        throw error;
      }
      unreadable = reasonOf(error);
    }
  };
  try {
    await pipeline(Readable.from(readable(), { objectMode: false }), response, { end: false });
  } finally {
    await file.close();
  }
  response.addTrailers({
    [OPEN_HEADERS.changed]: file.changed() ? 'yes' : 'no',
    [OPEN_HEADERS.unreadable]: unreadable,
  });
  response.end();
}

const begin = (
  response: ServerResponse,
  type: string,
  headers: Readonly<Record<string, string | number>> = {},
): void => {
  response.writeHead(200, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  });
};

function json(response: ServerResponse, value: unknown): void {
  begin(response, 'application/json');
  response.end(JSON.stringify(value));
}

/** Each entry has its path, and paths may be long: a batch of them becomes several lines where one would be too long. */
async function* shortLines(batches: AsyncIterable<readonly Listed[]>): AsyncGenerator<readonly Listed[]> {
  for await (const batch of batches) {
    let line: Listed[] = [];
    let characters = 0;
    for (const listed of batch) {
      line.push(listed);
      characters += listed.path.length + ('target' in listed ? (listed.target?.length ?? 0) : 0) + 200;
      if (characters > LINE_CHARACTERS) {
        yield line;
        line = [];
        characters = 0;
      }
    }
    if (line.length > 0) {
      yield line;
    }
  }
}

async function lines(response: ServerResponse, values: AsyncIterable<unknown>): Promise<void> {
  begin(response, 'application/x-ndjson');
  const text = async function* (): AsyncGenerator<string> {
    try {
      for await (const value of values) {
        yield `${JSON.stringify(value)}\n`;
      }
      yield END_LINE;
    } catch (error) {
      yield failureLine(error);
    }
  };
  await pipeline(Readable.from(text(), { objectMode: false }), response);
}

/** The answer has begun: what goes wrong from there on is a line of it. */
const failureLine = (error: unknown): string => {
  const known =
    error instanceof HitchError
      ? error
      : new HitchError('INTERNAL', `The agent failed to go on: ${reasonOf(error)}.`, { cause: error });
  return `${JSON.stringify({ error: known.toEnvelope() })}\n`;
};

/** An answer that may take minutes: blanks before it say that it is being made. */
async function slowly(response: ServerResponse, value: Promise<unknown>): Promise<void> {
  begin(response, 'application/json');
  const timer = setInterval(() => response.write(' '), STILL_THERE_MS);
  try {
    response.end(JSON.stringify(await value));
  } finally {
    clearInterval(timer);
  }
}
