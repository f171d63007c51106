import assert from 'node:assert/strict';
import { encodeMessage, type JsonObject } from '@hitch/contract';
import { ExecutionTable } from '../../src/agent/kernels/executions.ts';
import { gapFrame } from '../../src/agent/kernels/journal/gap.ts';
import { type JournalRecord, makeRecord } from '../../src/agent/kernels/journal/record.ts';

const LISTED = 5_000;
const DISPLAYS = 10_000;

/** A table into which cells are run, each to its end. */
class Table {
  readonly table = new ExecutionTable();
  #seq = 0;

  #put(
    record: Pick<JournalRecord, 'kind' | 'type' | 'execution'>,
    id: string,
    cellId: string | null,
    content: JsonObject = { status: 'ok', execution_count: 1 },
  ): void {
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
          content: isRequest ? { code: '' } : content,
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
  display(execution: number, type: 'display_data' | 'update_display_data', displayId: string): void {
    const content = { data: {}, metadata: {}, transient: { display_id: displayId } };
    this.#put({ kind: 'server', type, execution }, `m${execution.toString()}`, null, content);
  }

  /** The journal lost the requests of these cells. */
  lose(cells: readonly string[]): void {
    const seq = this.#seq;
    const loss = { fromSeq: seq, toSeq: seq, messages: 1, droppedBytes: 1, reason: 'bound' } as const;
    const frame = gapFrame({ ...loss, executions: [], cells: [...cells] });
    this.table.apply(
      makeRecord({ kind: 'gap', channel: 'iopub', type: 'other', execution: 0, timeMs: 0, frame }, seq),
    );
  }

  get seq(): number {
    return this.#seq;
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

  it('are missed by the cells whose last one went, until these run again', () => {
    const scene = new Table();
    for (let n = 0; n < LISTED + 2; n++) {
      scene.run(`cell-${n.toString()}`);
    }
    assert.deepEqual(scene.table.forgottenCells, ['cell-0', 'cell-1']);
    scene.run('cell-0');
    assert.deepEqual(scene.table.forgottenCells, ['cell-1', 'cell-2']);
  });

  it('are missed as well where the journal itself lost them, but not by a cell that ran again', () => {
    const scene = new Table();
    scene.run('again');
    scene.lose(['again', 'gone']);
    assert.deepEqual(scene.table.forgottenCells, ['gone']);
    scene.run('gone');
    assert.deepEqual(scene.table.forgottenCells, []);
  });

  it('are read up to the last update of any of their displays, however many they show', () => {
    const scene = new Table();
    const many = scene.run('many');
    const few = scene.run('few');
    scene.display(many, 'display_data', 'oldest');
    scene.display(few, 'display_data', 'own');
    for (let n = 0; n < DISPLAYS; n++) {
      scene.display(many, 'display_data', n.toString());
    }
    const updater = scene.run('updates');
    scene.display(updater, 'update_display_data', '5');
    assert.equal(scene.table.get(many)?.lastSeq, scene.seq);
    scene.display(updater, 'update_display_data', 'oldest');
    assert.equal(scene.table.get(many)?.lastSeq, scene.seq);
    scene.display(updater, 'update_display_data', 'own');
    assert.equal(scene.table.get(few)?.lastSeq, scene.seq);
  });
});
