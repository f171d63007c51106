/** SHA-256 of files of any size, read in pieces. */
import { createHash } from 'node:crypto';
import { openRegular } from '@hitch/transfer';

const PIECE_BYTES = 1024 * 1024;

export async function sha256OfFile(absolute: string): Promise<{ sizeBytes: number; sha256: string }> {
  const file = await openRegular(absolute);
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    let sizeBytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
      if (bytesRead === 0) {
        return { sizeBytes, sha256: hash.digest('hex') };
      }
      hash.update(piece.subarray(0, bytesRead));
      sizeBytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
