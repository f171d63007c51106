/**
 * Rows of history out of W&B's offline file (`run-<id>.wandb`, in a folder of its own below `wandb`): LevelDB's log format (blocks of 32 KiB; a
 * checksum, a length and a kind before each piece) with zlib's CRC-32 in place of its own, around records of
 * wandb/proto/wandb_internal.proto. The file begins with seven bytes of its own (core/internal/transactionlog in wandb's tree).
 */
import { crc32 } from 'node:zlib';
import { readFrom } from './growing-file.ts';
import { Message } from './protobuf.ts';
import { LOOK_BYTES, type Looked, type Take } from './source.ts';

const FILE_HEADER = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00]);
const BLOCK = 32 * 1024;
const PIECE_HEADER = 7;
const WHOLE = 1;
const FIRST = 2;
const LAST = 4;
/** A longer record is no row of figures. */
const LONGEST_RECORD = LOOK_BYTES / 2;
const LONGEST_JSON = 20_000;
const DEEPEST = 4;

export interface WandbFileState {
  readonly offset: number;
  /** The pieces from there on belong to a record that is too long. */
  readonly passes: boolean;
  readonly wrong: number;
}

export class WandbFile {
  readonly #path: string;
  #offset: number;
  #passes: boolean;
  #wrong: number;

  constructor(path: string, { offset, passes, wrong }: WandbFileState = BEGINNING) {
    this.#path = path;
    this.#offset = offset;
    this.#passes = passes;
    this.#wrong = wrong;
  }

  get state(): WandbFileState {
    return { offset: this.#offset, passes: this.#passes, wrong: this.#wrong };
  }

  /** Reads on. A record that is not whole yet is left for the next look. */
  async look(take: Take): Promise<Looked> {
    const from = this.#offset;
    const part = await readFrom(this.#path, from, LOOK_BYTES);
    if (part === null || (from === 0 && part.data.length < FILE_HEADER.length)) {
      return 'end';
    }
    const { data, size } = part;
    if (from === 0 && !data.subarray(0, FILE_HEADER.length).equals(FILE_HEADER)) {
      return 'damaged';
    }
    let at = from === 0 ? FILE_HEADER.length : 0;
    let pieces: Buffer[] = [];
    let bytes = 0;
    this.#offset = from + at;
    while (at + PIECE_HEADER <= data.length) {
      const left = BLOCK - ((from + at) % BLOCK);
      if (left < PIECE_HEADER) {
        at += left;
        continue;
      }
      const length = data.readUInt16LE(at + 4);
      const kind = data[at + 6] ?? 0;
      const end = at + PIECE_HEADER + length;
      if (kind === 0 && length === 0) {
        // Room that was made and not written yet.
        break;
      }
      if (kind > LAST || length > left - PIECE_HEADER) {
        return 'damaged';
      }
      if (end > data.length) {
        break;
      }
      if (crc32(data.subarray(at + 6, end)) !== data.readUInt32LE(at)) {
        return 'damaged';
      }
      if (kind === WHOLE || kind === FIRST) {
        [pieces, bytes, this.#passes] = [[], 0, false];
      }
      pieces.push(data.subarray(at + PIECE_HEADER, end));
      bytes += length;
      at = end;
      if (kind === WHOLE || kind === LAST) {
        if (!this.#passes) {
          this.#record(Buffer.concat(pieces), take);
        }
        [pieces, bytes, this.#passes] = [[], 0, false];
        this.#offset = from + at;
      } else if (bytes > LONGEST_RECORD) {
        [pieces, bytes, this.#passes] = [[], 0, true];
        this.#offset = from + at;
      }
    }
    return this.#offset > from && this.#offset < size ? 'more' : 'end';
  }

  #record(bytes: Buffer, take: Take): void {
    try {
      const record = new Message(bytes);
      while (record.next()) {
        if (record.field === 2) {
          readHistory(record.message, take);
        }
      }
    } catch {
      this.#wrong += 1;
    }
  }
}

const BEGINNING: WandbFileState = { offset: 0, passes: false, wrong: 0 };

function readHistory(history: Message, take: Take): void {
  const values: (readonly [string, number])[] = [];
  let step = Number.NaN;
  let atMs = Number.NaN;
  while (history.next()) {
    if (history.field === 1) {
      const [name, json] = readItem(history.message);
      flatten(name, parsed(json), DEEPEST, (each, value) => {
        if (each === '_step') {
          step = value;
        } else if (each === '_timestamp') {
          atMs = value * 1000;
        } else if (!each.startsWith('_')) {
          values.push([each, value]);
        }
      });
    } else if (history.field === 2) {
      const said = history.message;
      while (said.next()) {
        step = said.field === 1 && Number.isNaN(step) ? said.number : step;
      }
    }
  }
  values.forEach(([name, value]) => take(name, step, atMs, value));
}

/** `nested_key` stands in for `key` where a dictionary was logged. */
function readItem(item: Message): readonly [string, string] {
  const nested: string[] = [];
  let key = '';
  let json = '';
  while (item.next()) {
    if (item.field === 1) {
      key = item.text;
    } else if (item.field === 2) {
      nested.push(item.text);
    } else if (item.field === 16) {
      json = item.bytes.length > LONGEST_JSON ? '' : item.text;
    }
  }
  return [nested.length > 0 ? nested.join('.') : key, json];
}

/** Python writes `NaN` and `Infinity`, which are no JSON. */
function parsed(json: string): unknown {
  const plain = json.replace(/^"(NaN|-?Infinity)"$/, '$1');
  if (/^(?:NaN|-?Infinity)$/.test(plain)) {
    return Number(plain);
  }
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

export function flatten(
  name: string,
  value: unknown,
  depth: number,
  take: (name: string, value: number) => void,
): void {
  if (typeof value === 'number') {
    take(name, value);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth > 0) {
    for (const [key, each] of Object.entries(value)) {
      flatten(name === '' ? key : `${name}.${key}`, each, depth - 1, take);
    }
  }
}
