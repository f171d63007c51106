/**
 * Writes a WebSocket message in two parts as one frame. The `ws` package takes one buffer a message, and joining a
 * number of 8 bytes with a frame of megabytes would copy the megabytes for each client. A small one is joined: one
 * buffer is a shorter way through Node than several.
 */
import type { Duplex } from 'node:stream';

/**
 * Sends `prefix` and `payload` as one unmasked binary message on the stream under an open server-side socket that has
 * no compression. `ws` writes each of its own frames in one go, so the two do not mix.
 */
export function writeBinaryFrame(stream: Duplex, prefix: Buffer, payload: Buffer): void {
  const header = frameHeader(prefix.length + payload.length);
  if (payload.length <= JOINED_BYTES) {
    stream.write(Buffer.concat([header, prefix, payload]));
    return;
  }
  stream.cork();
  stream.write(Buffer.concat([header, prefix]));
  stream.write(payload);
  stream.uncork();
}

const JOINED_BYTES = 8 * 1024;
const FINAL_BINARY = 0x82;

function frameHeader(length: number): Buffer {
  if (length < 126) {
    return Buffer.of(FINAL_BINARY, length);
  }
  if (length < 65_536) {
    return Buffer.of(FINAL_BINARY, 126, length >>> 8, length & 0xff);
  }
  const header = Buffer.alloc(10);
  header.writeUInt8(FINAL_BINARY, 0);
  header.writeUInt8(127, 1);
  header.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
  header.writeUInt32BE(length >>> 0, 6);
  return header;
}
