/**
 * Small files in one tar stream. An entry's name says which file of the list it is and how it was read, nothing else:
 * where it goes is known to whoever asked. `12:1790000000123:644:` is file 12 with its time and mode when it was
 * opened, `12:…:644:c` one that changed while it was read, `12!gone` and the like one without content.
 */
import { HitchError } from '@hitch/contract/src/errors.ts';
import { extract, pack, type Pack } from 'tar-stream';
import { SMALL_BYTES } from './entry.ts';
import { passed } from './garbage.ts';

export interface PackedFile {
  readonly index: number;
  readonly modifiedAtMs: number;
  readonly mode: number;
  readonly changed: boolean;
}
export const MISSES = ['gone', 'unreadable', 'leftOut', 'grown'] as const;
export type Miss = (typeof MISSES)[number];
export interface PackedMiss {
  readonly index: number;
  readonly miss: Miss;
  readonly detail: string;
}

const LONGEST_DETAIL = 60;
const FILE = /^(\d{1,7}):(\d{1,15}):([0-7]{1,3}):(c?)$/;
const MISS = /^(\d{1,7})!([a-zA-Z]{1,20})(?::(.{0,60}))?$/;

export const fileName = ({ index, modifiedAtMs, mode, changed }: PackedFile): string =>
  `${index.toString()}:${modifiedAtMs.toString()}:${mode.toString(8)}:${changed ? 'c' : ''}`;
export const missName = ({ index, miss, detail }: PackedMiss): string =>
  `${index.toString()}!${miss}${detail === '' ? '' : `:${detail.length > LONGEST_DETAIL ? `${detail.slice(0, LONGEST_DETAIL - 1)}…` : detail}`}`;

/** @returns null for a name that none of ours has. */
export function readPackedName(name: string): PackedFile | PackedMiss | null {
  const file = FILE.exec(name);
  if (file !== null) {
    const [, index = '', modifiedAtMs = '', mode = '', changed = ''] = file;
    return {
      index: Number(index),
      modifiedAtMs: Number(modifiedAtMs),
      mode: Number.parseInt(mode, 8),
      changed: changed === 'c',
    };
  }
  const [, index = '', word = '', detail = ''] = MISS.exec(name) ?? [];
  const miss = MISSES.find(each => each === word);
  return miss === undefined ? null : { index: Number(index), miss, detail };
}

/** Adds one entry; resolves when the stream wants more. */
export function addEntry(to: Pack, name: string, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    to.entry({ name, size: content.length }, content, error => {
      if (error === null || error === undefined) {
        resolve();
      } else {
        reject(error);
      }
    });
  });
}

/** What is written at once: a socket write costs as much as some kilobytes in it. */
const GATHERED_BYTES = 256 * 1024;

/** What a stream brings, as bytes. */
export async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const some of stream) {
    if (some instanceof Uint8Array) {
      yield some;
    }
  }
}

/** The same bytes in fewer pieces; one that is large enough goes on as it is. A small one may be tar-stream's own, and stays. */
export async function* gathered(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): Uint8Array => {
    const [first] = parts;
    const isOne = parts.length === 1 && first !== undefined && length >= GATHERED_BYTES;
    const all = isOne ? first : Buffer.concat(parts, length);
    parts = [];
    length = 0;
    return all;
  };
  for await (const part of bytes) {
    parts.push(part);
    length += part.length;
    if (length >= GATHERED_BYTES) {
      passed(length);
      yield take();
    }
  }
  if (length > 0) {
    yield take();
  }
}

/** A tar stream that `fill` fills while it is read. Whoever stops reading ends the filling. */
export async function* packed(fill: (to: Pack) => Promise<void>): AsyncGenerator<Uint8Array> {
  const stream = pack();
  const filled = fill(stream).then(
    () => stream.finalize(),
    (error: unknown) => stream.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    yield* gathered(bytesOf(stream));
  } finally {
    stream.destroy();
    await filled;
  }
}

/** The entries of a tar stream, each whole. @throws HitchError for one that is larger than any of ours. */
export async function* unpacked(
  tar: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<{ readonly name: string; readonly content: Buffer }> {
  const stream = extract();
  feed(stream, tar).catch((error: unknown) => {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const entry of stream) {
      signal.throwIfAborted();
      const { name, size } = entry.header;
      if (size > SMALL_BYTES) {
        throw new HitchError(
          'TOO_LARGE',
          `The stream brings a file of ${size.toString()} bytes among the small ones.`,
        );
      }
      const parts: Uint8Array[] = [];
      for await (const part of bytesOf(entry)) {
        parts.push(part);
      }
      const [only] = parts;
      const isOne = parts.length === 1 && only !== undefined;
      yield {
        name,
        content: isOne ? Buffer.from(only.buffer, only.byteOffset, only.byteLength) : Buffer.concat(parts),
      };
      passed(size);
    }
  } finally {
    stream.destroy();
  }
}

async function feed(stream: ReturnType<typeof extract>, tar: AsyncIterable<Uint8Array>): Promise<void> {
  const isOver = (): boolean => stream.destroyed;
  for await (const bytes of tar) {
    if (isOver()) {
      return;
    }
    if (!stream.write(bytes) && !isOver()) {
      await new Promise<void>(resolve => {
        const go = (): void => {
          stream.off('drain', go);
          stream.off('close', go);
          resolve();
        };
        stream.on('drain', go);
        stream.on('close', go);
      });
    }
  }
  stream.end(Buffer.alloc(0));
}
