/**
 * Jupyter's first format of a kernel's socket, which clients speak that offer no subprotocol: a message is JSON in a text, or,
 * where it has buffers, bytes. Here it is put into the newer format of frames and out of it, as Jupyter Server does
 * (`serialize_binary_message` and `deserialize_binary_message` in jupyter_server/services/kernels/connection/base.py).
 */
import {
  encodeMessage,
  frameParts,
  KERNEL_CHANNELS,
  KernelFrameError,
  messageHeaderSchema,
  parentHeaderSchema,
  peekFrame,
} from '@hitch/contract';
import * as z from 'zod';

/** What Jupyter Server takes a message for that names no channel (`ZMQChannelsWebsocketConnection.handle_incoming_message`). */
const DEFAULT_CHANNEL = 'shell';
const NUMBER_BYTES = 4;

const objectSchema = z.record(z.string(), z.unknown());
const messageSchema = z.looseObject({
  channel: z.enum(KERNEL_CHANNELS).nullish(),
  header: messageHeaderSchema,
  parent_header: parentHeaderSchema.nullish(),
  metadata: objectSchema.nullish(),
  content: objectSchema,
});

/**
 * @param frame one of the newer format; its JSON is passed on as it is written.
 * @returns a text, or bytes where the message has buffers
 * @throws KernelFrameError
 */
export function toDefaultFormat(frame: Uint8Array): string | Buffer {
  const { messageId, type, channel } = peekFrame(frame);
  const [head, parent, metadata, content, ...buffers] = frameParts(frame).slice(1);
  const text = (part: Uint8Array | undefined): string => Buffer.from(part ?? []).toString('utf8');
  const json =
    `{"header":${text(head)},"msg_id":${JSON.stringify(messageId)},"msg_type":${JSON.stringify(type)},` +
    `"parent_header":${text(parent)},"metadata":${text(metadata)},"content":${text(content)},` +
    `"buffers":[],"channel":${JSON.stringify(channel)}}`;
  return buffers.length === 0 ? json : withNumbers([Buffer.from(json), ...buffers]);
}

/** How many parts there are, where each begins, and the parts. */
function withNumbers(parts: readonly Uint8Array[]): Buffer {
  const numbers = Buffer.alloc(NUMBER_BYTES * (parts.length + 1));
  numbers.writeUInt32BE(parts.length, 0);
  let at = numbers.length;
  for (const [index, part] of parts.entries()) {
    numbers.writeUInt32BE(at, NUMBER_BYTES * (index + 1));
    at += part.byteLength;
  }
  return Buffer.concat([numbers, ...parts]);
}

/**
 * @param isBinary whether it came as bytes, with the numbers of its parts before them
 * @returns a frame of the newer format
 * @throws KernelFrameError
 */
export function fromDefaultFormat(data: Buffer, isBinary: boolean): Buffer {
  const [json = data, ...buffers] = isBinary ? partsOf(data) : [data];
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw new KernelFrameError('A kernel message is not JSON.', { cause: error });
  }
  const read = messageSchema.safeParse(value);
  if (!read.success) {
    throw new KernelFrameError('A kernel message is not what the protocol says.', { cause: read.error });
  }
  const { channel, header, parent_header: parentHeader, metadata, content } = read.data;
  const message = { channel: channel ?? DEFAULT_CHANNEL, header, parentHeader: parentHeader ?? {} };
  return Buffer.from(encodeMessage({ ...message, metadata: metadata ?? {}, content, buffers }));
}

/** @throws KernelFrameError unless each begins where the one before it ends, or later, and inside the message. */
function partsOf(data: Buffer): Buffer[] {
  const count = data.length < NUMBER_BYTES ? 0 : data.readUInt32BE(0);
  if (count === 0 || NUMBER_BYTES * (count + 1) > data.length) {
    throw new KernelFrameError('A kernel message has an impossible number of parts.');
  }
  const starts = Array.from({ length: count }, (_, index) => data.readUInt32BE(NUMBER_BYTES * (index + 1)));
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? data.length;
    if (start < NUMBER_BYTES * (count + 1) || end < start || end > data.length) {
      throw new KernelFrameError('A kernel message has parts out of order.');
    }
    return data.subarray(start, end);
  });
}
