/**
 * One file that a client holds itself, such as what an editor writes or a page was given, sent to a cluster: in pieces,
 * resumed, and checked by SHA-256. Files of this computer go by `copies`, see copies.ts.
 */
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
  readonly stage: 'checking' | 'sending';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface UploadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
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
    const now = uploadStateSchema.parse(await answer.json());
    if (now.receivedBytes !== offset + length || (now.complete && now.sha256 !== checksum)) {
      // Believed, it would have the same piece sent for ever.
      throw new HitchError(
        'PROVIDER_ERROR',
        `The machine says that it has other pieces of ${path} than were sent.`,
        {
          next: 'It may be broken or hostile; stop its cluster if this stays.',
        },
      );
    }
    return now;
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
