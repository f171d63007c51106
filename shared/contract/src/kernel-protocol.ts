/**
 * The wire of kernel sockets: Jupyter's v1 frames, and Hitch's cursor protocol around them.
 *
 * A client that offers `v1.kernel.websocket.hitch` beside Jupyter's own sub-protocol gets, server to client,
 * an 8-byte big-endian sequence number before each plain v1 frame; sequence 0 marks a control frame, whose
 * rest is JSON ({@link ServerControl}). Client to server it sends plain v1 frames, and control frames as text
 * ({@link ClientControl}). It says where it stopped in the URL: `…/channels?session_id=…&cursor=<epoch>:<seq>`.
 * A stock client gets plain v1 frames and no replay.
 *
 * v1 frame (Jupyter Server's `serialize_msg_to_ws_v1`): the number of offsets, then the offsets, all 64-bit
 * little-endian, then channel, header, parent header, metadata, content and buffers, without separators.
 */
import * as z from 'zod';

export const KERNEL_PROTOCOL_V1 = 'v1.kernel.websocket.jupyter.org';
export const KERNEL_PROTOCOL_HITCH = 'v1.kernel.websocket.hitch';

/** Close codes of kernel sockets. */
export const KERNEL_CLOSE = {
  /** The way to the kernel is down or restarting: come back with the cursor. */
  restarting: 1012,
  /** The kernel does not exist (any more): do not come back. */
  gone: 4404,
  /** The client broke the protocol: do not come back. */
  badFrame: 4400,
} as const;

export const SEQUENCE_BYTES = 8;

/**
 * The longest message of a kernel or for one: every socket on the way has this bound, so that none breaks on what
 * another let through. Engines of JavaScript hold no text above half a gigabyte, and a journal holds a kernel's messages
 * in this much.
 */
export const MAX_KERNEL_MESSAGE_BYTES = 256 * 1024 * 1024;
/** The same for a socket that speaks the cursor protocol. */
export const MAX_KERNEL_SOCKET_BYTES = MAX_KERNEL_MESSAGE_BYTES + SEQUENCE_BYTES;
/** The type under which the kernel, or its socket, says that it left messages out: its content is {@link leftOutSchema}. */
export const LEFT_OUT_TYPE = 'hitch_left_out';
export const leftOutSchema = z.object({
  msg_type: z.string(),
  bytes: z.number().int().nonnegative(),
  /** `long`: one message was too long; `unread`: Jupyter Server read nothing while these were sent. */
  reason: z.enum(['long', 'unread']).default('long'),
});
export type LeftOut = z.infer<typeof leftOutSchema>;

export const KERNEL_CHANNELS = ['shell', 'control', 'stdin', 'iopub'] as const;
export type KernelChannel = (typeof KERNEL_CHANNELS)[number];

/** A frame that is not what the protocol says. Its message names the defect, never the frame's content. */
export class KernelFrameError extends Error {
  override readonly name = 'KernelFrameError';
}

/** The fields of a message header that anything here reads; others pass through. */
const headerFields = {
  msg_id: z.string(),
  msg_type: z.string(),
  session: z.string(),
  date: z.string().optional(),
};
export const messageHeaderSchema = z.looseObject({ ...headerFields, session: z.string().default('') });
export type MessageHeader = z.infer<typeof messageHeaderSchema>;

/** A parent header: `{}` when the message answers to nothing. */
export const parentHeaderSchema = z.looseObject(headerFields).partial();
export type ParentHeader = z.infer<typeof parentHeaderSchema>;

const objectSchema = z.record(z.string(), z.unknown());
export type JsonObject = z.infer<typeof objectSchema>;

export interface KernelMessage {
  channel: KernelChannel;
  header: MessageHeader;
  parentHeader: ParentHeader;
  metadata: JsonObject;
  content: JsonObject;
  buffers: Uint8Array[];
}

export const cursorSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}:\d{1,15}$/)
  .transform(text => {
    const colon = text.lastIndexOf(':');
    return { epoch: text.slice(0, colon), seq: Number(text.slice(colon + 1)) };
  });
export type KernelCursor = z.infer<typeof cursorSchema>;

export const formatCursor = (cursor: KernelCursor): string => `${cursor.epoch}:${cursor.seq.toString()}`;

const gapControlSchema = z.object({
  type: z.literal('gap'),
  /** The first and last sequence number of what is missing. */
  fromSeq: z.number().int(),
  toSeq: z.number().int(),
  messages: z.number().int(),
  droppedBytes: z.number().int(),
  /** `bound`: over the journal's size; `age`: too old; `disk`: the disk refused it; `damage`: unreadable. */
  reason: z.enum(['bound', 'age', 'disk', 'damage']),
  /** The executions whose output it was. */
  executions: z.array(z.object({ messageId: z.string(), droppedBytes: z.number().int() })),
});
export type GapControl = z.infer<typeof gapControlSchema>;

