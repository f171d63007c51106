/** The list of what is to be copied: of any size, with everything in it or named, whatever kind of thing it is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  type Stats,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { timeOf } from '../src/disk-calls.ts';
import type { Listed } from '../src/entry.ts';
import { bytesOf, fileName, readPackedName } from '../src/packed.ts';
import type { Source, Target } from '../src/sides.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { IN_THIS_THREAD, Rig, ROOT } from './support/rig.ts';
import { makeTree, readTree } from './support/small-tree.ts';

const MANY = 200_000;
const PAGE = 1_000;

/** As large a tree as nobody would make on a disk for a test. */
class ManyFiles implements Source {
  readonly #atPage: (page: number) => void;

  constructor(atPage: (page: number) => void) {
    this.#atPage = atPage;
  }

  async *list(): AsyncGenerator<Listed[]> {
    for (let page = 0; page < MANY / PAGE; page++) {
      this.#atPage(page);
      yield Array.from({ length: PAGE }, (_, index) => ({
        root: 0,
        path: `a folder with a name of its own/file-${(page * PAGE + index).toString()}.bin`,
        kind: 'file' as const,
        sizeBytes: 10,
        modifiedAtMs: 1_700_000_000_000,
        mode: 0o644,
      }));
    }
  }

  read(): ReturnType<Source['read']> {
    return bytesOf(nothing());
  }

  open(): never {
    throw new Error('no file of these is large');
  }

  async hash(): Promise<string[]> {
    return [];
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(0);
}

/** Says of everything what it is told to, and writes nothing. */
const takingAll = (standing: 'missing' | 'same'): Target => ({
  look: async (_, entries) => entries.map(() => standing),
  hash: async () => [],
  room: async () => Number.MAX_SAFE_INTEGER,
  write: async (_to, entries, _policy, _tar, _signal, told) => {
    entries.forEach((entry, index) =>
      told({ index, state: 'copied', detail: '', bytes: entry.sizeBytes, changed: false }),
    );
  },
  part: async () => 0,
  partHash: async () => null,
  append: () => assert.fail('no file of these is large'),
  place: () => assert.fail('no file of these is large'),
  forget: () => Promise.resolve(),
  settle: async () => [],
});

const isCollector = (value: unknown): value is () => void => typeof value === 'function';

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  assert.ok(isCollector(collect));
  collect();
  return process.memoryUsage().heapUsed;
}

