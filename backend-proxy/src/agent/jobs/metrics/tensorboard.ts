/**
 * Scalars out of TensorBoard's event files (`events.out.tfevents.*`), which Keras, PyTorch's SummaryWriter, Lightning, Hugging
 * Face's Trainer and Ludwig write. A file is records (tensorflow/core/lib/io/record_writer.cc: length, its checksum, data, its
 * checksum) of one event each (tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto).
 */
import { maskedCrc32c } from './crc32c.ts';
import { readFrom } from './growing-file.ts';
import { Message } from './protobuf.ts';
import { LOOK_BYTES, type Looked, type Take } from './source.ts';

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;
/** Longer records are pictures and histograms, and are passed over. */
const LONGEST_RECORD = LOOK_BYTES - HEADER_BYTES - FOOTER_BYTES;

export interface EventFileState {
  readonly offset: number;
  /** Records whose checksum is wrong. */
  readonly wrong: number;
}

export class EventFile {
  readonly #path: string;
  #offset: number;
  #wrong: number;

  constructor(path: string, { offset, wrong }: EventFileState = { offset: 0, wrong: 0 }) {
    this.#path = path;
    this.#offset = offset;
    this.#wrong = wrong;
  }

  get state(): EventFileState {
    return { offset: this.#offset, wrong: this.#wrong };
  }

  /** Reads on. A record that is not whole yet is left for the next look. */
  async look(take: Take): Promise<Looked> {
    const part = await readFrom(this.#path, this.#offset, LOOK_BYTES);
    if (part === null) {
      return 'end';
    }
    const { data, size } = part;
    let at = 0;
    while (at + HEADER_BYTES <= data.length) {
      const length = Number(data.readBigUInt64LE(at));
      if (maskedCrc32c(data, at, at + 8) !== data.readUInt32LE(at + 8)) {
        // Where the next one begins cannot be known.
        this.#offset += at;
        return 'damaged';
      }
      const end = at + HEADER_BYTES + length;
      if (length > LONGEST_RECORD) {
        at = end + FOOTER_BYTES;
        break;
      }
      if (end + FOOTER_BYTES > data.length) {
        break;
      }
      this.#record(data, at + HEADER_BYTES, end, take);
      at = end + FOOTER_BYTES;
    }
    this.#offset += at;
    return at > 0 && this.#offset < size ? 'more' : 'end';
  }

  #record(data: Buffer, from: number, end: number, take: Take): void {
    if (maskedCrc32c(data, from, end) !== data.readUInt32LE(end)) {
      this.#wrong += 1;
      return;
    }
    try {
      readEvent(new Message(data, from, end), take);
    } catch {
      this.#wrong += 1;
    }
  }
}

function readEvent(event: Message, take: Take): void {
  let atMs = 0;
  let step = 0;
  while (event.next()) {
    switch (event.field) {
      case 1:
        atMs = event.double * 1000;
        break;
      case 2:
        step = event.number;
        break;
      case 5:
        // Every writer puts the summary last: its step and time are known.
        readSummary(event.message, (name, value) => take(name, step, atMs, value));
        break;
      default:
    }
  }
}

function readSummary(summary: Message, take: (name: string, value: number) => void): void {
  while (summary.next()) {
    if (summary.field !== 1) {
      continue;
    }
    const value = summary.message;
    let tag = '';
    let number: number | null = null;
    while (value.next()) {
      if (value.field === 1) {
        tag = value.text;
      } else if (value.field === 2 && value.wire === 5) {
        number = value.float;
      } else if (value.field === 8) {
        number ??= scalarOf(value.message);
      }
    }
    if (number !== null && tag !== '') {
      take(tag, number);
    }
  }
}

const FLOAT = 1;
const DOUBLE = 2;
const INT32 = 3;
const INT64 = 9;

/** The one number of a tensor without dimensions; null: it is something else. */
function scalarOf(tensor: Message): number | null {
  let type = 0;
  let content: Buffer | null = null;
  let number: number | null = null;
  while (tensor.next()) {
    switch (tensor.field) {
      case 1:
        type = tensor.number;
        break;
      case 2:
        // Its shape: each dimension is a field of it.
        if (tensor.bytes.length > 0) {
          return null;
        }
        break;
      case 4:
        content = tensor.bytes;
        break;
      case 5:
        number ??= tensor.wire === 5 ? tensor.float : first(tensor.bytes, FLOAT);
        break;
      case 6:
        number ??= tensor.wire === 1 ? tensor.double : first(tensor.bytes, DOUBLE);
        break;
      case 7:
      case 10:
        number ??= tensor.wire === 0 ? tensor.number : packedInteger(tensor.bytes);
        break;
      default:
    }
  }
  return content !== null && content.length > 0 ? first(content, type) : number;
}

function packedInteger(bytes: Buffer): number | null {
  // A varint alone is a field without its key: with one before it, it is a message.
  const message = new Message(Buffer.concat([Buffer.of(8), bytes]));
  return bytes.length > 0 && message.next() ? message.number : null;
}

function first(bytes: Buffer, type: number): number | null {
  switch (type) {
    case FLOAT:
      return bytes.length >= 4 ? bytes.readFloatLE(0) : null;
    case DOUBLE:
      return bytes.length >= 8 ? bytes.readDoubleLE(0) : null;
    case INT32:
      return bytes.length >= 4 ? bytes.readInt32LE(0) : null;
    case INT64:
      return bytes.length >= 8 ? Number(bytes.readBigInt64LE(0)) : null;
    default:
      return null;
  }
}
