/** One file, one way. The client sends and fetches in pieces and checks; here are the ends on this computer's disk. */
import { HitchError, type ClusterId, type HitchClient } from '@hitch/contract';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { storageError } from '../../platform/atomic-file.ts';

export interface Transfer {
  readonly client: HitchClient;
  readonly clusterId: ClusterId;
  readonly localPath: string;
  readonly workPath: string;
  readonly signal: AbortSignal;
  readonly progress: (doneBytes: number) => void;
}

/** Sends one file. What an earlier try has sent is not sent again. */
export async function upload(transfer: Transfer): Promise<void> {
  const { client, clusterId, localPath, workPath, signal, progress } = transfer;
  const file = await open(localPath, 'r');
  try {
    const { size } = await file.stat();
    const source = {
      sizeBytes: size,
      read: async (offset: number, length: number) => {
        const piece = new Uint8Array(length);
        const { bytesRead } = await file.read(piece, 0, length, offset);
        if (bytesRead < length) {
          throw new HitchError('CONFLICT', `${localPath} became shorter while it was sent.`, {
            next: 'Send it again once nothing writes to it.',
          });
        }
        return piece;
      },
    };
    await client.upload(clusterId, workPath, source, {
      signal,
      onProgress: ({ stage, doneBytes }) => {
        if (stage === 'sending') progress(doneBytes);
      },
    });
    progress(size);
  } finally {
    await file.close();
  }
}

/**
 * Fetches one file into a part beside its place and moves it there once it is whole and checked. A part that an
 * earlier try left is gone on with.
 */
export async function download(transfer: Transfer): Promise<void> {
  const { localPath } = transfer;
  const part = `${localPath}.hitch-part`;
  try {
    await mkdir(dirname(localPath), { recursive: true });
    const have = (await stat(part).catch(() => null))?.size ?? 0;
    try {
      await fetchInto(transfer, part, have);
    } catch (error) {
      if (!(error instanceof HitchError && error.code === 'CONFLICT') || have === 0) throw error;
      // The part was of another version of the file: once more, all of it.
      await fetchInto(transfer, part, 0);
    }
    await rename(part, localPath);
  } catch (error) {
    if (error instanceof HitchError && error.code === 'CONFLICT') {
      await rm(part, { force: true });
    }
    throw storageError(error, localPath);
  }
}

async function fetchInto(transfer: Transfer, part: string, have: number): Promise<void> {
  const { client, clusterId, workPath, signal, progress } = transfer;
  const file = await open(part, have > 0 ? 'a' : 'w', 0o600);
  try {
    const bytes = client.download(clusterId, workPath, {
      signal,
      ...(have > 0 ? { already: createReadStream(part, { end: have - 1 }) } : {}),
      onProgress: ({ doneBytes }) => progress(doneBytes),
    });
    for await (const chunk of bytes) {
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
