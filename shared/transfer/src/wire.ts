/**
 * How the two sides talk over HTTP: `POST /transfer/<call>` with JSON, lists as one JSON value a line that end with
 * `{"end":true}`, and a body of bytes after JSON as `<length of the JSON, 4 bytes><JSON><bytes>`.
 */
import { errorEnvelopeSchema, HitchError } from '@hitch/contract/src/errors.ts';
import * as z from 'zod';
import {
  entrySchema,
  listedSchema,
  standingSchema,
  walkRulesSchema,
  writePolicySchema,
  writtenSchema,
} from './entry.ts';

const roots = z.array(z.string().max(8192)).min(1).max(1000);
const entries = z.array(entrySchema).max(2_000);
const counts = z.array(z.number().int().min(0)).max(2_000);

/** What each call is given. */
export const CALLS = {
  list: z.object({ roots, rules: walkRulesSchema }),
  read: z.object({ roots, entries }),
  open: z.object({ roots, entry: entrySchema, offset: z.number().int().min(0) }),
  sourceHash: z.object({ roots, entries, upTo: counts }),
  look: z.object({ roots, entries }),
  targetHash: z.object({ roots, entries, upTo: counts }),
  room: z.object({ roots }),
  write: z.object({ roots, entries, policy: writePolicySchema }),
  part: z.object({ roots, entry: entrySchema }),
  partHash: z.object({ roots, entry: entrySchema }),
  append: z.object({ roots, entry: entrySchema, offset: z.number().int().min(0), policy: writePolicySchema }),
  place: z.object({ roots, entry: entrySchema, policy: writePolicySchema }),
  forget: z.object({ roots, entry: entrySchema }),
  settle: z.object({ roots, entries }),
} as const;
export type Call = keyof typeof CALLS;

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .nullable();

export const ANSWERS = {
  standing: z.array(standingSchema).max(2_000),
  hashes: z.array(sha256).max(2_000),
  room: z.object({ bytes: z.number().min(0) }),
  part: z.object({ bytes: z.number().int().min(0) }),
  partHash: z.object({ sha256 }),
  written: writtenSchema,
  nothing: z.object({}),
  settled: z.object({ missing: counts }),
} as const;

const end = z.object({ end: z.literal(true) });
/** What went wrong after the answer had begun. */
const failure = z.object({ error: errorEnvelopeSchema });
export const listedLine = z.union([z.array(listedSchema).max(2_000), end, failure]);
export const writtenLine = z.union([writtenSchema, end, failure]);
export const END_LINE = '{"end":true}\n';

/** Headers of the answer to `open`; the trailers say what became of the file while it was read, and why it could not be. */
export const OPEN_HEADERS = {
  size: 'x-hitch-size',
  modified: 'x-hitch-modified',
  mode: 'x-hitch-mode',
  changed: 'x-hitch-changed',
  unreadable: 'x-hitch-unreadable',
} as const;

/** JSON of a call may have so many bytes. */
export const MOST_JSON_BYTES = 32 * 1024 * 1024;
/** An answer, which has a line or two for each entry at most, and a line of a list: a machine may lie, and all is held. */
export const MOST_ANSWER_BYTES = 1024 * 1024;
export const MOST_LINE_BYTES = 2 * 1024 * 1024;
/** A list begins another line after so many characters. */
export const LINE_CHARACTERS = 256 * 1024;

/** JSON with its length before it. */
export function framed(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

/** The JSON before a body of bytes, and the bytes. @throws HitchError when it is no such body. */
export async function unframed(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly value: unknown; readonly rest: AsyncGenerator<Uint8Array> }> {
  const iterator = body[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  const hold = async (length: number): Promise<void> => {
    const parts = [held];
    let have = held.length;
    while (have < length) {
      const next = await iterator.next();
      if (next.done === true) {
        throw new HitchError('BAD_INPUT', 'The body ends before its description.');
      }
      parts.push(Buffer.from(next.value));
      have += next.value.length;
    }
    held = Buffer.concat(parts);
  };
  await hold(4);
  const length = held.readUInt32BE(0);
  if (length > MOST_JSON_BYTES) {
    throw new HitchError('TOO_LARGE', 'The description of the body is too large.');
  }
  await hold(4 + length);
  const value: unknown = JSON.parse(held.subarray(4, 4 + length).toString('utf8'));
  const first = held.subarray(4 + length);
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    try {
      if (first.length > 0) {
        yield first;
      }
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  };
  return { value, rest: rest() };
}

/** The lines of a body, each as JSON. @throws HitchError TOO_LARGE for one without an end. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MOST_LINE_BYTES) {
      throw new HitchError(
        'TOO_LARGE',
        `The machine sends a line of more than ${MOST_LINE_BYTES.toLocaleString('en')} characters.`,
      );
    }
    for (const line of lines) {
      yield JSON.parse(line);
    }
  }
}

/** A whole body as JSON. @throws HitchError TOO_LARGE */
export async function jsonOf(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > MOST_ANSWER_BYTES) {
      throw new HitchError(
        'TOO_LARGE',
        `The machine’s agent answers with more than ${MOST_ANSWER_BYTES.toLocaleString('en')} bytes.`,
      );
    }
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}