describe('the list of a copy', () => {
  const disk = new DiskThread();
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.make(disk);
  });
  afterEach(() => rig.dispose());
  after(() => disk.close());

  for (const standing of ['missing', 'same'] as const) {
    it(`of ${MANY.toLocaleString('en')} files that are ${standing} takes no more memory than a short one`, async function () {
      this.timeout(60_000);
      const heaps: number[] = [];
      const source = new ManyFiles(page => {
        if (page % 60 === 59) {
          heaps.push(heapAfterCollection());
        }
      });
      const { error, account, totals } = await rig.copy('send', {
        plan: { source, target: takingAll(standing) },
      });
      heaps.push(heapAfterCollection());
      assert.equal(error, null);
      assert.equal(standing === 'same' ? totals.sameFiles : account.copiedFiles, MANY);
      const growth = Math.max(...heaps) - (heaps[0] ?? 0);
      // The entries themselves would be some fifty megabytes.
      assert.ok(growth < 12_000_000, `the heap grew by ${growth.toString()} bytes`);
    });
  }

  for (const direction of ['send', 'fetch'] as const) {
    const from = (path = ''): string => join(rig.sides(direction).from, ROOT, path);
    const to = (path = ''): string => join(rig.sides(direction).to, ROOT, path);

    it(`names what is neither file nor folder nor link, and waits for none of it: ${direction}`, async () => {
      makeTree(from(), { 'a.txt': 'a', 'in/': '' });
      execFileSync('mkfifo', [from('pipe'), from('in/pipe')]);
      const { account, error } = await rig.copy(direction);
      assert.equal(error, null);
      assert.deepEqual(readTree(to()), { 'a.txt': 'a', 'in/': '' });
      assert.deepEqual(account.details('pipe', 'leftOut'), ['a pipe']);
      assert.deepEqual(account.details('in/pipe', 'leftOut'), ['a pipe']);
    });

    it(`has modes and times of everything in it, old ones and odd ones too: ${direction}`, async () => {
      makeTree(from(), { 'deep/er/a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c', 'd.txt': 'd' });
      chmodSync(from('b.txt'), 0o400);
      chmodSync(from('deep'), 0o555);
      utimesSync(from('b.txt'), 0, 0);
      // Node takes a number below 0 for now.
      utimesSync(from('c.txt'), new Date(-5_000), new Date(-5_000));
      utimesSync(from('d.txt'), 4_400_000_000.25, 4_400_000_000.25);
      utimesSync(from('deep/er'), 77, 77);
      utimesSync(from('deep'), 78, 78);
      await rig.copy(direction);
      const timeAt = (path: string): number => lstatSync(to(path)).mtimeMs;
      assert.deepEqual(
        ['b.txt', 'c.txt', 'd.txt', 'deep/er', 'deep'].map(timeAt),
        [0, 0, 4_400_000_000_250, 77_000, 78_000],
      );
      assert.equal(lstatSync(to('b.txt')).mode & 0o777, 0o400);
      assert.equal(lstatSync(to('deep')).mode & 0o777, 0o555);
      assert.equal((await rig.copy(direction)).account.copiedFiles, 0);
      chmodSync(to('deep'), 0o755);
      chmodSync(from('deep'), 0o755);
    });

    it(`takes the names of one file for files: ${direction}`, async () => {
      makeTree(from(), { one: 'the same' });
      linkSync(from('one'), from('two'));
      await rig.copy(direction);
      assert.deepEqual(readTree(to()), { one: 'the same', two: 'the same' });
      assert.notEqual(lstatSync(to('one')).ino, lstatSync(to('two')).ino);
    });

    it(`of one file is that file, and of one link to a file what it leads to: ${direction}`, async () => {
      makeTree(join(rig.sides(direction).from), { 'a.txt': 'a', link: '→ a.txt', dangling: '→ nothing' });
      const root = (name: string): string => (direction === 'send' ? join(rig.here, name) : name);
      for (const [name, arrived] of [
        ['a.txt', 'a'],
        ['link', 'a'],
        ['dangling', '→ nothing'],
      ] as const) {
        const { error } = await rig.copy(direction, { plan: { roots: [root(name)], to: [`copy-${name}`] } });
        assert.equal(error, null);
        assert.deepEqual(readTree(rig.sides(direction).to)[`copy-${name}`], arrived);
      }
    });

    it(`fails where a root is not there, with the words of who asked: ${direction}`, async () => {
      makeTree(from(), { 'a.txt': 'a' });
      const root = direction === 'send' ? join(rig.here, 'nothing') : 'nothing';
      const missing = (path: string): never => assert.fail(`there is no ${path}`);
      const { error } = await rig.copy(direction, {
        plan: { roots: [rig.rootOf(direction), root], to: [ROOT, 'x'], missing },
      });
      assert.match(String(error), /there is no .*nothing/);
    });
  }

  it('names what a person has no right to read, and has all the rest', async function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: only root can become somebody else');
      this.skip();
    }
    const nobody = 65_534;
    const root = join(rig.here, ROOT);
    makeTree(root, {
      'a.txt': 'a',
      'secret.pem': 'no',
      'closed/b.txt': 'no',
      'listed/c.txt': 'no',
      'open/d.txt': 'd',
    });
    for (const path of ['', 'a.txt', 'secret.pem', 'closed', 'listed', 'open']) {
      chownSync(join(root, path), nobody, nobody);
    }
    chmodSync(rig.folder, 0o755);
    chmodSync(join(root, 'secret.pem'), 0);
    chmodSync(join(root, 'closed'), 0);
    chmodSync(join(root, 'listed'), 0o444);
    mkdirSync(join(rig.folder, 'spool'), { mode: 0o777 });
    chmodSync(join(rig.folder, 'spool'), 0o777);
    chmodSync(rig.work, 0o777);
    process.seteuid?.(nobody);
    const copied = await rig
      .copy('send', { plan: { target: IN_THIS_THREAD.target(rig.work, false) } })
      .finally(() => process.seteuid?.(0));
    assert.equal(copied.error, null);
    assert.deepEqual(readTree(join(rig.work, ROOT)), {
      'a.txt': 'a',
      'closed/': '',
      'listed/': '',
      'open/d.txt': 'd',
    });
    const { account } = copied;
    assert.deepEqual(account.details('secret.pem', 'unreadable'), ['permission denied']);
    assert.deepEqual(account.details('closed', 'unreadable'), ['permission denied']);
    assert.deepEqual(account.details('listed/c.txt', 'unreadable'), ['permission denied']);
    assert.equal(account.all().length, 3);
  });

  it('names what a person has no right to write, large or small, and brings all the rest', async function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: only root can become somebody else');
      this.skip();
    }
    const nobody = 65_534;
    const root = join(rig.here, ROOT);
    makeTree(root, {
      'a.txt': 'a',
      'closed/b.txt': 'b',
      'closed/large': Buffer.alloc(5_000_000, 'x'),
      'closed/in/': '',
    });
    makeTree(join(rig.work, ROOT), { 'closed/own.txt': 'a person’s' });
    chmodSync(rig.folder, 0o755);
    chmodSync(join(rig.work, ROOT), 0o777);
    chmodSync(join(rig.work, ROOT, 'closed'), 0o555);
    mkdirSync(join(rig.folder, 'spool'), { mode: 0o777 });
    chmodSync(join(rig.folder, 'spool'), 0o777);
    process.seteuid?.(nobody);
    const { account, error } = await rig
      .copy('send', { plan: { target: IN_THIS_THREAD.target(rig.work, false) } })
      .finally(() => process.seteuid?.(0));
    assert.equal(error, null);
    assert.deepEqual(readTree(join(rig.work, ROOT)), { 'a.txt': 'a', 'closed/own.txt': 'a person’s' });
    const unwritable = ['closed/b.txt', 'closed/large', 'closed/in'];
    assert.ok(
      unwritable.every(
        path => account.details(path, 'unreadable')[0] === 'cannot be written: permission denied',
      ),
    );
    assert.equal(account.all().length, unwritable.length);
  });

  it('goes as deep as the system lets a path be, and names what lies deeper', async () => {
    const root = join(rig.here, ROOT);
    mkdirSync(root);
    const before = process.cwd();
    process.chdir(root);
    for (let depth = 0; depth < 24; depth++) {
      mkdirSync('d'.repeat(200));
      process.chdir('d'.repeat(200));
      writeFileSync('a.txt', depth.toString());
    }
    process.chdir(before);
    const { account, error } = await rig.copy('send');
    assert.equal(error, null);
    const deepest = account.copiedFiles;
    assert.ok(deepest > 15 && deepest < 24, deepest.toString());
    assert.ok(
      account.all().every(({ outcome, detail }) => outcome === 'unreadable' && detail.includes('too long')),
    );
    assert.ok(account.count('unreadable') > 0);
    execFileSync('rm', ['-rf', root]);
  });

  it('has no time that would break the stream of files, however wrong a clock was', () => {
    const stats = (mtimeMs: number): Stats => Object.assign(lstatSync('/'), { mtimeMs });
    for (const [mtimeMs, listed] of [
      [-5, 0],
      [1_700_000_000_123.9, 1_700_000_000_123],
      [1e17, 999_999_999_999_999],
      [1e300, 999_999_999_999_999],
    ] as const) {
      const modifiedAtMs = timeOf(stats(mtimeMs));
      assert.equal(modifiedAtMs, listed);
      const name = fileName({ index: 1, modifiedAtMs, mode: 0o644, changed: false });
      assert.ok(readPackedName(name) !== null, name);
    }
  });
});
