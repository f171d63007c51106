import assert from 'node:assert/strict';
import { decodeMessage, encodeMessage, peekFrame } from '@hitch/contract';
import type { ExecutionEntry } from '../../src/agent/kernels/executions.ts';
import { LateOutput } from '../../src/agent/kernels/late-output.ts';
import { entry } from './one-journal.ts';

/** A kernel's messages, and whose each is in the end. */
class Talk {
  readonly #late = new LateOutput();
  readonly #last: ExecutionEntry | null;
  #count = 0;

  constructor(last: ExecutionEntry | null = { ...entry(1, 1), messageId: 'cell' }) {
    this.#last = last;
  }

  /** @returns the id of its parent */
  says(type: string, content: Record<string, unknown>, parent: string, asked: string): string {
    const frame = encodeMessage({
      channel: 'iopub',
      header: { msg_id: `m${(this.#count++).toString()}`, msg_type: type, session: 'k' },
      parentHeader: { msg_id: parent, msg_type: asked, session: 'page' },
      metadata: {},
      content,
      buffers: [],
    });
    const peek = peekFrame(frame);
    this.#late.see(frame, peek);
    return decodeMessage(this.#late.ofItsCell(frame, peek, this.#last)).parentHeader.msg_id ?? '';
  }

  prints(parent: string, asked: string): string {
    return this.says('stream', { name: 'stdout', text: 'x' }, parent, asked);
  }

  idle(parent: string, asked: string): string {
    return this.says('status', { execution_state: 'idle' }, parent, asked);
  }
}

describe('what a thread prints when its cell is over', () => {
  it("is the cell's that ran last, whatever else was asked since", () => {
    const talk = new Talk();
    assert.equal(talk.prints('q', 'kernel_info_request'), 'cell');
    assert.equal(talk.idle('q', 'kernel_info_request'), 'q');
    assert.equal(talk.prints('other cell', 'execute_request'), 'other cell');
    assert.equal(new Talk(null).prints('q', 'kernel_info_request'), 'q');
  });

  it("is not what a widget's own callback prints, until that is over", () => {
    const talk = new Talk();
    assert.equal(talk.prints('click', 'comm_msg'), 'click');
    talk.idle('click', 'comm_msg');
    assert.equal(talk.prints('click', 'comm_msg'), 'cell');
    talk.idle('aside', 'debug_request');
    assert.equal(talk.prints('click', 'comm_msg'), 'cell', 'another channel was asked something meanwhile');
  });

  it("is an Output widget's for as long as that takes it", () => {
    const talk = new Talk();
    const takes = (msg_id: string) =>
      talk.says(
        'comm_msg',
        { comm_id: 'out', data: { method: 'update', state: { msg_id } } },
        'q',
        'comm_msg',
      );
    takes('q');
    assert.equal(talk.prints('q', 'kernel_info_request'), 'q');
    takes('');
    assert.equal(talk.prints('q', 'kernel_info_request'), 'cell');
    takes('q');
    talk.says('comm_close', { comm_id: 'out', data: {} }, 'q', 'comm_msg');
    assert.equal(talk.prints('q', 'kernel_info_request'), 'cell');
  });
});
