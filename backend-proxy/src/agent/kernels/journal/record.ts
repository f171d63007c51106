/**
 * One record of a journal on disk: 32 bytes of header, then a frame.
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 4 | CRC-32 of all that follows |
 * | 4 | 4 | length of the frame |
 * | 8 | 6 | when it was written, ms since the epoch |
 * | 14 | 1 | kind |
 * | 15 | 1 | channel |
 * | 16 | 1 | message type, as far as it matters here |
 * | 17 | 3 | zero |
 * | 20 | 4 | number of the execution it belongs to; 0 for none |
 * | 24 | 8 | sequence number |
 *
 * The sequence number stands last so that it and the frame are, as they lie, a frame of the cursor protocol. In memory
 * the two stay apart: frames can be large, and a copy of each would be most of the work of a stream.
 */
import { crc32 } from 'node:zlib';
import type { KernelChannel } from '@hitch/contract';

export const RECORD_HEADER_BYTES = 32;
const WIRE_START = 24;

/**
 * `server`: a message of the kernel. `request`: an execute_request of a client, whole. `seen`: the id of any
 * other client message (its frame is that id in ASCII), so that a repeated one is known. `gap`: what was dropped.
 * `mark`: what happened to the kernel as a whole, for the executions.
 */
const KINDS = ['server', 'request', 'seen', 'gap', 'mark'] as const;
export type RecordKind = (typeof KINDS)[number];

const CHANNELS = ['iopub', 'shell', 'control', 'stdin'] as const satisfies readonly KernelChannel[];

const TYPES = [
  'other',
  'stream',
  'status',
  'execute_input',
  'execute_result',
  'display_data',
  'update_display_data',
  'error',
  'clear_output',
  'execute_reply',
  'execute_request',
  'comm_msg',
  'input_request',
] as const;
export type RecordType = (typeof TYPES)[number];

const TYPE_NUMBERS = new Map<string, number>(TYPES.map((type, index) => [type, index]));

export interface RecordInput {
  readonly kind: RecordKind;
  readonly channel: KernelChannel;
  /** Message type; one that is not known here is kept as `other`. */
  readonly type: string;
  readonly execution: number;
  readonly timeMs: number;
  readonly frame: Uint8Array;
}

export interface JournalRecord {
  readonly kind: RecordKind;
  readonly channel: KernelChannel;
  readonly type: RecordType;
  readonly execution: number;
  readonly timeMs: number;
  readonly seq: number;
  readonly head: Buffer;
  /** The v1 frame (or the gap's JSON, or the seen id). */
  readonly frame: Buffer;
  /** On disk. */
  readonly sizeBytes: number;
}

/** The record's sequence number as the cursor protocol writes it before the frame. */
export const wireNumber = (record: JournalRecord): Buffer => record.head.subarray(WIRE_START);

function viewRecord(head: Buffer, frame: Buffer): JournalRecord | null {
  const kind = KINDS[head.readUInt8(14)];
  const channel = CHANNELS[head.readUInt8(15)];
  if (kind === undefined || channel === undefined) {
    return null;
  }
  return {
    kind,
    channel,
    type: TYPES[head.readUInt8(16)] ?? 'other',
    execution: head.readUInt32BE(20),
    timeMs: head.readUIntBE(8, 6),
    seq: head.readUInt32BE(24) * 2 ** 32 + head.readUInt32BE(28),
    head,
    frame,
    sizeBytes: RECORD_HEADER_BYTES + frame.length,
  };
}

const checksum = (head: Buffer, frame: Buffer): number => crc32(frame, crc32(head.subarray(4)));

/** The frame is kept, not copied: it must not change afterwards. */
export function makeRecord(input: RecordInput, seq: number): JournalRecord {
  const head = Buffer.alloc(RECORD_HEADER_BYTES);
  const { buffer, byteOffset, byteLength } = input.frame;
  const frame = Buffer.from(buffer, byteOffset, byteLength);
  head.writeUInt32BE(byteLength, 4);
  head.writeUIntBE(Math.max(0, Math.floor(input.timeMs)), 8, 6);
  head.writeUInt8(KINDS.indexOf(input.kind), 14);
  head.writeUInt8(CHANNELS.indexOf(input.channel), 15);
  head.writeUInt8(TYPE_NUMBERS.get(input.type) ?? 0, 16);
  head.writeUInt32BE(input.execution, 20);
  head.writeUInt32BE(Math.floor(seq / 2 ** 32), 24);
  head.writeUInt32BE(seq >>> 0, 28);
  head.writeUInt32BE(checksum(head, frame), 0);
  const record = viewRecord(head, frame);
  if (record === null) {
    throw new RangeError(`A journal record cannot be of kind ${input.kind} on channel ${input.channel}.`);
  }
  return record;
}

/**
 * The record that starts at `at`: `short` when `data` ends before it does, `bad` when it is not a record.
 * `check: false` leaves out the checksum, for bytes that were checked when the journal was opened.
 */
export function parseRecord(data: Buffer, at: number, check: boolean): JournalRecord | 'short' | 'bad' {
  if (at + RECORD_HEADER_BYTES > data.length) {
    return 'short';
  }
  const start = at + RECORD_HEADER_BYTES;
  const end = start + data.readUInt32BE(at + 4);
  if (end > data.length) {
    return 'short';
  }
  const head = data.subarray(at, start);
  const frame = data.subarray(start, end);
  if (check && checksum(head, frame) !== head.readUInt32BE(0)) {
    return 'bad';
  }
  return viewRecord(head, frame) ?? 'bad';
}