export const serverControlSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    epoch: z.string(),
    firstSeq: z.number().int(),
    /** Where a client without a cursor begins: what follows has higher numbers. */
    lastSeq: z.number().int(),
    /** The cursor was understood: what follows continues from it. */
    resumed: z.boolean(),
    /** A cell runs at this moment: the kernel says so when it begins and not again. */
    busy: z.boolean().optional(),
  }),
  /** The client's message is in the journal and on its way to the kernel; it need not be sent again. */
  z.object({ type: z.literal('ack'), msg_id: z.string() }),
  gapControlSchema,
  z.object({ type: z.literal('pong') }),
]);
export type ServerControl = z.infer<typeof serverControlSchema>;

export const clientControlSchema = z.discriminatedUnion('type', [z.object({ type: z.literal('ping') })]);
export type ClientControl = z.infer<typeof clientControlSchema>;

const utf8 = new TextEncoder();
const text = new TextDecoder();

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readUint64(data: DataView, at: number, littleEndian: boolean): number {
  const low = data.getUint32(littleEndian ? at : at + 4, littleEndian);
  const high = data.getUint32(littleEndian ? at + 4 : at, littleEndian);
  if (high > 0x1fffff) {
    throw new KernelFrameError('A kernel frame has an offset or number beyond 2^53.');
  }
  return high * 2 ** 32 + low;
}

/** Writes `value` (< 2^53) as 8 bytes. */
export function writeUint64(data: DataView, at: number, value: number, littleEndian: boolean): void {
  data.setUint32(littleEndian ? at : at + 4, value >>> 0, littleEndian);
  data.setUint32(littleEndian ? at + 4 : at, Math.floor(value / 2 ** 32), littleEndian);
}

export function encodeMessage(message: KernelMessage): Uint8Array {
  const parts = [
    utf8.encode(message.channel),
    utf8.encode(JSON.stringify(message.header)),
    utf8.encode(JSON.stringify(message.parentHeader)),
    utf8.encode(JSON.stringify(message.metadata)),
    utf8.encode(JSON.stringify(message.content)),
    ...message.buffers,
  ];
  const count = parts.length + 1;
  const start = 8 * (1 + count);
  const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, start));
  const data = view(frame);
  writeUint64(data, 0, count, true);
  let at = start;
  for (const [index, part] of parts.entries()) {
    writeUint64(data, 8 * (1 + index), at, true);
    frame.set(part, at);
    at += part.byteLength;
  }
  writeUint64(data, 8 * count, at, true);
  return frame;
}

/** The offsets of a frame, checked: ascending, inside the frame, at least a channel and four parts. */
function offsetsOf(frame: Uint8Array): number[] {
  if (frame.byteLength < 8) {
    throw new KernelFrameError('A kernel frame is shorter than its offset count.');
  }
  const data = view(frame);
  const count = readUint64(data, 0, true);
  if (count < 6 || 8 * (1 + count) > frame.byteLength) {
    throw new KernelFrameError('A kernel frame has an impossible offset count.');
  }
  const offsets: number[] = [];
  let previous = 8 * (1 + count);
  for (let index = 0; index < count; index++) {
    const offset = readUint64(data, 8 * (1 + index), true);
    if (offset < previous || offset > frame.byteLength) {
      throw new KernelFrameError('A kernel frame has offsets out of order.');
    }
    offsets.push(offset);
    previous = offset;
  }
  return offsets;
}

/** The parts of a frame as they are written: the channel, header, parent header, metadata, content, and its buffers. @throws KernelFrameError */
export function frameParts(frame: Uint8Array): Uint8Array[] {
  const offsets = offsetsOf(frame);
  return offsets.slice(0, -1).map((start, index) => frame.subarray(start, offsets[index + 1]));
}

