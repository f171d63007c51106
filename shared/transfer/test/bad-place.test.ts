/** A disk with a bad place: what lies behind it cannot be read, however often it is asked for. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiskSource } from '../src/disk-source.ts';
import { SMALL_BYTES } from '../src/entry.ts';
import type { Source } from '../src/sides.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { type Direction, type Disk, Rig, ROOT } from './support/rig.ts';

const CASES = [
  ['behind what has arrived', SMALL_BYTES + 1_000],
  ['at its very beginning', 0],
] as const;

describe('a large file on a bad place of a disk', () => {
  const disk = new DiskThread();
  after(() => disk.close());

  const copied = async (direction: Direction, badAt: number): Promise<void> => {
    const isSent = direction === 'send';
    const bad: Disk = {
      source: confinedTo => badSource(confinedTo, badAt),
      target: (...at) => disk.target(...at),
    };
    const rig = await (isSent ? Rig.make(disk, bad) : Rig.make(bad));
    try {
      const { from, to } = rig.sides(direction);
      mkdirSync(join(from, ROOT));
      writeFileSync(join(from, ROOT, 'bad.bin'), Buffer.alloc(2 * SMALL_BYTES, 1));
      writeFileSync(join(from, ROOT, 'good.txt'), 'good');
      let tries = 0;
      const onEvent = (event: string): void => {
        tries += event === 'again' ? 1 : 0;
      };
      const { error, account } = await rig.copy(direction, { onEvent });
      assert.equal(error, null);
      assert.deepEqual(
        account
          .of('bad.bin')
          .map(({ outcome, detail }) => `${outcome}: ${detail.replace(/^.*? cannot/, 'it cannot')}`),
        ['unreadable: it cannot be read: the disk fails there.'],
      );
      assert.equal(readFileSync(join(to, ROOT, 'good.txt'), 'utf8'), 'good');
      assert.deepEqual(readdirSync(join(to, ROOT)), ['good.txt'], 'a part of it was left');
      assert.equal(tries, 0, 'what cannot be read was asked for again');
    } finally {
      await rig.dispose();
    }
  };

  for (const [where, badAt] of CASES) {
    for (const direction of ['send', 'fetch'] as const) {
      it(`is named as unreadable, and ends no other file’s copy: ${direction}, ${where}`, () =>
        copied(direction, badAt));
    }
  }
});

function badSource(confinedTo: string | null, badAt: number): Source {
  const good = new DiskSource(confinedTo);
  return {
    list: (...asked) => good.list(...asked),
    hash: (...asked) => good.hash(...asked),
    read: (...asked) => good.read(...asked),
    open: async (roots, entry, offset, signal) => {
      const file = await good.open(roots, entry, offset, signal);
      return { ...file, bytes: untilBad(file.bytes, badAt - offset) };
    },
  };
}

async function* untilBad(bytes: AsyncIterable<Uint8Array>, left: number): AsyncGenerator<Uint8Array> {
  let wanted = left;
  for await (const some of bytes) {
    if (some.length > wanted) {
      if (wanted > 0) {
        yield some.subarray(0, wanted);
      }
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    }
    wanted -= some.length;
    yield some;
  }
}
