/** A kernel's journal on a disk that is full: what is lost is said, nothing else is, and it goes on when there is room. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { encodeMessage } from '@hitch/contract';
import { readGap } from '../../backend-proxy/src/agent/kernels/journal/gap.ts';
import { Journal } from '../../backend-proxy/src/agent/kernels/journal/journal.ts';
import type { JournalRecord } from '../../backend-proxy/src/agent/kernels/journal/record.ts';
import { recoverJournal } from '../../backend-proxy/src/agent/kernels/journal/recover.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { SmallDisk } from '../support/small-disk.ts';

const DISK_BYTES = 2 * 1024 * 1024;
const MESSAGE_BYTES = 100_000;

const message = (type: string): Uint8Array =>
  encodeMessage({
    channel: 'iopub',
    header: { msg_id: 'm', msg_type: type, session: 'k' },
    parentHeader: {},
    metadata: {},
    content: { text: 'x'.repeat(MESSAGE_BYTES) },
    buffers: [],
  });

describe('hostile: the journal on a full disk', () => {
  let disk: SmallDisk;
  let live: number[];
  let dropped: number;

  beforeEach(function () {
    disk = SmallDisk.mount(this, DISK_BYTES);
    live = [];
    dropped = 0;
  });
  afterEach(() => (disk as SmallDisk | undefined)?.unmount());

  const clock = new VirtualClock();
  const open = (): Journal => {
    const state = recoverJournal({
      folder: join(disk.folder, 'k'),
      kernelId: 'k',
      newEpoch: () => 'epoch',
      nowMs: clock.now(),
      visit: () => undefined,
    });
    return new Journal(state, {
      limits: { maxBytesPerKernel: 64 * 1024 * 1024, maxAgeMs: 3_600_000 },
      clock,
      log: silentLog,
      events: {
        flushed: records => live.push(...records.filter(({ kind }) => kind !== 'gap').map(({ seq }) => seq)),
        dropped: byExecution => (dropped += [...byExecution.values()].reduce((sum, bytes) => sum + bytes, 0)),
        isUnfinished: () => false,
      },
    });
  };

  const print = async (journal: Journal, count: number, type = 'stream'): Promise<void> => {
    for (let n = 0; n < count; n++) {
      journal.append({ kind: 'server', channel: 'iopub', type, execution: 1, frame: message(type) });
      await journal.flush();
      // What makes room works in the background.
      await journal.retain();
    }
  };

  async function readAll(journal: Journal): Promise<JournalRecord[]> {
    const all: JournalRecord[] = [];
    for (let seq = 0; ;) {
      const records = await journal.read(seq);
      if (records.length === 0) {
        return all;
      }
      all.push(...records);
      seq = records.at(-1)?.seq ?? seq;
    }
  }

  /** Every message that was sent is there, or in a gap; gaps say so many messages. */
  function checkNothingUnsaid(records: readonly JournalRecord[], sent: readonly number[]): number {
    const here = new Set(records.filter(({ kind }) => kind === 'server').map(({ seq }) => seq));
    const gaps = records.filter(({ kind }) => kind === 'gap').map(readGap);
    const missing = sent.filter(seq => !here.has(seq));
    for (const seq of missing) {
      assert.ok(
        gaps.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq),
        `nobody says that ${seq.toString()} is missing`,
      );
    }
    assert.equal(
      gaps.reduce((sum, gap) => sum + gap.messages, 0),
      missing.length,
      'each is said once',
    );
    assert.deepEqual(
      records.map(({ seq }) => seq),
      records.map(({ seq }) => seq).sort((a, b) => a - b),
    );
    return missing.length;
  }

  it('gives live clients everything, tells later ones what is missing, and keeps what comes when there is room', async () => {
    const journal = open();
    await print(journal, 3);
    disk.fill();
    await print(journal, 4);
    assert.equal(live.length, 7);
    assert.ok(checkNothingUnsaid(await readAll(journal), live) >= 4);
    assert.ok(dropped >= 4 * MESSAGE_BYTES, dropped.toString());
    // A second reader meets the same gaps, and what is refused after it is another one.
    await print(journal, 2);
    checkNothingUnsaid(await readAll(journal), live);
    disk.empty();
    journal.retryRefused();
    await print(journal, 2);
    const missing = checkNothingUnsaid(await readAll(journal), live);
    assert.equal(journal.pendingBytes, 0);
    await journal.close();
    const recovered = open();
    const found = await readAll(recovered);
    assert.equal(checkNothingUnsaid(found, live), missing);
    assert.ok(
      live.slice(-2).every(seq => found.some(record => record.kind === 'server' && record.seq === seq)),
      'what came when there was room again is kept',
    );
    await recovered.close();
  });

  it('makes room by its oldest output when it fills the disk itself, and leaves no half files', async () => {
    const journal = open();
    await print(journal, 60);
    await print(journal, 20, 'display_data');
    const records = await readAll(journal);
    checkNothingUnsaid(records, live);
    assert.ok(records.some(({ kind }) => kind === 'server'));
    await journal.close();
    assert.deepEqual(
      readdirSync(join(disk.folder, 'k')).filter(name => name.endsWith('.tmp')),
      [],
    );
  });

  it('begins for a kernel that starts while the disk is full, once there is room', async () => {
    disk.fill();
    const journal = open();
    await print(journal, 2);
    assert.equal(live.length, 2);
    assert.equal(checkNothingUnsaid(await readAll(journal), live), 2);
    disk.empty();
    await print(journal, 1);
    await journal.close();
    const recovered = open();
    assert.equal(checkNothingUnsaid(await readAll(recovered), live), 2);
    await recovered.close();
  });
});
