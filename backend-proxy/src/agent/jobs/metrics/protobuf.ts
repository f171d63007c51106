/**
 * Protobuf's wire format, as far as events of TensorBoard and records of W&B need it. A job writes these bytes: whatever they
 * are, reading ends, and takes nothing from outside them. https://protobuf.dev/programming-guides/encoding/
 */
const LAST_BYTE_OF_VARINT = 9;

export class Message {
  /** Of the field that {@link next} came to. */
  field = 0;
  /** 0: varint · 1: eight bytes · 2: so many bytes as are said · 5: four bytes. */
  wire = 0;
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Where the value of the present field begins and ends; of a varint, the value. */
  #from = 0;
  #to = 0;
  #number = 0;

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  /** Goes to the next field. @returns false at the end. @throws RangeError where the bytes are no message. */
  next(): boolean {
    if (this.#at >= this.#end) {
      return false;
    }
    const key = this.#varint();
    this.field = Math.floor(key / 8);
    this.wire = key % 8;
    if (this.wire === 0) {
      this.#number = this.#varint();
      return true;
    }
    const length = this.wire === 1 ? 8 : this.wire === 5 ? 4 : this.wire === 2 ? this.#varint() : -1;
    this.#from = this.#at;
    this.#to = this.#at + length;
    if (length < 0 || this.#to > this.#end) {
      throw new RangeError('not a message');
    }
    this.#at = this.#to;
    return true;
  }

  /** Of a varint. */
  get number(): number {
    return this.wire === 0 ? this.#number : Number.NaN;
  }

  get float(): number {
    return this.wire === 5 ? this.#bytes.readFloatLE(this.#from) : Number.NaN;
  }

  get double(): number {
    return this.wire === 1 ? this.#bytes.readDoubleLE(this.#from) : Number.NaN;
  }

  /** The bytes of a text, a message or a packed list; empty where the field is none. */
  get bytes(): Buffer {
    return this.wire === 2 ? this.#bytes.subarray(this.#from, this.#to) : this.#bytes.subarray(0, 0);
  }

  get text(): string {
    return this.wire === 2 ? this.#bytes.toString('utf8', this.#from, this.#to) : '';
  }

  get message(): Message {
    return this.wire === 2 ? new Message(this.#bytes, this.#from, this.#to) : new Message(this.bytes);
  }

  /** Exact to 2^53; one of ten bytes is a negative number. */
  #varint(): number {
    const from = this.#at;
    let value = 0;
    let factor = 1;
    for (let count = 0; count <= LAST_BYTE_OF_VARINT && this.#at < this.#end; count++) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return count === LAST_BYTE_OF_VARINT ? this.#negative(from) : value;
      }
      factor *= 128;
    }
    throw new RangeError('not a message');
  }

  #negative(from: number): number {
    let value = 0n;
    for (let at = this.#at - 1; at >= from; at--) {
      value = (value << 7n) | BigInt((this.#bytes[at] ?? 0) & 0x7f);
    }
    return Number(BigInt.asIntN(64, value));
  }
}
