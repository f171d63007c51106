/** What clients get in the place of a message that was too long for the sockets on its way, or that nobody read in time. */
import { encodeMessage, LEFT_OUT_TYPE, leftOutSchema, leftOutSentence, noticeFrame } from '@hitch/contract';
import type { FramePeek, JsonObject, LeftOut } from '@hitch/contract';
import { partOf } from './part-of.ts';

/** Without an answer of the same type whoever asked would wait for ever. */
function answerContent({ msg_type: type }: LeftOut, sentence: string): JsonObject {
  return type === 'input_request'
    ? { prompt: `[Hitch] ${sentence} `, password: false }
    : { status: 'error', ename: 'HitchMessageTooLong', evalue: sentence, traceback: [] };
}

/**
 * The frames to journal for one frame of Jupyter Server: itself, or where it only says that a message was left out, a
 * line on standard error in the message's cell, and an answer where one is waited for.
 */
export function inPlaceOf(frame: Uint8Array, peek: FramePeek): Uint8Array[] {
  if (peek.type !== LEFT_OUT_TYPE) {
    return [frame];
  }
  const { success, data: leftOut } = leftOutSchema.safeParse(partOf(frame, 'content'));
  // A kernel may use the type for something of its own.
  if (!success) {
    return [frame];
  }
  const sentence = leftOutSentence(leftOut);
  const notice = noticeFrame({
    text: `[Hitch] ${sentence}\n`,
    lostBytes: leftOut.bytes,
    // By its own id the message is known to be here when Jupyter Server sends it again.
    messageId: peek.messageId,
    parentId: peek.parentId,
    parentSession: peek.parentSession,
    date: peek.date,
  });
  if (peek.channel === 'iopub') {
    return [notice];
  }
  const header = { msg_id: peek.messageId, session: peek.session, date: peek.date, version: '5.4' };
  const answer = encodeMessage({
    channel: peek.channel,
    header: { ...header, msg_type: leftOut.msg_type },
    parentHeader: { msg_id: peek.parentId, session: peek.parentSession, msg_type: peek.parentType },
    metadata: {},
    content: answerContent(leftOut, sentence),
    buffers: [],
  });
  return [notice, answer];
}
