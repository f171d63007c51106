import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMessage } from '@hitch/contract';
import fc from 'fast-check';
import { readGap } from '../../src/agent/kernels/journal/gap.ts';
import { Journal } from '../../src/agent/kernels/journal/journal.ts';
import type { JournalEvents, JournalLimits } from '../../src/agent/kernels/journal/journal.ts';
import type { JournalRecord } from '../../src/agent/kernels/journal/record.ts';
import { recoverJournal } from '../../src/agent/kernels/journal/recover.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';

const LIMITS: JournalLimits = { maxBytesPerKernel: 64 * 1024 * 1024, maxAgeMs: 3_600_000 };

function message(type: string, text: string): Uint8Array {
  return encodeMessage({
    channel: 'iopub',
    header: { msg_id: text.slice(0, 20), msg_type: type, session: 'k' },
    parentHeader: {},
    metadata: {},
    content: { text },
    buffers: [],
  });
}

describe('the journal', () => {
  let folder: string;
  let clock: VirtualClock;
  let flushed: JournalRecord[];
  let unfinished: Set<number>;
  let dropped: { bytes: Map<number, number>; forgotten: number[] };

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'hitch-journal-')), 'k');
    clock = new VirtualClock();
    flushed = [];
    unfinished = new Set();
    dropped = { bytes: new Map(), forgotten: [] };
  });

  afterEach(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  let epochs = 0;
  function open(limits = LIMITS): { journal: Journal; found: JournalRecord[] } {
    const found: JournalRecord[] = [];
    const state = recoverJournal({
      folder,
      kernelId: 'k',
      newEpoch: () => `epoch-${(epochs++).toString()}`,
      nowMs: clock.now(),
      visit: record => found.push(record),
    });
    const events: JournalEvents = {
      flushed: records => flushed.push(...records),
      dropped: (bytes, forgotten) => {
        for (const [number, count] of bytes) {
          dropped.bytes.set(number, (dropped.bytes.get(number) ?? 0) + count);
        }
        dropped.forgotten.push(...forgotten);
      },
      isUnfinished: number => unfinished.has(number),
    };
    return { journal: new Journal(state, { limits, clock, log: silentLog, events }), found };
  }

  const put = (journal: Journal, type: string, text: string, execution = 1): JournalRecord =>
    journal.append({
      kind: type === 'execute_request' ? 'request' : 'server',
      channel: 'iopub',
      type,
      execution,
      frame: message(type, text),
    });

  async function readAll(journal: Journal, after = 0): Promise<JournalRecord[]> {
    const all: JournalRecord[] = [];
    for (let seq = after; ;) {
      const records = await journal.read(seq);
      if (records.length === 0) {
        return all;
      }
      all.push(...records);
      seq = records.at(-1)?.seq ?? seq;
    }
  }

  /** Written, and with a turn for the work in the background, as between two reads of a socket. */
  async function settle(journal: Journal): Promise<void> {
    await journal.flush();
    await new Promise(resolve => setImmediate(resolve));
  }

  const texts = (records: JournalRecord[]): string[] =>
    records.map(({ frame }) => /"text":"([^"]*)"/.exec(frame.toString('latin1'))?.[1] ?? '');

  const files = (): string[] =>
    readdirSync(folder)
      .filter(name => name.endsWith('.journal'))
      .sort()
      .map(name => join(folder, name));

  it('reads back what was written, from any place, and shows nothing before it is written', async () => {
    const { journal } = open();
    const sizes = [1, 100, 70_000, 3_000_000, 5, 200_000];
    for (const [index, size] of sizes.entries()) {
      put(journal, 'stream', `${index.toString()}-${'x'.repeat(size)}`);
    }
    assert.equal(flushed.length, 0);
    await journal.flush();
    assert.equal(flushed.length, sizes.length);
    for (let after = 0; after <= sizes.length; after++) {
      const read = await readAll(journal, after);
      assert.deepEqual(
        read.map(({ seq }) => seq),
        flushed.map(({ seq }) => seq).filter(seq => seq > after),
      );
      assert.ok(read.every(record => record.frame.equals(flushed[record.seq - 1]?.frame ?? Buffer.alloc(0))));
    }
    await journal.close();
  });

  it('loses at most the torn end after a crash at any byte, keeps its epoch and gives no number twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2_000), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.uint8Array({ maxLength: 40 }),
        async (sizes, cutAt, rubbish) => {
          await rm(folder, { recursive: true, force: true });
          const first = open();
          const written = sizes.map((size, index) =>
            put(first.journal, 'stream', `${index.toString()}-${'y'.repeat(size)}`),
          );
          await first.journal.close();
          const [file = ''] = files();
          const cut = cutAt % (statSync(file).size + 1);
          truncateSync(file, cut);
          appendFileSync(file, rubbish);
          let end = 0;
          const whole = written.filter(({ sizeBytes }) => (end += sizeBytes) <= cut);
          const second = open();
          assert.equal(second.journal.epoch, first.journal.epoch);
          assert.deepEqual(texts(second.found), texts(whole));
          const next = put(second.journal, 'stream', 'next');
          assert.ok(next.seq > (written.at(-1)?.seq ?? 0));
          await second.journal.flush();
          assert.deepEqual(texts(await readAll(second.journal)), [...texts(whole), 'next']);
          await second.journal.close();
          const third = open();
          assert.deepEqual(texts(third.found), [...texts(whole), 'next']);
          await third.journal.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begins a new epoch when it cannot tell whose files these are', async () => {
    const first = open();
    put(first.journal, 'stream', 'a');
    await first.journal.close();
    for (const meta of ['', '{', '{"format":99}', '{"format":1,"kernelId":"other","epoch":"e"}']) {
      writeFileSync(join(folder, 'meta.json'), meta);
      const next = open();
      assert.notEqual(next.journal.epoch, first.journal.epoch);
      assert.equal(next.found.length, 0);
      assert.equal(next.journal.lastSeq, 0);
      await next.journal.close();
    }
  });

  const SMALL: JournalLimits = { maxBytesPerKernel: 2 * 1024 * 1024, maxAgeMs: 3_600_000 };

  it('stays under its bound by dropping the oldest stream output, and says so', async () => {
    const { journal } = open(SMALL);
    unfinished.add(1);
    put(journal, 'execute_request', 'request');
    put(journal, 'execute_input', 'input');
    for (let index = 0; index < 600; index++) {
      put(journal, 'stream', `${index.toString()}-${'z'.repeat(20_000)}`);
      if (index === 100) {
        put(journal, 'display_data', 'picture');
      }
      await settle(journal);
    }
    await journal.retain();
    await journal.close();
    assert.ok(journal.sizeBytes <= SMALL.maxBytesPerKernel * 1.2, journal.sizeBytes.toString());
    const onDisk = files().reduce((sum, file) => sum + statSync(file).size, 0);
    assert.equal(onDisk, journal.sizeBytes);
    const { journal: again, found } = open(SMALL);
    const kept = found.filter(({ kind, type }) => kind === 'server' && type === 'stream');
    const gaps = found.filter(({ kind }) => kind === 'gap').map(readGap);
    assert.deepEqual(
      found.filter(({ kind, type }) => kind !== 'gap' && type !== 'stream').map(({ type }) => type),
      ['execute_request', 'execute_input', 'display_data'],
    );
    const numbers = texts(kept).map(text => Number(text.split('-')[0]));
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, index) => 600 - numbers.length + index),
    );
    assert.equal(
      gaps.reduce((sum, gap) => sum + gap.messages, 0),
      600 - numbers.length,
    );
    assert.ok(gaps.every(({ reason }) => reason === 'bound'));
    const bytes = gaps.reduce((sum, gap) => sum + gap.droppedBytes, 0);
    assert.equal(again.droppedBytes, bytes);
    assert.equal(dropped.bytes.get(1), bytes);
    assert.ok(bytes >= (600 - numbers.length) * 20_000);
    // The dropped run is few gaps, not one for each message or file.
    assert.ok(gaps.length <= 6, gaps.length.toString());
    assert.deepEqual(
      found.map(({ seq }) => seq),
      found.map(({ seq }) => seq).sort((a, b) => a - b),
    );
    await again.close();
  });

  it('drops finished executions before the state of a running one', async () => {
    const { journal } = open(SMALL);
    unfinished.add(1);
    put(journal, 'execute_request', 'running', 1);
    put(journal, 'execute_request', 'finished', 2);
    for (let index = 0; index < 300; index++) {
      put(journal, 'display_data', `${index.toString()}-${'d'.repeat(20_000)}`, 2);
      await settle(journal);
    }
    await journal.retain();
    await journal.close();
    assert.ok(journal.sizeBytes <= SMALL.maxBytesPerKernel * 1.2);
    assert.deepEqual(dropped.forgotten, [2]);
    const { journal: again, found } = open(SMALL);
    assert.ok(texts(found).includes('running'));
    await again.close();
  });

  it('keeps its bound also when one running execution shows more than that, and keeps its state', async () => {
    const { journal } = open(SMALL);
    unfinished.add(1);
    put(journal, 'execute_request', 'running', 1);
    put(journal, 'execute_input', 'input', 1);
    for (let index = 0; index < 300; index++) {
      put(journal, 'display_data', `${index.toString()}-${'d'.repeat(20_000)}`, 1);
      await settle(journal);
    }
    await journal.retain();
    await journal.close();
    assert.ok(journal.sizeBytes <= SMALL.maxBytesPerKernel * 1.2);
    const { journal: again, found } = open(SMALL);
    assert.deepEqual(texts(found.slice(0, 2)), ['running', 'input']);
    await again.close();
  });

  it('drops what is older than its age, except of a running execution', async () => {
    const { journal } = open();
    unfinished.add(2);
    put(journal, 'stream', 'old', 1);
    put(journal, 'execute_request', 'running', 2);
    await journal.flush();
    clock.jump(LIMITS.maxAgeMs + 1);
    put(journal, 'stream', 'young', 1);
    await journal.flush();
    await journal.retain();
    await journal.close();
    const { journal: again, found } = open();
    assert.deepEqual(texts(found.filter(({ kind }) => kind !== 'gap')), ['running', 'young']);
    assert.deepEqual(
      found.filter(({ kind }) => kind === 'gap').map(record => readGap(record).reason),
      ['age'],
    );
    await again.close();
  });

  it('reads on while old segments are rewritten under the reader', async () => {
    const { journal } = open(SMALL);
    let cursor = 0;
    let seen = 0;
    let missing = 0;
    const reader = async (): Promise<void> => {
      while (seen + missing < 400) {
        for (const record of await journal.read(cursor)) {
          assert.ok(record.seq > cursor);
          if (record.kind === 'gap') {
            const gap = readGap(record);
            missing += gap.fromSeq > cursor ? gap.messages : record.seq - cursor;
          } else {
            seen += 1;
          }
          cursor = record.seq;
        }
        await new Promise(resolve => setTimeout(resolve, 3));
      }
    };
    const reading = reader();
    for (let index = 0; index < 400; index++) {
      put(journal, 'stream', `${index.toString()}-${'r'.repeat(20_000)}`);
      await journal.flush();
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    await reading;
    assert.equal(seen + missing, 400);
    await journal.close();
  });

  it('takes damage in the middle for a gap, and goes on after it', async () => {
    const { journal } = open(SMALL);
    for (let index = 0; index < 40; index++) {
      put(journal, 'stream', `${index.toString()}-${'m'.repeat(20_000)}`);
      await journal.flush();
    }
    await journal.close();
    const [first = ''] = files();
    const data = readFileSync(first);
    const at = Math.floor(data.length / 2);
    data.writeUInt8(data.readUInt8(at) ^ 0xff, at);
    writeFileSync(first, data);
    const { journal: again, found } = open(SMALL);
    assert.equal(again.epoch, journal.epoch);
    assert.ok(texts(found).some(text => text.startsWith('39-')));
    const read = await readAll(again);
    assert.equal(
      read.filter(({ kind }) => kind === 'gap').map(record => readGap(record).reason)[0],
      'damage',
    );
    assert.ok(again.droppedBytes > 0);
    await again.close();
  });

  it('finishes a compaction that was stopped between its new file and the old ones', async () => {
    const { journal } = open(SMALL);
    for (let index = 0; index < 40; index++) {
      put(journal, 'stream', `${index.toString()}-${'c'.repeat(20_000)}`);
      await journal.flush();
    }
    await journal.close();
    const before = texts(flushed);
    const [one = '', two = ''] = files();
    // The joined file of the next generation stands beside both of its sources and a half-written one.
    const joined = one.replace('-000000.', '-000001.');
    writeFileSync(joined, Buffer.concat([readFileSync(one), readFileSync(two)]));
    writeFileSync(`${joined}.tmp`, 'half');
    const { journal: again, found } = open(SMALL);
    assert.deepEqual(texts(found), before);
    assert.ok(!files().includes(two));
    assert.deepEqual(
      readdirSync(folder).filter(name => name.endsWith('.tmp')),
      [],
    );
    await again.close();
  });

  it('goes on telling clients when the disk refuses, and says afterwards what it could not keep', async () => {
    const { journal } = open();
    put(journal, 'stream', 'kept');
    await journal.close();
    // The folder is gone, as a disk that was unmounted: no new segment can be made.
    const { journal: again } = open();
    await rm(folder, { recursive: true });
    put(again, 'stream', 'refused');
    await again.flush();
    assert.equal(texts(flushed).at(-1), 'refused');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(folder);
    put(again, 'stream', 'after');
    await again.flush();
    const last = await again.read(again.lastSeq - 2);
    assert.deepEqual(
      last.map(({ kind }) => kind),
      ['gap', 'server'],
    );
    const [gap] = last;
    assert.ok(gap);
    assert.equal(readGap(gap).reason, 'disk');
    assert.equal(readGap(gap).messages, 1);
    await again.close();
  });
});
