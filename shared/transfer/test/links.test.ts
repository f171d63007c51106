/** Links of every kind: inside as they are, and what lies outside as the direction wants it. */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DiskTarget } from '../src/disk-target.ts';
import type { Entry } from '../src/entry.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import type { Account } from './support/account.ts';
import { type Direction, Rig, ROOT } from './support/rig.ts';
import { makeTree, readTree } from './support/small-tree.ts';

describe('links in what is copied', () => {
  const disk = new DiskThread();
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.make(disk);
  });
  afterEach(() => rig.dispose());
  after(() => disk.close());

  const links = (elsewhere: string): Record<string, string> => ({
    'in/a.txt': 'a',
    relative: '→ in/a.txt',
    folder: '→ in',
    up: '→ in/..',
    itself: '→ itself',
    dangling: '→ nothing',
    'in/back': '→ ..',
    chain: '→ relative',
    'out-file': `→ ${elsewhere}/file`,
    'out-folder': `→ ${elsewhere}/folder`,
    'out-dangling': '→ /nonexistent',
    'out-chain': '→ out-file',
    above: '→ ..',
  });
  const makeLinks = (direction: Direction): string => {
    const elsewhere = join(rig.folder, 'elsewhere');
    makeTree(elsewhere, {
      file: 'of elsewhere',
      'folder/b.txt': 'b',
      'folder/again': '→ .',
      'folder/out': '→ ../file',
    });
    const { from } = rig.sides(direction);
    makeTree(join(from, ROOT), links(elsewhere));
    symlinkSync(join(from, ROOT, 'in/a.txt'), join(from, ROOT, 'absolute'));
    symlinkSync(`../../${ROOT}/in/a.txt`, join(from, ROOT, 'in/by-name'));
    return elsewhere;
  };

  /** All that is said of this copy. */
  const namedOutside = (account: Account): string[] =>
    account
      .all()
      .map(({ outcome, path }) => {
        assert.equal(outcome, 'outsideLink');
        return account.pathOf(path);
      })
      .sort();

  it('stay links inside where it is sent, and of the others it is sent what they lead to', async () => {
    makeLinks('send');
    const { account, error } = await rig.copy('send', { plan: { to: ['another name'] } });
    assert.equal(error, null);
    assert.deepEqual(readTree(join(rig.work, 'another name')), {
      'in/a.txt': 'a',
      relative: '→ in/a.txt',
      folder: '→ in',
      up: '→ in/..',
      itself: '→ itself',
      dangling: '→ nothing',
      'in/back': '→ ..',
      chain: '→ relative',
      'out-file': 'of elsewhere',
      'out-folder/b.txt': 'b',
      'out-folder/again': '→ .',
      'out-folder/out': 'of elsewhere',
      'out-dangling': '→ /nonexistent',
      'out-chain': '→ out-file',
      above: '→ ..',
      absolute: '→ in/a.txt',
      'in/by-name': '→ a.txt',
    });
    assert.deepEqual(namedOutside(account), ['above', 'out-dangling']);
  });

  it('all stay links where it is fetched, and those that lead out are named', async () => {
    const elsewhere = makeLinks('fetch');
    const { account, error } = await rig.copy('fetch', { plan: { to: ['another name'] } });
    assert.equal(error, null);
    assert.deepEqual(readTree(join(rig.here, 'another name')), {
      ...links(elsewhere),
      absolute: '→ in/a.txt',
      'in/by-name': '→ a.txt',
    });
    assert.deepEqual(namedOutside(account), ['above', 'out-dangling', 'out-file', 'out-folder']);
  });

  it('become files where a disk has no links, and are named where they lead to none that was copied', async () => {
    makeTree(join(rig.here, ROOT), { 'in/a.txt': 'a' });
    makeTree(rig.here, { 'secret.txt': 'a person’s own' });
    const link = (path: string, target: string): Entry => ({
      root: 0,
      path,
      kind: 'link',
      sizeBytes: 0,
      modifiedAtMs: 1_000,
      mode: 0o777,
      target,
    });
    const later = [
      link('to-file', 'in/a.txt'),
      link('in/to-neighbour', 'a.txt'),
      link('to-folder', 'in'),
      link('to-nothing', 'nothing'),
      link('out', '../secret.txt'),
      link('far-out', join(rig.here, 'secret.txt')),
    ];
    const target = new DiskTarget({ base: join(rig.here, ROOT), throughLinks: false });
    assert.deepEqual(await target.settle([''], later), [2, 3, 4, 5]);
    assert.deepEqual(readTree(join(rig.here, ROOT)), {
      'in/a.txt': 'a',
      'in/to-neighbour': 'a',
      'to-file': 'a',
    });
  });
});
