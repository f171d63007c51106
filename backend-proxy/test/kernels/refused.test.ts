import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMessage } from '@hitch/contract';
import { gapFrame, readGap } from '../../src/agent/kernels/journal/gap.ts';
import { Journal } from '../../src/agent/kernels/journal/journal.ts';
import { makeRecord, type JournalRecord } from '../../src/agent/kernels/journal/record.ts';
import { recoverJournal } from '../../src/agent/kernels/journal/recover.ts';
import { Refused } from '../../src/agent/kernels/journal/refused.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';

const printed = (text: string): Uint8Array =>
  encodeMessage({
    channel: 'iopub',
    header: { msg_id: 'm', msg_type: 'stream', session: 'k' },
    parentHeader: {},
    metadata: {},
    content: { name: 'stdout', text },
    buffers: [],
  });

describe('hostile: a disk that refuses a kernel’s output for long', () => {
  let folder: string;
  let full: boolean;
  let journal: Journal;
  /** Everything that clients were given, batch by batch. */
  let given: (readonly JournalRecord[])[];

  const open = (): Journal => {
    const state = recoverJournal({
      folder: join(folder, 'k'),
      kernelId: 'k',
      newEpoch: () => 'epoch',
      nowMs: 0,
      visit: () => undefined,
    });
    const refuse = (): void => {
      if (full) {
        throw new Error('ENOSPC: no space left on device');
      }
    };
    return new Journal(
      { ...state, begin: refuse },
      {
        limits: { maxBytesPerKernel: 64 * 1024 * 1024, maxAgeMs: 3_600_000 },
        clock: new VirtualClock(),
        log: silentLog,
        events: {
          flushed: records => given.push(records),
          dropped: () => undefined,
          isUnfinished: () => false,
        },
      },
    );
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hitch-refused-'));
    full = false;
    given = [];
    journal = open();
  });

  afterEach(async () => {
    await journal.close();
    await rm(folder, { recursive: true, force: true });
  });

  const print = async (text: string): Promise<void> => {
    journal.append({
      kind: 'server',
      channel: 'iopub',
      type: 'stream',
      execution: 1,
      frame: printed(text),
    });
    await journal.flush();
  };
  const gapsIn = (records: readonly JournalRecord[]) =>
    records.filter(({ kind }) => kind === 'gap').map(readGap);
  const messagesIn = (records: readonly JournalRecord[]): number =>
    gapsIn(records).reduce((sum, { messages }) => sum + messages, 0);

  it('costs one gap a write where nobody reads, and is told whole in one when it takes writes again', async () => {
    full = true;
    for (let n = 0; n < 300; n++) {
      await print(n.toString());
      await print('x'.repeat(n === 150 ? 100_000 : 1));
    }
    const most = Math.max(...given.map(records => gapsIn(records).length));
    assert.ok(most <= 1, `${most.toString()} gaps in one write`);
    full = false;
    await print('kept');
    const read = await journal.read(0);
    assert.deepEqual(
      read.map(({ kind }) => kind),
      ['gap', 'server'],
    );
    assert.equal(messagesIn(read), 600);
  });

  it('tells one that reads along each loss once, and one that comes later all of them in few gaps', async () => {
    full = true;
    let cursor = 0;
    let told = 0;
    for (let n = 0; n < 500; n++) {
      await print(n.toString());
      const read = await journal.read(cursor);
      told += messagesIn(read);
      cursor = read.at(-1)?.seq ?? cursor;
    }
    assert.equal(told, 500);
    const most = Math.max(...given.map(records => gapsIn(records).length));
    assert.ok(most <= 101, `${most.toString()} gaps in one write`);
    full = false;
    journal.retryRefused();
    const later = await journal.read(0);
    assert.equal(messagesIn(later), 500);
    assert.equal(journal.lastSeq, later.at(-1)?.seq);
  });

  it('takes nothing of what an idle kernel has kept, however often it is tried again', async () => {
    for (let n = 0; n < 40; n++) {
      await print('k'.repeat(200_000));
    }
    await journal.close();
    journal = open();
    full = true;
    await print('refused');
    await journal.retain();
    const kept = journal.sizeBytes;
    assert.ok(kept > 1_000_000);
    for (let n = 0; n < 10; n++) {
      journal.retryRefused();
      await journal.retain();
    }
    assert.equal(journal.sizeBytes, kept);
  });

  it('stays told by the same gap to whoever read it while it was being written', () => {
    const refused = new Refused();
    const lose = (seq: number) =>
      refused.add([
        makeRecord(
          {
            kind: 'server',
            channel: 'iopub',
            type: 'stream',
            execution: 1,
            timeMs: 0,
            frame: printed('a'),
          },
          seq,
        ),
      ]);
    lose(1);
    const [writing] = refused.toWrite(0);
    assert.deepEqual(refused.after(0, 0), [writing]);
    lose(2);
    assert.deepEqual(
      refused.after(0, 0).map(({ seq }) => seq),
      [1, 2],
    );
    refused.written(refused.toWrite(0));
    assert.deepEqual(refused.after(0, 0), []);
  });

  it('does not count a loss again when the gap that speaks of it is refused, and tells it all the same', () => {
    const refused = new Refused();
    const loss = {
      fromSeq: 2,
      toSeq: 5,
      messages: 4,
      droppedBytes: 400,
      reason: 'bound',
      executions: [[1, 400]],
    } as const;
    const frame = gapFrame({ ...loss, executions: [[1, 400]], cells: [] });
    const record = makeRecord(
      { kind: 'gap', channel: 'iopub', type: 'other', execution: 0, timeMs: 0, frame },
      9,
    );
    assert.equal(refused.add([record]), null);
    assert.deepEqual(
      refused.after(0, 0).map(gap => readGap(gap).droppedBytes),
      [400],
    );
  });
});