function parseJson(bytes: Uint8Array, part: string, read: ReadJson = JSON.parse): unknown {
  try {
    return read(text.decode(bytes));
  } catch (error) {
    throw new KernelFrameError(`A kernel frame's ${part} is not JSON.`, { cause: error });
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, part: string): T {
  const result = schema.safeParse(value);
  if (!result.success) {
    throw new KernelFrameError(`A kernel frame's ${part} is not what the protocol says.`, {
      cause: result.error,
    });
  }
  return result.data;
}

/** @throws Error where it is not JSON. */
type ReadJson = (text: string) => unknown;

/**
 * Splits without copying: buffers are views on `frame`.
 * @param read for the content of a message of some type, where its numbers are to be kept as they are written
 * @throws KernelFrameError
 */
export function decodeMessage(
  frame: Uint8Array,
  read: (messageType: string) => ReadJson = () => JSON.parse,
): KernelMessage {
  const offsets = offsetsOf(frame);
  const part = (index: number): Uint8Array => frame.subarray(offsets[index], offsets[index + 1]);
  const buffers: Uint8Array[] = [];
  for (let index = 5; index < offsets.length - 1; index++) {
    buffers.push(part(index));
  }
  const header = checked(messageHeaderSchema, parseJson(part(1), 'header'), 'header');
  return {
    channel: checked(z.enum(KERNEL_CHANNELS), text.decode(part(0)), 'channel'),
    header,
    parentHeader: checked(parentHeaderSchema, parseJson(part(2), 'parent header'), 'parent header'),
    metadata: checked(objectSchema, parseJson(part(3), 'metadata'), 'metadata'),
    content: checked(objectSchema, parseJson(part(4), 'content', read(header.msg_type)), 'content'),
    buffers,
  };
}

/** What routing needs of a frame. Its cost does not depend on the frame's size. */
export interface FramePeek {
  readonly channel: KernelChannel;
  readonly messageId: string;
  readonly type: string;
  readonly session: string;
  /** When the sender made the message, as it wrote it; '' where it did not. */
  readonly date: string;
  /** `msg_id` and `session` of the parent header; '' where there is none. */
  readonly parentId: string;
  readonly parentSession: string;
  readonly parentType: string;
  /** The content's JSON, a view on the frame. */
  readonly content: Uint8Array;
}

const field = (value: unknown, name: string): string => {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === 'string' ? found : '';
};

/** Reads headers only, by hand rather than by schema: this runs for every message of a stream. @throws KernelFrameError */
export function peekFrame(frame: Uint8Array): FramePeek {
  const offsets = offsetsOf(frame);
  const channelName = text.decode(frame.subarray(offsets[0], offsets[1]));
  const channel = KERNEL_CHANNELS.find(name => name === channelName);
  if (channel === undefined) {
    throw new KernelFrameError('A kernel frame names an unknown channel.');
  }
  const header = parseJson(frame.subarray(offsets[1], offsets[2]), 'header');
  const parent = parseJson(frame.subarray(offsets[2], offsets[3]), 'parent header');
  const messageId = field(header, 'msg_id');
  if (messageId === '') {
    throw new KernelFrameError('A kernel frame has no msg_id.');
  }
  return {
    channel,
    messageId,
    type: field(header, 'msg_type'),
    session: field(header, 'session'),
    date: field(header, 'date'),
    parentId: field(parent, 'msg_id'),
    parentSession: field(parent, 'session'),
    parentType: field(parent, 'msg_type'),
    content: frame.subarray(offsets[4], offsets[5]),
  };
}

/** Reads the metadata or content of a frame already known to be well-formed. @throws KernelFrameError */
export function framePart(frame: Uint8Array, part: 'metadata' | 'content'): JsonObject {
  const offsets = offsetsOf(frame);
  const index = part === 'metadata' ? 3 : 4;
  return checked(objectSchema, parseJson(frame.subarray(offsets[index], offsets[index + 1]), part), part);
}

/** A copy of a frame with another parent. @throws KernelFrameError */
export function withParent(frame: Uint8Array, parentHeader: JsonObject): Uint8Array {
  const offsets = offsetsOf(frame);
  const [start = 0, end = 0] = [offsets[2], offsets[3]];
  const parent = utf8.encode(JSON.stringify(parentHeader));
  const longer = parent.byteLength - (end - start);
  const copy = new Uint8Array(frame.byteLength + longer);
  copy.set(frame.subarray(0, start));
  copy.set(parent, start);
  copy.set(frame.subarray(end), start + parent.byteLength);
  const data = view(copy);
  for (const [index, offset] of offsets.entries()) {
    writeUint64(data, 8 * (1 + index), index > 2 ? offset + longer : offset, true);
  }
  return copy;
}

/** Length of the content's JSON, read from the offset table alone. @throws KernelFrameError */
export function contentBytes(frame: Uint8Array): number {
  const offsets = offsetsOf(frame);
  return (offsets[5] ?? 0) - (offsets[4] ?? 0);
}

export function encodeControl(control: ServerControl): Uint8Array {
  const json = utf8.encode(JSON.stringify(control));
  const frame = new Uint8Array(SEQUENCE_BYTES + json.byteLength);
  frame.set(json, SEQUENCE_BYTES);
  return frame;
}

export type HitchFrame =
  | { readonly seq: number; readonly frame: Uint8Array }
  | { readonly seq: 0; readonly control: ServerControl | null };

/**
 * Splits a server-to-client frame of the cursor protocol. A control frame of a type this version does not know
 * has `control: null` and is to be passed over. @throws KernelFrameError
 */
export function decodeHitchFrame(bytes: Uint8Array): HitchFrame {
  if (bytes.byteLength < SEQUENCE_BYTES) {
    throw new KernelFrameError('A frame of the cursor protocol is shorter than its sequence number.');
  }
  const seq = readUint64(view(bytes), 0, false);
  const frame = bytes.subarray(SEQUENCE_BYTES);
  if (seq !== 0) {
    return { seq, frame };
  }
  const parsed = serverControlSchema.safeParse(parseJson(frame, 'control'));
  return { seq: 0, control: parsed.success ? parsed.data : null };
}
