/** A disk that is full, in small: a real file system of a few megabytes where the system lets one be mounted. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { SMALL_BYTES } from '../src/entry.ts';
import { isPartName } from '../src/names.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { Chance } from './support/chance.ts';
import { pathsIn } from './support/disk-view.ts';
import { Rig, ROOT } from './support/rig.ts';
import { makeTree, readTree } from './support/small-tree.ts';

const DISK_BYTES = 16 * 1024 * 1024;
const content = new Chance(8).content(SMALL_BYTES + 1_000_000);

describe('a disk that is full', () => {
  const disk = new DiskThread();
  let folder = '';
  let rig: Rig;

  before(function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      console.log('      skipped: only root on Linux can mount a small disk');
      this.skip();
    }
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'hx-full-')));
    try {
      execFileSync(
        'mount',
        ['-t', 'tmpfs', '-o', `size=${DISK_BYTES.toString()},nr_inodes=400`, 'hitch-test', folder],
        {
          stdio: 'ignore',
        },
      );
    } catch {
      rmSync(folder, { recursive: true });
      folder = '';
      console.log('      skipped: this system does not let a disk be mounted');
      this.skip();
    }
  });

  after(async () => {
    await disk.close();
    if (folder !== '') {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    }
  });

  beforeEach(async () => {
    rig = await Rig.make(disk);
  });

  afterEach(async () => {
    for (const name of pathsIn(folder).filter(path => path !== '' && !path.includes('/'))) {
      rmSync(join(folder, name), { recursive: true });
    }
    await rig.dispose();
  });

  /** To the small disk. */
  const fetchThere = (spareBytes = 0): ReturnType<Rig['copy']> =>
    rig.copy('fetch', { plan: { target: disk.target(folder, false), spareBytes } });
  const fill = (leaving: number): void =>
    writeFileSync(join(folder, 'filler'), new Chance(9).content(DISK_BYTES - leaving));
  const partsIn = (): string[] => pathsIn(folder).filter(path => isPartName(path.split('/').at(-1) ?? ''));

  const isFull = (error: unknown): void => {
    assert.ok(error instanceof HitchError, String(error));
    assert.equal(error.code, 'STORAGE_FULL', error.message);
  };

  it('is said to be too small before anything is copied, where that is known', async () => {
    makeTree(join(rig.work, ROOT), { large: content, 'a.txt': 'a' });
    fill(SMALL_BYTES);
    const { error, account } = await fetchThere();
    isFull(error);
    assert.deepEqual(pathsIn(folder), ['', 'filler']);
    assert.ok(account.has('large', 'notCopied') && account.has('a.txt', 'notCopied'));
    rmSync(join(folder, 'filler'));
    isFull((await fetchThere(DISK_BYTES)).error);
    assert.equal((await fetchThere()).error, null);
  });

  it('that fills up in the middle ends the copy with what is there, names the rest, and leaves no half files', async () => {
    // Each takes a page, which nobody can know beforehand.
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`f${index.toString()}`, 'x'.repeat(20)]),
    );
    makeTree(join(rig.work, ROOT), { ...many, link: '→ f1', 'sub/deep.txt': 'deep' });
    fill(500_000);
    const { error, account } = await fetchThere();
    isFull(error);
    assert.deepEqual(partsIn(), []);
    const arrived = readTree(join(folder, ROOT));
    const files = Object.keys({ ...many, 'sub/deep.txt': '' });
    assert.ok(account.copiedFiles > 0 && account.count('notCopied') > 0);
    for (const path of files) {
      assert.equal(path in arrived, !account.has(path, 'notCopied'), path);
    }
    rmSync(join(folder, 'filler'));
    const again = await fetchThere();
    assert.equal(again.error, null);
    assert.equal(account.copiedFiles + again.account.copiedFiles, files.length);
    assert.deepEqual(again.account.all(), []);
    assert.deepEqual(readTree(join(folder, ROOT)), readTree(join(rig.work, ROOT)));
  });

  it('that others fill keeps the room that has to stay free, and loses what was begun', async () => {
    makeTree(join(rig.work, ROOT), { large: content, 'a.txt': 'a' });
    const spareBytes = 6 * 1024 * 1024;
    let filled = false;
    const { error, account } = await rig.copy('fetch', {
      plan: { target: disk.target(folder, false), spareBytes },
      send: async asked => {
        if (asked.path === '/transfer/open' && !filled) {
          filled = true;
          // Enough is left for all of it, but not for what has to stay.
          fill(content.length + spareBytes / 2);
        }
        return rig.served.send(asked);
      },
    });
    isFull(error);
    assert.deepEqual(partsIn(), []);
    assert.ok(account.has('large', 'notCopied'));
  });

  it('that fills up in a large file loses it again, so that all else has room', async () => {
    makeTree(join(rig.work, ROOT), { large: content });
    let filled = false;
    const { error, account } = await rig.copy('fetch', {
      plan: { target: disk.target(folder, false) },
      send: async asked => {
        // Somebody else writes, once it was looked at.
        if (asked.path === '/transfer/open' && !filled) {
          filled = true;
          fill(SMALL_BYTES / 2);
        }
        return rig.served.send(asked);
      },
    });
    isFull(error);
    assert.ok(account.has('large', 'notCopied'));
    assert.deepEqual(partsIn(), []);
    rmSync(join(folder, 'filler'));
    assert.equal((await fetchThere()).error, null);
    assert.deepEqual(readTree(join(folder, ROOT)), { large: `${content.length.toString()} bytes` });
  });

  it('of names, for folders and links as well, is one too', async () => {
    const folders = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`d${index.toString()}/`, '']),
    );
    const links = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`l${index.toString()}`, '→ nothing']),
    );
    for (const tree of [folders, links]) {
      makeTree(join(rig.work, ROOT), tree);
      isFull((await fetchThere()).error);
      assert.deepEqual(partsIn(), []);
    }
  });

  it('at a machine ends what is sent in the same way', async () => {
    // Its work folder lies on the small disk.
    const work = join(folder, 'work');
    mkdirSync(work);
    const small = await Rig.make(disk, undefined, work);
    try {
      makeTree(join(small.here, ROOT), { large: content, 'a.txt': 'a' });
      let filled = false;
      const { error, account } = await small.copy('send', {
        send: asked => {
          if (asked.path === '/transfer/append' && !filled) {
            filled = true;
            fill(SMALL_BYTES / 2);
          }
          return small.served.send(asked);
        },
      });
      isFull(error);
      assert.ok(account.has('large', 'notCopied'));
      assert.deepEqual(partsIn(), []);
      rmSync(join(folder, 'filler'));
      assert.equal((await small.copy('send')).error, null);
      assert.deepEqual(readTree(join(work, ROOT)), {
        large: `${content.length.toString()} bytes`,
        'a.txt': 'a',
      });
    } finally {
      await small.dispose();
    }
  });
});
