/**
 * What a run of a job printed, as the runner wrote it (python/hitch_job/runner.py): files named by the number of their
 * first byte. The runner alone writes them, and may take one away while it is read.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
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

/** A stretch of bytes without a gap, in files that are open: they can be read although the runner takes them away. */
export class LogStretch {
  /** Number of its first byte: the first from the asked one on that is kept. */
  readonly from: number;
  readonly places: readonly Place[];

  constructor(from: number, places: readonly Place[]) {
    this.from = from;
    this.places = places;
  }

  get bytes(): number {
    return this.places.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async read(): Promise<Buffer> {
    const buffer = Buffer.alloc(this.bytes);
    let done = 0;
    for (const { file, offset, bytes } of this.places) {
      done += (await file.read(buffer, done, bytes, offset)).bytesRead;
    }
    return buffer.subarray(0, done);
  }

  async close(): Promise<void> {
    await Promise.all(this.places.map(({ file }) => file.close()));
  }
}

interface Place {
  readonly file: FileHandle;
  readonly offset: number;
  readonly bytes: number;
}

/** At most `most` bytes from the number `from` on, none of them across a gap. The caller closes it. */
export async function openStretch(folder: string, from: number, most: number): Promise<LogStretch> {
  const pieces = await piecesIn(folder);
  const places: Place[] = [];
  let at = from;
  let left = most;
  let begin: number | null = null;
  for (const piece of pieces.filter(({ end }) => end > from)) {
    const isGap = begin !== null && piece.first > at;
    if (left === 0 || isGap) {
      break;
    }
    const file = await open(piece.path, 'r').catch(() => null);
    if (file === null) {
      // It went between the listing and the reading: what was found so far stands, else the next one is the first.
      if (begin !== null) {
        break;
      }
      continue;
    }
    at = Math.max(at, piece.first);
    begin ??= at;
    const bytes = Math.min(left, piece.end - at);
    places.push({ file, offset: at - piece.first, bytes });
    at += bytes;
    left -= bytes;
  }
  return new LogStretch(begin ?? Math.max(from, pieces.at(-1)?.end ?? 0), places);
}

/** The bytes of {@link openStretch}. Empty: there are none yet. */
export async function readLog(folder: string, from: number, most: number): Promise<LogPart> {
  const stretch = await openStretch(folder, from, most);
  try {
    return { from: stretch.from, data: await stretch.read() };
  } finally {
    await stretch.close();
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
