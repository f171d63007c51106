/** When a cell's messages were sent, as nbclient keeps it in `metadata.execution`. */
import type { JsonObject, KernelMessage } from '@hitch/contract';

/** The name under which nbclient keeps when a message was sent; null for the others. */
function timeKey(type: string, content: JsonObject): string | null {
  switch (type) {
    case 'status': {
      const state = content['execution_state'];
      return state === 'busy' || state === 'idle' ? `iopub.status.${state}` : null;
    }
    case 'execute_input':
      return 'iopub.execute_input';
    case 'execute_reply':
      return 'shell.execute_reply';
    default:
      return null;
  }
}

/** A header's date in UTC, as nbclient writes it; null where it is none. */
function sentAt(date: string | undefined): string | null {
  const [, second, fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?Z$/.exec(date ?? '') ?? [];
  return second === undefined ? null : `${second}.${fraction.slice(1).padEnd(6, '0')}Z`;
}

/** @returns its name there and its time, or null for a message whose time is not kept. */
export function timeOf({ header, content }: KernelMessage, nowMs: number): readonly [string, string] | null {
  const key = timeKey(header.msg_type, content);
  return key === null ? null : [key, sentAt(header.date) ?? new Date(nowMs).toISOString()];
}
