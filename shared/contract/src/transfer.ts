/** Files between a face and a cluster: in pieces, resumed, and checked by SHA-256. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { HitchApi } from './client.ts';
import { HitchError } from './errors.ts';
import type { ClusterId } from './ids.ts';
import { uploadStateSchema, type UploadState } from './runtime.ts';

/** Bytes that can be read from any place, such as a `Blob` (see {@link blobSource}) or an open file. */
export interface UploadSource {
  readonly sizeBytes: number;
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface Progress {
  readonly stage: 'checking' | 'sending' | 'fetching';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface UploadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface DownloadOptions extends UploadOptions {
  /** Bytes of an earlier try that need not travel again; they are still part of the checksum. */
  readonly already?: AsyncIterable<Uint8Array>;
}

interface Wire {
  readonly api: HitchApi;
  raw(path: string, init?: RequestInit): Promise<Response>;
}
type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

const PIECE_BYTES = 8 * 1024 * 1024;
/** Tries without any progress before giving up; each piece that arrives starts the count anew. */
const TRIES = 8;
const PAUSE_FIRST_MS = 250;
const PAUSE_LONGEST_MS = 10_000;

export function blobSource(blob: Blob): UploadSource {
  return {
    sizeBytes: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

function rawPath(clusterId: ClusterId, query: Record<string, string>): string {
  return `/clusters/${clusterId}/raw-files?${new URLSearchParams(query).toString()}`;
}

function checkAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}

/** Pauses before another try, longer each time. @throws the error once there were too many. */
async function again(
  error: unknown,
  tries: number,
  sleep: Sleep,
  signal: AbortSignal | undefined,
): Promise<void> {
  checkAborted(signal);
  if (!(error instanceof HitchError) || !error.retryable || tries >= TRIES) {
    throw error;
  }
  await sleep(Math.min(PAUSE_FIRST_MS * 2 ** tries, PAUSE_LONGEST_MS), signal);
}

async function hashOf(source: UploadSource, options: UploadOptions): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < source.sizeBytes; at += PIECE_BYTES) {
    checkAborted(options.signal);
    hash.update(await source.read(at, Math.min(PIECE_BYTES, source.sizeBytes - at)));
    options.onProgress?.({ stage: 'checking', doneBytes: at, totalBytes: source.sizeBytes });
  }
  return bytesToHex(hash.digest());
}

export async function uploadFile(
  wire: Wire,
  sleep: Sleep,
  clusterId: ClusterId,
  path: string,
  source: UploadSource,
  options: UploadOptions,
): Promise<UploadState> {
  const { signal, onProgress } = options;
  const call = signal === undefined ? {} : { signal };
  const totalBytes = source.sizeBytes;
  const checksum = await hashOf(source, options);

  /** Where to go on; the whole when the file there is this one already. */
  const arrived = async (): Promise<UploadState> => {
    const state = await wire.api.files.uploadState({ clusterId, path }, call);
    const foreign = state.receivedBytes > totalBytes || (state.complete && state.sha256 !== checksum);
    return foreign ? { ...state, receivedBytes: 0, complete: false } : state;
  };
  const send = async (offset: number): Promise<UploadState> => {
    const length = Math.min(PIECE_BYTES, totalBytes - offset);
    const answer = await wire.raw(
      rawPath(clusterId, { path, offset: String(offset), total: String(totalBytes), sha256: checksum }),
      { ...call, method: 'PUT', body: await source.read(offset, length) },
    );
    return uploadStateSchema.parse(await answer.json());
  };

  let state: UploadState | null = null;
  let fromStart = false;
  for (let tries = 0; ; tries++) {
    try {
      state ??= await arrived();
      while (!state.complete) {
        checkAborted(signal);
        const offset: number = fromStart ? 0 : state.receivedBytes;
        state = await send(offset);
        fromStart = false;
        tries = 0;
        onProgress?.({ stage: 'sending', doneBytes: state.receivedBytes, totalBytes });
      }
      return state;
    } catch (error) {
      const foreignPieces = error instanceof HitchError && error.code === 'CONFLICT';
      if (foreignPieces && !fromStart && (state?.receivedBytes ?? 0) > 0) {
        // Pieces of another file lie there under this name.
        fromStart = true;
        continue;
      }
      await again(error, tries, sleep, signal);
      state = null;
    }
  }
}

export async function* downloadFile(
  wire: Wire,
  sleep: Sleep,
  clusterId: ClusterId,
  path: string,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, { sizeBytes: number; sha256: string }, void> {
  const { signal, onProgress } = options;
  const call = signal === undefined ? {} : { signal };
  const hash = sha256.create();
  let doneBytes = 0;
  for await (const chunk of options.already ?? none()) {
    hash.update(chunk);
    doneBytes += chunk.length;
  }
  const { sizeBytes: totalBytes } = await wire.api.files.stat({ clusterId, path }, call);
  for (let tries = 0; doneBytes < totalBytes; tries++) {
    try {
      const headers = { range: `bytes=${String(doneBytes)}-` };
      const answer = await wire.raw(rawPath(clusterId, { path }), { ...call, headers });
      if (answer.status !== 206) {
        throw changed(path);
      }
      for await (const chunk of chunksOf(answer)) {
        hash.update(chunk);
        doneBytes += chunk.length;
        tries = 0;
        onProgress?.({ stage: 'fetching', doneBytes, totalBytes });
        yield chunk;
      }
      if (doneBytes < totalBytes) {
        throw new HitchError('UNREACHABLE', `${path} broke off on the way.`);
      }
    } catch (error) {
      await again(error, tries, sleep, signal);
    }
  }
  const mine = bytesToHex(hash.digest());
  const theirs = await wire.api.files.checksum({ clusterId, path }, call);
  if (theirs.sha256 !== mine) {
    throw changed(path);
  }
  return { sizeBytes: doneBytes, sha256: mine };
}

function changed(path: string): HitchError {
  return new HitchError('CONFLICT', `${path} changed while it was fetched.`, {
    field: 'path',
    next: 'Fetch it again from its start once nothing writes to it.',
  });
}

async function* none(): AsyncGenerator<Uint8Array> {
  // Nothing was fetched before.
}

/** @throws HitchError UNREACHABLE when the connection breaks. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    return;
  }
  try {
    for (;;) {
      let piece;
      try {
        piece = await reader.read();
      } catch (error) {
        throw new HitchError('UNREACHABLE', 'The connection broke on the way.', { cause: error });
      }
      if (piece.done) {
        return;
      }
      yield piece.value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
