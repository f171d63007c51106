/** What the machinery says to people, in the cell it concerns. */
import { encodeMessage } from './kernel-protocol.ts';
import type { GapControl } from './kernel-protocol.ts';

/** A stream message on stderr. */
export function noticeFrame(notice: {
  text: string;
  messageId: string;
  /** The `msg_id` of the execute_request it concerns; '' for none. */
  parentId: string;
  parentSession: string;
  date: string;
}): Uint8Array {
  const header = { username: 'hitch', version: '5.4', date: notice.date };
  return encodeMessage({
    channel: 'iopub',
    header: { ...header, msg_id: notice.messageId, msg_type: 'stream', session: 'hitch' },
    parentHeader:
      notice.parentId === ''
        ? {}
        : {
            ...header,
            msg_id: notice.parentId,
            msg_type: 'execute_request',
            session: notice.parentSession,
          },
    metadata: {},
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
      session: 'hitch',
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
  const size =
    droppedBytes >= 1e6 ? `${(droppedBytes / 1e6).toFixed(1)} MB` : `${droppedBytes.toString()} bytes`;
  return `[Hitch] ${size} of older output are no longer kept here: ${REASONS[gap.reason]}.\n`;
}
