/** Bytes of an open file into an answer, at the pace of whoever reads it. */
import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

const PIECE_BYTES = 128 * 1024;

/**
 * Two pieces of memory in turn, one that is read into while the other is sent: to make a new one for each piece costs more
 * than reading and sending it. @throws Error when the receiver goes away, or the file has become shorter meanwhile
 */
export async function passBytes(
  file: FileHandle,
  { start, end }: { readonly start: number; readonly end: number },
  response: ServerResponse,
): Promise<void> {
  // Who waits for what is written hears of it.
  response.on('error', () => undefined);
  const pieces = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)] as const;
  let sent = Promise.resolve();
  let at = start;
  for (let [free, other] = pieces; at <= end; [free, other] = [other, free]) {
    const { bytesRead } = await file.read(free, 0, Math.min(PIECE_BYTES, end - at + 1), at);
    await sent;
    if (bytesRead === 0) {
      response.destroy();
      throw new Error('The file became shorter while it was sent.');
    }
    at += bytesRead;
    sent = write(response, free.subarray(0, bytesRead));
    // It is waited for before the next piece.
    sent.catch(() => undefined);
  }
  await sent;
}

/** Resolves once the bytes are on their way and their memory is free again. */
function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('Whoever asked for the file has gone.'));
    if (response.destroyed) {
      gone();
      return;
    }
    response.once('close', gone);
    response.write(bytes, error => {
      response.off('close', gone);
      if (error === null || error === undefined) {
        resolve();
      } else {
        reject(error);
      }
    });
  });
}
