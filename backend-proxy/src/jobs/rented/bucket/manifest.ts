/** Checkpoints as they lie in a bucket (`python/hitch_bucket/keep.py` writes them): read, held against what they say, and fetched. */
import { createHash } from 'node:crypto';
import { mkdir, open, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BucketCheckpoint, HitchError, MOST_BUCKET_PIECES, workPathSchema } from '@hitch/contract';
import * as z from 'zod';
import { wholeness } from '../../../templates/whole-checkpoint.ts';
import type { Bucket } from './bucket.ts';

const amount = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const moment = z.number().min(0).max(8.64e15);
/** It was written by a machine that nobody vouches for. */
const manifestSchema = z.object({
  format: z.literal('hitch-checkpoint/1'),
  name: z.string().min(1).max(1_000),
  writtenAtMs: moment,
  keptAtMs: moment,
  pieces: z
    .array(z.object({ bytes: amount, sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(MOST_BUCKET_PIECES),
  files: z
    .array(z.object({ path: workPathSchema.min(1), bytes: amount, modifiedAtMs: moment }))
    .min(1)
    .max(100_000),
});
export type Manifest = z.infer<typeof manifestSchema>;

const MOST_MANIFEST_BYTES = 32 * 1024 * 1024;

/** Two of them are written in turn. */
export const PLACES = ['a', 'b'] as const;
export const manifestKey = (base: string, place: string): string => `${base}/${place}/manifest.json`;
export const pieceKey = (base: string, place: string, number: number): string =>
  `${base}/${place}/${number.toString().padStart(4, '0')}`;
export const problemKey = (base: string): string => `${base}/problem.json`;

/** Of one job, on its first machine and on each that took its place. */
export const baseOf = (jobId: string, machine: number): string => `${jobId}/${machine.toString()}`;

export interface Kept {
  readonly base: string;
  readonly place: string;
  readonly manifest: Manifest;
}

const sum = (all: readonly { readonly bytes: number }[]): number =>
  all.reduce((total, { bytes }) => total + bytes, 0);

export const checkpointOf = (bucket: Bucket, { base, place, manifest }: Kept): BucketCheckpoint => ({
  name: manifest.name.slice(0, 200),
  files: manifest.files.length,
  bytes: sum(manifest.files),
  writtenAtMs: manifest.writtenAtMs,
  keptAtMs: manifest.keptAtMs,
  folder: bucket.nameOf(`${base}/${place}`),
});

/** Those that are complete, the newest first. @throws HitchError where the bucket cannot be read. */
export async function keptIn(bucket: Bucket, base: string, signal: AbortSignal): Promise<readonly Kept[]> {
  const found: Kept[] = [];
  for (const place of PLACES) {
    const manifest = await readJson(bucket, manifestKey(base, place), manifestSchema, signal);
    if (
      manifest !== null &&
      sum(manifest.files) === sum(manifest.pieces) &&
      wholeness(manifest.files) !== 'open'
    ) {
      found.push({ base, place, manifest });
    }
  }
  return found.sort((one, other) => other.manifest.writtenAtMs - one.manifest.writtenAtMs);
}

/** Why the newest is not there, as its machine says it; '' where nothing is wrong. */
export async function problemIn(bucket: Bucket, base: string, signal: AbortSignal): Promise<string> {
  const schema = z.object({ message: z.string().max(1_000) });
  return (await readJson(bucket, problemKey(base), schema, signal))?.message ?? '';
}

/** Null: it is not there, or is not what it is to be. */
async function readJson<T>(
  bucket: Bucket,
  key: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T | null> {
  const answer = await bucket.get(key, signal);
  if (answer === null) {
    return null;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(answer)) {
    bytes += chunk.length;
    if (bytes > MOST_MANIFEST_BYTES) {
      return null;
    }
    chunks.push(chunk);
  }
  try {
    return schema.parse(JSON.parse(Buffer.concat(chunks).toString()));
  } catch {
    return null;
  }
}

async function* bodyOf(answer: Response): AsyncGenerator<Uint8Array> {
  const reader = answer.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (next?.value === undefined) {
      return;
    }
    yield next.value;
  }
}

/**
 * Brings one into a folder of this computer. Every byte is held against its hash.
 * @throws HitchError CONFLICT where it is not what its list says.
 */
export async function fetchKept(
  bucket: Bucket,
  { base, place, manifest }: Kept,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const content = pieces(bucket, { base, place, manifest }, signal);
  let left: Uint8Array = new Uint8Array();
  for (const { path, bytes, modifiedAtMs } of manifest.files) {
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    // Never through something that is there: the folder is new.
    const file = await open(target, 'wx', 0o600);
    try {
      let missing = bytes;
      while (missing > 0) {
        if (left.length === 0) {
          const next = await content.next();
          if (next.done === true) {
            throw changed();
          }
          left = next.value;
        }
        const part = left.subarray(0, missing);
        await file.write(part);
        left = left.subarray(part.length);
        missing -= part.length;
      }
    } finally {
      await file.close();
    }
    await utimes(target, modifiedAtMs / 1_000, modifiedAtMs / 1_000);
  }
  // The last hash is looked at when the content is at its end.
  if (left.length > 0 || (await content.next()).done !== true) {
    throw changed();
  }
}

async function* pieces(
  bucket: Bucket,
  { base, place, manifest }: Kept,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, undefined> {
  for (const [number, { bytes, sha256 }] of manifest.pieces.entries()) {
    const answer = await bucket.get(pieceKey(base, place, number), signal);
    if (answer === null) {
      throw changed();
    }
    const hash = createHash('sha256');
    let read = 0;
    for await (const chunk of bodyOf(answer)) {
      read += chunk.length;
      if (read > bytes) {
        throw changed();
      }
      hash.update(chunk);
      yield chunk;
    }
    if (read !== bytes || hash.digest('hex') !== sha256) {
      throw changed();
    }
  }
}

const changed = (): HitchError =>
  new HitchError('CONFLICT', 'A checkpoint in the bucket is not what its list says.');
