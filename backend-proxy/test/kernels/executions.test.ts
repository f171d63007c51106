import assert from 'node:assert/strict';
import { encodeMessage } from '@hitch/contract';
import { ExecutionTable } from '../../src/agent/kernels/executions.ts';
import type { JournalRecord } from '../../src/agent/kernels/journal/record.ts';

const LISTED = 5_000;

/** A table into which cells are run, each to its end. */
class Table {
  readonly table = new ExecutionTable();
  #seq = 0;

  #put(record: Pick<JournalRecord, 'kind' | 'type' | 'execution'>, id: string, cellId: string | null): void {
    this.#seq += 1;
    const isRequest = record.kind === 'request';
    this.table.apply({
      ...record,
      channel: 'shell',
      seq: this.#seq,
      timeMs: 0,
      head: Buffer.alloc(0),
      sizeBytes: 0,
      frame: Buffer.from(
        encodeMessage({
          channel: 'shell',
          header: { msg_id: isRequest ? id : `${id}-reply`, msg_type: record.type, session: 's' },
          parentHeader: isRequest ? {} : { msg_id: id },
          metadata: cellId === null ? {} : { cellId },
          content: isRequest ? { code: '' } : { status: 'ok', execution_count: 1 },
          buffers: [],
        }),
      ),
    });
  }

  begin(cellId: string | null): number {
    const execution = this.table.nextNumber();
    this.#put({ kind: 'request', type: 'execute_request', execution }, `m${execution.toString()}`, cellId);
    return execution;
  }

  run(cellId: string | null): number {
    const execution = this.begin(cellId);
    this.#put({ kind: 'server', type: 'execute_reply', execution }, `m${execution.toString()}`, null);
    return execution;
  }
}

describe('the executions that an agent knows of', () => {
  it('are all there up to a bound, and those that are not are counted', () => {
    const scene = new Table();
    const first = scene.run(null);
    for (let n = 1; n < LISTED; n++) {
      scene.run(null);
    }
    assert.equal(scene.table.forgotten, 0);
    assert.notEqual(scene.table.get(first), undefined);
    scene.run(null);
    scene.run(null);
    assert.equal(scene.table.forgotten, 2);
    assert.equal(scene.table.get(first), undefined);
    assert.equal(scene.table.all().length, LISTED);
  });

  it('lose the last one of a cell, and what has not ended, after all others', () => {
    const scene = new Table();
    const running = scene.begin('runs');
    const once = scene.run('once');
    const again = scene.run('again');
    for (let n = 0; n < LISTED; n++) {
      scene.run('often');
    }
    const last = scene.run('again');
    assert.equal(scene.table.get(again), undefined);
    for (const number of [running, once, last]) {
      assert.equal(scene.table.get(number)?.number, number);
    }
    assert.equal(scene.table.forgotten, 4);
  });
});
