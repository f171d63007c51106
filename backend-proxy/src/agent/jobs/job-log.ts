/**
 * What a run of a job printed, as the runner wrote it (python/hitch_job/runner.py): files named by the number of their
 * first byte. The runner alone writes them, and may take one away while it is read.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cutText,
  type JobFinds,
  type JobLogExtent,
  LONGEST_FOUND_LINE,
  MOST_LOG_FINDS,
} from '@hitch/contract';

const NAME = /^(\d{16})\.log$/;
const NEWLINE = 0x0a;
/** One search reads so much and then says where to go on: the agent has kernels to serve. */
const SEARCHED_BYTES = 32 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** A line that is longer is searched in pieces. */
const LONGEST_LINE_BYTES = 64 * 1024;

interface Piece {
  readonly path: string;
  readonly first: number;
  readonly end: number;
}

/** Oldest first. None: nothing was printed, or it is all gone. */
async function piecesIn(folder: string): Promise<Piece[]> {
  const names = await readdir(folder).catch(() => []);
  const pieces: Piece[] = [];
  for (const name of names.sort()) {
    const first = NAME.exec(name)?.[1];
    const path = join(folder, name);
    const size = first === undefined ? undefined : (await stat(path).catch(() => null))?.size;
    if (first !== undefined && size !== undefined) {
      pieces.push({ path, first: Number(first), end: Number(first) + size });
    }
  }
  return pieces;
}

export async function logExtent(folder: string): Promise<JobLogExtent> {
  const pieces = await piecesIn(folder);
  const endByte = pieces.at(-1)?.end ?? 0;
  const kept = pieces.reduce((sum, { first, end }) => sum + end - first, 0);
  return { endByte, droppedBytes: endByte - kept };
}

export interface LogPart {
  /** Number of the first byte of `data`: the first from the asked one on that is kept. */
  readonly from: number;
  readonly data: Buffer;
}

/** At most `most` bytes from the number `from` on, none of them across a gap. Empty: there are none yet. */
export async function readLog(folder: string, from: number, most: number): Promise<LogPart> {
  const pieces = await piecesIn(folder);
  const parts: Buffer[] = [];
  let at = from;
  let left = most;
  let begin: number | null = null;
  for (const piece of pieces.filter(({ end }) => end > from)) {
    const isGap = begin !== null && piece.first > at;
    if (left === 0 || isGap) {
      break;
    }
    at = Math.max(at, piece.first);
    const data = await readPiece(piece, at, Math.min(left, piece.end - at));
    if (data === null) {
      // It went between the listing and the reading: what was read so far stands, else the next one is the first.
      if (begin !== null) {
        break;
      }
      continue;
    }
    begin ??= at;
    parts.push(data);
    at += data.length;
    left -= data.length;
  }
  return { from: begin ?? Math.max(from, pieces.at(-1)?.end ?? 0), data: Buffer.concat(parts) };
}

async function readPiece({ path, first }: Piece, at: number, bytes: number): Promise<Buffer | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) {
    return null;
  }
  try {
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await file.read(buffer, 0, bytes, at - first);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Lines that hold the text, upper and lower case alike. */
export async function searchLog(
  folder: string,
  text: string,
  from: number,
): Promise<Pick<JobFinds, 'lines' | 'next'>> {
  const wanted = text.toLowerCase();
  const lines: { at: number; text: string }[] = [];
  let at = from;
  let line = Buffer.alloc(0);
  let lineAt = from;
  const close = (): void => {
    const shown = line.toString('utf8').replace(/\r$/, '');
    if (shown.toLowerCase().includes(wanted)) {
      lines.push({ at: lineAt, text: cutText(shown, LONGEST_FOUND_LINE) });
    }
    line = Buffer.alloc(0);
  };
  for (;;) {
    const part = await readLog(folder, at, CHUNK_BYTES);
    if (part.from > at && line.length > 0) {
      close();
    }
    if (part.data.length === 0) {
      if (line.length > 0) {
        close();
      }
      return { lines, next: null };
    }
    if (line.length === 0) {
      lineAt = part.from;
    }
    let begin = 0;
    while (begin < part.data.length) {
      const newline = part.data.indexOf(NEWLINE, begin);
      const end = newline < 0 ? part.data.length : newline;
      line = Buffer.concat([line, part.data.subarray(begin, end)]);
      if (newline >= 0 || line.length >= LONGEST_LINE_BYTES) {
        close();
        lineAt = part.from + Math.min(end + 1, part.data.length);
      }
      begin = newline < 0 ? end : end + 1;
      if (lines.length >= MOST_LOG_FINDS) {
        return { lines, next: part.from + begin };
      }
    }
    at = part.from + part.data.length;
    if (at - from >= SEARCHED_BYTES && line.length === 0) {
      return { lines, next: at };
    }
  }
}
