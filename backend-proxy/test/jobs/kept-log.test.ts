/** What is kept here of a job's log: the bytes of the machine under their own numbers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobIdSchema } from '@hitch/contract';
import { KeptLog, removeOthers } from '../../src/jobs/kept-log.ts';

const id = jobIdSchema.parse('job_01ARZ3NDEKTSV4RRFFQ69G5FAV');
const page = (from: number, text: string) => ({ run: 1, from, data: Buffer.from(text).toString('base64') });

describe('The kept log of a job', () => {
  let root: string;
  let log: KeptLog;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hitch-kept-'));
    log = new KeptLog(root, id, 16 * 1024 * 1024);
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const all = async (from = 0): Promise<string> => (await log.read(1, from, 1_000_000)).data.toString();

  it('goes on where it was, and writes nothing twice', async () => {
    await log.add(page(0, 'one\n'));
    await log.add(page(0, 'one\ntwo\n'));
    await log.add(page(2, 'e\n'));
    await log.add(page(8, 'three\n'));
    assert.equal(await all(), 'one\ntwo\nthree\n');
    assert.equal(await all(4), 'two\nthree\n');
    assert.deepEqual(await log.extent(1), { endByte: 14, droppedBytes: 0 });
  });

  it('keeps the numbers over what the machine had not kept either', async () => {
    await log.add(page(0, 'begin\n'));
    await log.add(page(1_000, 'end\n'));
    assert.deepEqual(await log.extent(1), { endByte: 1_004, droppedBytes: 994 });
    const second = await log.read(1, 6, 100);
    assert.deepEqual([second.from, second.data.toString()], [1_000, 'end\n']);
    const found = await log.search(1, 'END', 0);
    assert.deepEqual(found, { lines: [{ at: 1_000, text: 'end' }], next: null });
  });

  it('gives up its middle when there is too much of it', async () => {
    const chunk = 'x'.repeat(1024 * 1024);
    for (let at = 0; at < 30; at++) {
      await log.add(page(at * chunk.length, chunk));
    }
    const { endByte, droppedBytes } = await log.extent(1);
    assert.equal(endByte, 30 * chunk.length);
    assert.ok(endByte - droppedBytes <= 16 * chunk.length, (endByte - droppedBytes).toString());
    assert.equal((await log.read(1, 0, 10)).from, 0);
    assert.equal((await log.read(1, endByte - 10, 10)).data.length, 10);
  });

  it('is removed when no record speaks of its job', async () => {
    await log.add(page(0, 'text'));
    await removeOthers(root, known => known === id);
    assert.equal(await all(), 'text');
    await removeOthers(root, () => false);
    assert.equal(await all(), '');
  });
});
