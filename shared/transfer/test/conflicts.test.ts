/** What stands where something is to arrive: kept, replaced or left as the person says, and named in any case. */
import assert from 'node:assert/strict';
import { chmodSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { SMALL_BYTES } from '../src/entry.ts';
import { DiskTarget } from '../src/disk-target.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { Chance } from './support/chance.ts';
import { seenAt, viewOf } from './support/disk-view.ts';
import { type Direction, Rig, ROOT, stampOf } from './support/rig.ts';
import { makeTree, readTree, type SmallTree } from './support/small-tree.ts';

const content = new Chance(4).content(SMALL_BYTES + 1);
const SIZE = `${content.length.toString()} bytes`;
const stamp = stampOf(1);
const EARLIER_S = 1_600_000_000;

describe('what stands in the way of a copy', () => {
  const disk = new DiskThread();
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.make(disk);
  });
  afterEach(() => rig.dispose());
  after(() => disk.close());

  const make = (direction: Direction, source: SmallTree, target: SmallTree): void => {
    makeTree(join(rig.sides(direction).from, ROOT), source);
    makeTree(join(rig.sides(direction).to, ROOT), target, EARLIER_S);
  };
  const arrived = (direction: Direction): Record<string, string> =>
    readTree(join(rig.sides(direction).to, ROOT));

  const SOURCE = { 'a.txt': 'new', large: content, link: '→ a.txt', 'same.txt': 'the same' };
  const TARGET = {
    'a.txt': 'old',
    large: 'old too',
    link: '→ elsewhere',
    'same.txt': 'the same',
    own: 'a person’s',
  };

  for (const direction of ['send', 'fetch'] as const) {
    it(`stays beside the new one under a name with the date: ${direction}`, async () => {
      make(direction, SOURCE, TARGET);
      const { account, totals } = await rig.copy(direction, { conflict: 'keep-both' });
      assert.deepEqual(arrived(direction), {
        'a.txt': 'new',
        [`a (${stamp}).txt`]: 'old',
        large: SIZE,
        [`large (${stamp})`]: 'old too',
        link: '→ a.txt',
        [`link (${stamp})`]: '→ elsewhere',
        'same.txt': 'the same',
        own: 'a person’s',
      });
      assert.deepEqual(account.details('a.txt', 'keptBeside'), [`a (${stamp}).txt`]);
      assert.deepEqual(account.details('large', 'keptBeside'), [`large (${stamp})`]);
      assert.deepEqual(account.details('link', 'keptBeside'), [`link (${stamp})`]);
      assert.equal(account.count('keptBeside'), 3);
      assert.equal(totals.inTheWay.count, 3);
    });

    it(`is replaced where the person says so, but for folders: ${direction}`, async () => {
      make(
        direction,
        { ...SOURCE, 'was-folder': 'a file now', 'now-folder/in.txt': 'inside' },
        { ...TARGET, 'was-folder/own': 'a person’s', 'now-folder': 'a file' },
      );
      const { account } = await rig.copy(direction, { conflict: 'replace' });
      assert.deepEqual(arrived(direction), {
        'a.txt': 'new',
        large: SIZE,
        link: '→ a.txt',
        'same.txt': 'the same',
        own: 'a person’s',
        'was-folder': 'a file now',
        [`was-folder (${stamp})/own`]: 'a person’s',
        'now-folder/in.txt': 'inside',
        [`now-folder (${stamp})`]: 'a file',
      });
      assert.deepEqual(account.details('was-folder', 'keptBeside'), [`was-folder (${stamp})`]);
      assert.deepEqual(account.details('now-folder', 'keptBeside'), [`now-folder (${stamp})`]);
    });

    it(`stays where it is, with what could not go into it, and all of that is named: ${direction}`, async () => {
      make(
        direction,
        { ...SOURCE, 'folder/in.txt': 'inside', 'folder/deep/large': content },
        { ...TARGET, folder: 'a file' },
      );
      const { account, error } = await rig.copy(direction, { conflict: 'skip' });
      assert.equal(error, null);
      assert.deepEqual(arrived(direction), { ...TARGET, folder: 'a file' });
      const skipped = [
        'a.txt',
        'large',
        'link',
        'folder',
        'folder/in.txt',
        'folder/deep',
        'folder/deep/large',
      ];
      assert.ok(skipped.every(path => account.has(path, 'skipped')));
      assert.equal(account.count('skipped'), skipped.length);
    });

    it(`makes way for a folder with a large file in it, which is written first: ${direction}`, async () => {
      make(direction, { 'folder/large': content }, { folder: 'a file' });
      const { account, error } = await rig.copy(direction, { conflict: 'keep-both' });
      assert.equal(error, null);
      assert.deepEqual(arrived(direction), { 'folder/large': SIZE, [`folder (${stamp})`]: 'a file' });
      assert.deepEqual(account.details('folder', 'keptBeside'), [`folder (${stamp})`]);
    });

    it(`is asked about once, with its number and a few names, and nothing is copied before: ${direction}`, async () => {
      make(direction, SOURCE, TARGET);
      let asked = 0;
      const declined = await rig.copy(direction, {
        conflict: null,
        answer: ({ inTheWay }) => {
          asked += 1;
          assert.equal(inTheWay.count, 3);
          assert.equal(inTheWay.names.length, 3);
          return null;
        },
      });
      assert.equal(declined.wanted, false);
      assert.deepEqual(arrived(direction), TARGET);
      const { wanted } = await rig.copy(direction, { conflict: null, answer: () => 'replace' });
      assert.equal(wanted, true);
      assert.equal(arrived(direction)['a.txt'], 'new');
      assert.equal(asked, 1);
    });

    it(`is asked about in no case where all is new or the same: ${direction}`, async () => {
      make(direction, SOURCE, { 'same.txt': 'the same' });
      const { wanted } = await rig.copy(direction, {
        conflict: null,
        answer: () => assert.fail('nothing is in the way'),
      });
      assert.equal(wanted, true);
    });

    it(`and leads elsewhere is never written through, nor taken for what it leads to: ${direction}`, async () => {
      const elsewhere = join(rig.folder, 'elsewhere');
      const source = { 'folder/a.txt': 'the same', 'folder/large': content, 'folder/sub/b.txt': 'the same' };
      make(direction, source, {});
      // What lies there is as it is in the source to the last bit, but for modes and the times of folders.
      makeTree(elsewhere, { 'a.txt': 'the same', large: content, 'sub/b.txt': 'the same' });
      chmodSync(join(elsewhere, 'a.txt'), 0o600);
      utimesSync(join(elsewhere, 'sub'), 99, 99);
      symlinkSync(elsewhere, join(rig.sides(direction).to, ROOT, 'folder'));
      const before = viewOf(elsewhere);
      const { account, error } = await rig.copy(direction);
      assert.equal(error, null);
      assert.deepEqual(viewOf(elsewhere), before);
      assert.deepEqual(arrived(direction), {
        'folder/a.txt': 'the same',
        'folder/large': SIZE,
        'folder/sub/b.txt': 'the same',
        [`folder (${stamp})`]: `→ ${elsewhere}`,
      });
      assert.equal(account.copiedFiles, 3);
      assert.deepEqual(account.details('folder', 'keptBeside'), [`folder (${stamp})`]);
    });

    it(`and leads elsewhere stays untouched with all behind it where it is to stay: ${direction}`, async () => {
      const elsewhere = join(rig.folder, 'elsewhere');
      make(direction, { 'folder/a.txt': 'new', 'folder/large': content, 'folder/sub/': '' }, {});
      makeTree(elsewhere, { 'a.txt': 'old', 'sub/': '' });
      symlinkSync(elsewhere, join(rig.sides(direction).to, ROOT, 'folder'));
      const before = viewOf(elsewhere);
      const { account } = await rig.copy(direction, { conflict: 'skip' });
      assert.deepEqual(viewOf(elsewhere), before);
      assert.deepEqual(arrived(direction), { folder: `→ ${elsewhere}` });
      assert.ok(account.has('folder/large', 'skipped') && account.has('folder/sub', 'skipped'));
    });

    it(`may have come to stand there while the person was asked, and leads elsewhere: ${direction}`, async () => {
      const elsewhere = join(rig.folder, 'elsewhere');
      make(
        direction,
        { 'folder/a.txt': 'new', 'folder/large': content, 'in-the-way.txt': 'new' },
        { 'folder/own.txt': 'a person’s', 'in-the-way.txt': 'old' },
      );
      const { error } = await rig.copy(direction, {
        conflict: null,
        answer: () => {
          const folder = join(rig.sides(direction).to, ROOT, 'folder');
          renameSync(folder, elsewhere);
          symlinkSync(elsewhere, folder);
          return 'replace';
        },
      });
      assert.equal(error, null);
      assert.deepEqual(readTree(elsewhere), { 'own.txt': 'a person’s' });
      assert.deepEqual(arrived(direction), {
        'folder/a.txt': 'new',
        'folder/large': SIZE,
        [`folder (${stamp})`]: `→ ${elsewhere}`,
        'in-the-way.txt': 'new',
      });
    });
  }

  it('keeps its whole name where what follows a dot in it is longer than an extension', async () => {
    const name = `v1.${'long '.repeat(50)}`;
    make('fetch', { [name]: 'new' }, { [name]: 'old' });
    const { account, error } = await rig.copy('fetch');
    assert.equal(error, null);
    const [kept = ''] = account.details(name, 'keptBeside');
    assert.deepEqual(arrived('fetch'), { [name]: 'new', [kept]: 'old' });
    assert.ok(kept.includes(stamp) && Buffer.byteLength(kept) <= 255);
  });

  it('gets a number where something has its name with the date already', async () => {
    make('fetch', { 'a.txt': 'new' }, { 'a.txt': 'old', [`a (${stamp}).txt`]: 'a person’s own' });
    const { account } = await rig.copy('fetch');
    assert.deepEqual(arrived('fetch'), {
      'a.txt': 'new',
      [`a (${stamp}).txt`]: 'a person’s own',
      [`a (${stamp} 1).txt`]: 'old',
    });
    assert.deepEqual(account.details('a.txt', 'keptBeside'), [`a (${stamp} 1).txt`]);
  });

  it('is named too where it stood in the way of a folder above what was asked for', async () => {
    makeTree(join(rig.work, 'results/run'), { 'a.txt': 'new' });
    makeTree(rig.here, { results: 'a file' });
    const { account, error } = await rig.copy('fetch', {
      plan: { roots: ['results/run'], to: ['results/run'] },
    });
    assert.equal(error, null);
    assert.deepEqual(readTree(rig.here), { 'results/run/a.txt': 'new', [`results (${stamp})`]: 'a file' });
    assert.deepEqual(
      account.all().map(({ outcome, detail }) => [outcome, detail]),
      [['keptBeside', `results (${stamp})`]],
    );
  });

  it('is not the mode or the time of the folder that all of it goes into', async () => {
    makeTree(rig.work, { 'a.txt': 'new' });
    chmodSync(rig.work, 0o777);
    chmodSync(rig.here, 0o700);
    const before = seenAt(rig.here)?.mode;
    await rig.copy('fetch', { plan: { roots: [''], to: [''] } });
    assert.equal(seenAt(rig.here)?.mode, before);
    assert.deepEqual(readTree(rig.here), { 'a.txt': 'new' });
  });

  describe('on the way to a target', () => {
    it('may be a link that stays inside, where the target is a machine’s', async () => {
      makeTree(join(rig.here, ROOT), { 'a.txt': 'new' });
      makeTree(rig.work, { 'data/': '', short: '→ data' });
      const { error } = await rig.copy('send', { plan: { to: [`short/${ROOT}`] } });
      assert.equal(error, null);
      assert.deepEqual(readTree(rig.work), { [`data/${ROOT}/a.txt`]: 'new', short: '→ data' });
    });

    it('may be no link that leads out of the work folder: nothing is written, and it is said', async () => {
      const elsewhere = join(rig.folder, 'elsewhere');
      makeTree(join(rig.here, ROOT), { 'a.txt': 'new', large: content });
      makeTree(elsewhere, { 'there.txt': 'as it was' });
      makeTree(rig.work, { out: `→ ${elsewhere}`, 'in/': '' });
      symlinkSync('../out', join(rig.work, 'in/again'));
      for (const to of [`out/${ROOT}`, `out/new/${ROOT}`, `in/again/${ROOT}`, `in/again/new/er/${ROOT}`]) {
        const { error } = await rig.copy('send', { plan: { to: [to] } });
        assert.ok(error instanceof Error && 'code' in error && error.code === 'BAD_INPUT', to);
        assert.deepEqual(readTree(elsewhere), { 'there.txt': 'as it was' });
      }
    });

    it('is never one of `..`', async () => {
      const target = new DiskTarget({ base: rig.here, throughLinks: true });
      const entry = { root: 0, path: 'x', kind: 'file', sizeBytes: 1, modifiedAtMs: 1, mode: 0o644 } as const;
      await assert.rejects(target.look(['../elsewhere'], [entry]), /no target/);
    });
  });

  it('is a folder of an earlier copy, too, where a file has its place now', async () => {
    makeTree(join(rig.here, ROOT), { 'data/x.txt': 'in a folder' });
    assert.equal((await rig.copy('send')).error, null);
    rmSync(join(rig.here, ROOT, 'data'), { recursive: true });
    makeTree(join(rig.here, ROOT), { data: 'a file' });
    const { account } = await rig.copy('send');
    const kept = `data (${stampOf(2)})`;
    assert.deepEqual(account.details('data', 'keptBeside'), [kept]);
    assert.deepEqual(arrived('send'), { data: 'a file', [`${kept}/x.txt`]: 'in a folder' });
  });
});
