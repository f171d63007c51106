/**
 * What a thread prints when its cell is over. A kernel gives it the parent of whatever it was asked last. Questions of
 * a page that comes, such as what kernel this is, would take it away from the cell that has it otherwise: the one that
 * ran last.
 */
import { type FramePeek, type JsonObject, withParent } from '@hitch/contract';
import type { ExecutionEntry } from './executions.ts';
import { partOf } from './part-of.ts';

const OUTPUTS: ReadonlySet<string> = new Set([
  'stream',
  'display_data',
  'execute_result',
  'update_display_data',
  'error',
  'clear_output',
]);

/** These print nothing themselves. */
const QUESTIONS: ReadonlySet<string> = new Set([
  'kernel_info_request',
  'comm_info_request',
  'complete_request',
  'inspect_request',
  'is_complete_request',
  'history_request',
]);

export const isOutput = ({ channel, type }: FramePeek): boolean => channel === 'iopub' && OUTPUTS.has(type);

/** The parent that a thread gets is the shell's last request; others may come and go on the control channel meanwhile. */
const MOST_OVER = 256;

export class LateOutput {
  /** The last requests that the kernel was done with, oldest first: it prints nothing for one that is over. */
  readonly #over = new Set<string>();
  /** `Output` widgets take what has this parent, by their comms. */
  readonly #taken = new Map<string, string>();

  /** Each message of the kernel, in order. */
  see(frame: Uint8Array, peek: FramePeek): void {
    if (peek.type === 'status') {
      if (partOf(frame, 'content')['execution_state'] === 'idle') {
        this.#noteOver(peek.parentId);
      }
    } else if (peek.type === 'comm_close' || (peek.type === 'comm_msg' && namesMessage(peek))) {
      this.#seeComm(partOf(frame, 'content'));
    }
  }

  #noteOver(id: string): void {
    this.#over.delete(id);
    this.#over.add(id);
    if (this.#over.size > MOST_OVER) {
      const [oldest = ''] = this.#over;
      this.#over.delete(oldest);
    }
  }

  #seeComm({ comm_id: id, data }: JsonObject): void {
    if (typeof id !== 'string') {
      return;
    }
    const state = objectIn(data, 'state');
    const taken: unknown = state === null ? '' : Reflect.get(state, 'msg_id');
    if (taken === '') {
      this.#taken.delete(id);
    } else if (typeof taken === 'string') {
      this.#taken.set(id, taken);
    }
  }

  /** The frame, or where it is late output the same one of the execution that ran last. */
  ofItsCell(frame: Uint8Array, peek: FramePeek, last: ExecutionEntry | null): Uint8Array {
    return last === null || !this.#isLate(peek) ? frame : outputOf(last, frame, peek);
  }

  #isLate(peek: FramePeek): boolean {
    const { parentId, parentType } = peek;
    return (
      isOutput(peek) &&
      parentType !== 'execute_request' &&
      (QUESTIONS.has(parentType) || (parentId !== '' && this.#over.has(parentId))) &&
      ![...this.#taken.values()].includes(parentId)
    );
  }
}

/** Looking for the word is cheaper than parsing each change of a widget. */
const namesMessage = ({ content: { buffer, byteOffset, byteLength } }: FramePeek): boolean =>
  Buffer.from(buffer, byteOffset, byteLength).includes('"msg_id"');

const objectIn = (value: unknown, name: string): object | null => {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : null;
  return typeof found === 'object' ? found : null;
};

const outputOf = (
  { messageId, session }: ExecutionEntry,
  frame: Uint8Array,
  { date }: FramePeek,
): Uint8Array =>
  withParent(frame, {
    msg_id: messageId,
    msg_type: 'execute_request',
    session,
    username: '',
    version: '5.4',
    date,
  });
