/** Kernel messages that the hub itself writes: questions to the kernel, and answers the kernel did not give. */
import { encodeMessage, HITCH_SESSION, noticeFrame } from '@hitch/contract';
import type { KernelChannel } from '@hitch/contract';
import type { ExecutionEntry } from './executions.ts';

export interface Stamp {
  readonly newId: () => string;
  /** ISO 8601 */
  readonly date: string;
}

const header = (stamp: Stamp, type: string, session: string) => ({
  msg_id: stamp.newId(),
  msg_type: type,
  session,
  username: 'hitch',
  version: '5.4',
  date: stamp.date,
});

/** Does nothing; that it is answered says something. */
export function kernelInfoRequest(
  channel: 'shell' | 'control',
  session: string,
  stamp: Stamp,
): { id: string; frame: Uint8Array } {
  const own = header(stamp, 'kernel_info_request', session);
  const frame = encodeMessage({
    channel,
    header: own,
    parentHeader: {},
    metadata: {},
    content: {},
    buffers: [],
  });
  return { id: own.msg_id, frame };
}

const LOST =
  'The end of this execution was lost: the program between the notebook and the kernel was restarted. ' +
  "The kernel's variables are as the code left them.";

/** What a client gets in place of a reply that will not come; it would wait for ever. */
export function lostAnswers(entry: ExecutionEntry, stamp: Stamp): Uint8Array[] {
  return [
    noticeFrame({
      text: `[Hitch] ${LOST}\n`,
      messageId: stamp.newId(),
      parentId: entry.messageId,
      parentSession: entry.session,
      date: stamp.date,
    }),
    ...endOf(entry, stamp, { status: 'error', ename: 'HitchExecutionLost', evalue: LOST, traceback: [] }),
  ];
}

/** As a kernel answers what waited behind a cell that failed. */
export const abortedAnswers = (entry: ExecutionEntry, stamp: Stamp): Uint8Array[] =>
  endOf(entry, stamp, { status: 'aborted' });

function endOf(entry: ExecutionEntry, stamp: Stamp, reply: Record<string, unknown>): Uint8Array[] {
  const parentHeader = {
    ...header(stamp, 'execute_request', entry.session),
    msg_id: entry.messageId,
  };
  const answer = (channel: KernelChannel, type: string, content: Record<string, unknown>): Uint8Array =>
    encodeMessage({
      channel,
      header: header(stamp, type, HITCH_SESSION),
      parentHeader,
      metadata: {},
      content,
      buffers: [],
    });
  return [
    answer('shell', 'execute_reply', { execution_count: entry.executionCount, ...reply }),
    answer('iopub', 'status', { execution_state: 'idle' }),
  ];
}
