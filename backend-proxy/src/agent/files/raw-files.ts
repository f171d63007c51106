/** Bytes of files over HTTP: `GET` and `HEAD` with ranges, `PUT` in pieces. */
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HitchError } from '@hitch/contract';
import { openRegular } from '@hitch/transfer';
import { respondJson } from '../http/envelope.ts';
import type { Route } from '../http/server.ts';
import { onFile, type WorkFolder } from './confine.ts';
import { passBytes } from './pass-bytes.ts';
import { pieceSchema, type Uploads } from './uploads.ts';

export function rawFilesRoute(work: WorkFolder, uploads: Uploads): Route {
  return async (url, request, response) => {
    if (url.pathname !== '/raw-files') {
      return false;
    }
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        await send(work, url.searchParams.get('path') ?? '', request, response);
        return true;
      case 'PUT':
        await receive(uploads, url, request, response);
        return true;
      default:
        throw new HitchError('BAD_INPUT', `Files cannot be asked for with ${String(request.method)}.`);
    }
  };
}

async function receive(
  uploads: Uploads,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parsed = pieceSchema.safeParse(Object.fromEntries(url.searchParams));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    throw new HitchError('BAD_INPUT', `The upload's ${field} ${issue?.message ?? 'is not valid'}.`, {
      field,
    });
  }
  respondJson(response, 200, await uploads.put(parsed.data, request));
}

async function send(
  work: WorkFolder,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = await work.target(path);
  const opened = await onFile(file.path, () => openRegular(file.entry));
  try {
    await sendOpened(opened, request, response);
  } finally {
    await opened.close();
  }
}

/** What is sent is the very file that was looked at, whatever stands under its name by now. */
async function sendOpened(
  file: FileHandle,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = await file.stat();
  const etag = `"${found.size.toString(36)}-${Math.floor(found.mtimeMs).toString(36)}"`;
  const ifRange = request.headers['if-range'];
  const range =
    ifRange === undefined || ifRange === etag ? parseRange(request.headers.range, found.size) : 'whole';
  const headers = {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    etag,
    'last-modified': found.mtime.toUTCString(),
  };
  if (range === 'unsatisfiable') {
    response.writeHead(416, {
      ...headers,
      'content-range': `bytes */${found.size.toString()}`,
      'content-length': 0,
    });
    response.end();
    return;
  }
  const { start, end } = range === 'whole' ? { start: 0, end: found.size - 1 } : range;
  response.writeHead(range === 'whole' ? 200 : 206, {
    ...headers,
    'content-length': end - start + 1,
    ...(range === 'whole'
      ? {}
      : { 'content-range': `bytes ${start.toString()}-${end.toString()}/${found.size.toString()}` }),
  });
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  await passBytes(file, { start, end }, response);
  response.end();
}

/** One range; several, or one that is not written as RFC 9110 has it, get the whole file. */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | 'whole' | 'unsatisfiable' {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') {
    return 'whole';
  }
  if (from === '') {
    const start = Math.max(0, sizeBytes - Number(to));
    return Number(to) === 0 || sizeBytes === 0 ? 'unsatisfiable' : { start, end: sizeBytes - 1 };
  }
  const start = Number(from);
  const end = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== '' && Number(to) < start) {
    return 'whole';
  }
  return start >= sizeBytes ? 'unsatisfiable' : { start, end };
}
