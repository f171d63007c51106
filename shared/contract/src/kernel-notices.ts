/** What the machinery says to people, in the cell it concerns. */
import { encodeMessage, MAX_KERNEL_MESSAGE_BYTES } from './kernel-protocol.ts';
import type { GapControl, JsonObject, KernelChannel, KernelMessage, LeftOut } from './kernel-protocol.ts';

/** Session of the messages that the machinery itself makes. */
export const HITCH_SESSION = 'hitch';

/** In a notice's metadata: so many bytes of output are missing; 0: nobody knows how many. */
const LOST_BYTES = 'hitch_lost_bytes';

/** How much output a message says is missing, or null where it says no such thing. */
export function lostBytesOf({ header, metadata }: Pick<KernelMessage, 'header' | 'metadata'>): number | null {
  const bytes = header.session === HITCH_SESSION ? metadata[LOST_BYTES] : undefined;
  return typeof bytes === 'number' && bytes >= 0 ? bytes : null;
}

const sizeText = (bytes: number): string =>
  bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${bytes.toString()} bytes`;

const MOST = sizeText(MAX_KERNEL_MESSAGE_BYTES);

/** What takes the place of a message that is too long for any socket on its way, or of what a kernel could not send. */
export function leftOutSentence({ bytes, reason }: Pick<LeftOut, 'bytes' | 'reason'>): string {
  if (reason === 'unread') {
    return `Up to ${sizeText(bytes)} of output are missing here: the cluster's Jupyter Server read nothing for a minute, and the kernel went on without it. Run the cell again, or write long output to a file.`;
  }
  return `One message of ${sizeText(bytes)} was left out: a message may have at most ${MOST}. Show less at a time, or write it to a file and fetch that.`;
}

/** What takes the place of messages that Jupyter Server could not keep for an agent that was away. */
export function unreadSentence(bytes: number): string {
  return `Up to ${sizeText(bytes)} of output are missing here: the cluster's agent was away while they were printed, and more came than Jupyter keeps for it. Run the cell again, or write long output to a file.`;
}

/** A stream message on stderr. */
export function noticeFrame(notice: {
  text: string;
  /** Output that is missing, where the notice is about that. */
  lostBytes?: number;
  messageId: string;
  /** The `msg_id` of the execute_request it concerns; '' for none. */
  parentId: string;
  parentSession: string;
  date: string;
}): Uint8Array {
  const header = { username: 'hitch', version: '5.4', date: notice.date };
  return encodeMessage({
    channel: 'iopub',
    header: { ...header, msg_id: notice.messageId, msg_type: 'stream', session: HITCH_SESSION },
    parentHeader:
      notice.parentId === ''
        ? {}
        : {
            ...header,
            msg_id: notice.parentId,
            msg_type: 'execute_request',
            session: notice.parentSession,
          },
    metadata: notice.lostBytes === undefined ? {} : { [LOST_BYTES]: notice.lostBytes },
    content: { name: 'stderr', text: notice.text },
    buffers: [],
  });
}

/** What a kernel that runs a cell would say, for a page that came after it had said it. */
export function busyFrame(notice: { messageId: string; date: string }): Uint8Array {
  return encodeMessage({
    channel: 'iopub',
    header: {
      username: 'hitch',
      version: '5.4',
      date: notice.date,
      msg_id: notice.messageId,
      msg_type: 'status',
      session: HITCH_SESSION,
    },
    parentHeader: {},
    metadata: {},
    content: { execution_state: 'busy' },
    buffers: [],
  });
}

const REASONS: Record<GapControl['reason'], string> = {
  bound: 'the journal on the cluster reached its size limit',
  age: 'it was older than the journal on the cluster keeps',
  disk: "the cluster's disk refused it",
  damage: 'the journal on the cluster was damaged',
};

/** One sentence about lost output, for people. */
export function gapSentence(gap: Pick<GapControl, 'reason'>, droppedBytes: number): string {
  return `[Hitch] ${sizeText(droppedBytes)} of older output are no longer kept here: ${REASONS[gap.reason]}.\n`;
}

/** What whoever sends a message above the bound gets: the sentence in the cell, and an answer, so that nothing waits. */
export function refusalFrames(refusal: {
  bytes: number;
  request: { messageId: string; session: string; type: string; channel: KernelChannel };
  newId: () => string;
  date: string;
}): Uint8Array[] {
  const { bytes, request, newId, date } = refusal;
  const sentence = `This was not sent: it has ${sizeText(bytes)}, and a message may have at most ${MOST}. Send a file to the cluster instead.`;
  const header = { username: 'hitch', version: '5.4', date, session: HITCH_SESSION };
  const parentHeader = {
    ...header,
    msg_id: request.messageId,
    msg_type: request.type,
    session: request.session,
  };
  const answer = (channel: KernelChannel, type: string, content: JsonObject): Uint8Array =>
    encodeMessage({
      channel,
      header: { ...header, msg_id: newId(), msg_type: type },
      parentHeader,
      metadata: {},
      content,
      buffers: [],
    });
  const said = noticeFrame({
    text: `[Hitch] ${sentence}\n`,
    messageId: newId(),
    parentId: request.messageId,
    parentSession: request.session,
    date,
  });
  if (!request.type.endsWith('_request')) {
    return [said];
  }
  const reply = { status: 'error', ename: 'HitchMessageTooLong', evalue: sentence, traceback: [] };
  return [
    said,
    answer(request.channel, request.type.replace(/_request$/, '_reply'), reply),
    answer('iopub', 'status', { execution_state: 'idle' }),
  ];
}
