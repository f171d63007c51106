/** A disk with a bad place: what lies behind it cannot be read, however often it is asked for. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiskSource } from '../src/disk-source.ts';
import { SMALL_BYTES } from '../src/entry.ts';
import type { Source } from '../src/sides.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { Rig, ROOT } from './support/rig.ts';

const BAD_AT = SMALL_BYTES + 1_000;

describe('a large file on a bad place of a disk', () => {
  const disk = new DiskThread();
  after(() => disk.close());

  it('is named as unreadable, and ends no other file’s copy', async () => {
    const rig = await Rig.make(disk);
    try {
      mkdirSync(join(rig.here, ROOT));
      writeFileSync(join(rig.here, ROOT, 'bad.bin'), Buffer.alloc(2 * SMALL_BYTES, 1));
      writeFileSync(join(rig.here, ROOT, 'good.txt'), 'good');
      const { error, account } = await rig.copy('send', { plan: { source: badSource() } });
      assert.equal(error, null);
      assert.equal(account.count('unreadable'), 1);
      assert.equal(readFileSync(join(rig.work, ROOT, 'good.txt'), 'utf8'), 'good');
      assert.equal(existsSync(join(rig.work, ROOT, 'bad.bin')), false);
    } finally {
      await rig.dispose();
    }
  });
});

function badSource(): Source {
  const good = new DiskSource(null);
  return {
    list: (...asked) => good.list(...asked),
    hash: (...asked) => good.hash(...asked),
    read: (...asked) => good.read(...asked),
    open: async (roots, entry, offset, signal) => {
      const file = await good.open(roots, entry, offset, signal);
      return { ...file, bytes: untilBad(file.bytes, BAD_AT - offset) };
    },
  };
}

async function* untilBad(bytes: AsyncIterable<Uint8Array>, left: number): AsyncGenerator<Uint8Array> {
  let wanted = left;
  for await (const some of bytes) {
    if (some.length > wanted) {
      yield some.subarray(0, wanted);
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    }
    wanted -= some.length;
    yield some;
  }
}
