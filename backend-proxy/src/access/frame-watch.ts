/** WebSocket frames (RFC 6455, section 5.2) seen from outside: where one ends, without taking it apart. */

const CLOSE = 0x8;
const FINAL_CLOSE = 0x88;
const LONGEST_HEADER = 14;
/** Agents and kernels take no longer message either. */
export const MOST_FRAME_BYTES = 1024 * 1024 * 1024;

/** Follows one direction of a stream of frames by their headers. */
export class FrameWatch {
  readonly #header = Buffer.alloc(LONGEST_HEADER);
  #headerBytes = 0;
  #payloadLeft = 0;
  #closing = false;
  #tooLong = false;

  /** Between two frames: here, and only here, a frame of our own may be put in. */
  get isBetween(): boolean {
    return this.#headerBytes === 0 && this.#payloadLeft === 0;
  }

  /** A close frame has been seen; nothing may follow it. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** A frame has said that it is longer than {@link MOST_FRAME_BYTES}. */
  get isTooLong(): boolean {
    return this.#tooLong;
  }

  see(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= taken;
        at += taken;
        continue;
      }
      this.#header.writeUInt8(chunk.readUInt8(at), this.#headerBytes);
      this.#headerBytes += 1;
      at += 1;
      if (this.#headerBytes === this.#headerLength) {
        this.#closing ||= (this.#header.readUInt8(0) & 0xf) === CLOSE;
        this.#payloadLeft = this.#payloadLength;
        this.#headerBytes = 0;
        this.#tooLong ||= this.#payloadLeft > MOST_FRAME_BYTES;
      }
    }
  }

  get #shortLength(): number {
    return this.#header.readUInt8(1) & 0x7f;
  }

  /** As far as the bytes until now tell. */
  get #headerLength(): number {
    if (this.#headerBytes < 2) {
      return LONGEST_HEADER;
    }
    const extended = this.#shortLength === 126 ? 2 : this.#shortLength === 127 ? 8 : 0;
    const masked = (this.#header.readUInt8(1) & 0x80) === 0 ? 0 : 4;
    return 2 + extended + masked;
  }

  get #payloadLength(): number {
    switch (this.#shortLength) {
      case 126:
        return this.#header.readUInt16BE(2);
      case 127:
        return this.#header.readUInt32BE(2) * 2 ** 32 + this.#header.readUInt32BE(6);
      default:
        return this.#shortLength;
    }
  }
}

/** A server's close frame. @param reason short: with the code it fits in 125 bytes */
export function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason, 'utf8');
  const head = Buffer.of(FINAL_CLOSE, text.length + 2, code >>> 8, code & 0xff);
  return Buffer.concat([head, text]);
}
