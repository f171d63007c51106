/** Names of files: as bytes on a disk, as text in JSON, and under another name where a system has none like it. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listedSchema } from '../src/entry.ts';
import { datedName, decodeName, encodePath, plainPath, storableName, storablePath } from '../src/names.ts';
import { fileName, missName, readPackedName } from '../src/packed.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { Chance } from './support/chance.ts';
import { linkTextOf, namesIn } from './support/disk-view.ts';
import { Names } from './support/odd-names.ts';
import { Rig, ROOT } from './support/rig.ts';
import { makeTree, readTree } from './support/small-tree.ts';

const bytesOf = (name: string): Buffer => {
  const encoded = encodePath(name);
  return Buffer.isBuffer(encoded) ? encoded : Buffer.from(encoded);
};

/** As Windows, without regard to case, and as a disk that takes no more than 255 bytes. */
const isWindowsName = (name: string): boolean =>
  !/[<>:"|?*\\\u0000-\u001f]|[. ]$/.test(name) && !/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name);

describe('a name', () => {
  it('comes back from a string as the very bytes it was, whatever they are', () => {
    const chance = new Chance(5);
    for (let round = 0; round < 3_000; round++) {
      const bytes = Buffer.from(Array.from({ length: chance.int(1, 12) }, () => chance.int(1, 255)));
      // As it travels: in JSON, which has no bytes.
      const parsed: unknown = JSON.parse(JSON.stringify(decodeName(bytes)));
      assert.ok(typeof parsed === 'string' && bytesOf(parsed).equals(bytes), bytes.toString('hex'));
    }
  });

  it('is the text it is where its bytes are text', () => {
    for (const name of ['a', 'é', 'e\u0301', '名前', '🚀', 'line\nbreak', '%FF', '\ufffd']) {
      assert.equal(decodeName(Buffer.from(name)), name);
      assert.equal(encodePath(name), name);
      assert.equal(plainPath(name), name);
    }
  });

  it('is shown with `%` where its bytes are no text, and only there', () => {
    assert.equal(plainPath(decodeName(Buffer.from('caf\u00e9/é', 'latin1'))), 'caf%E9/%E9');
    assert.equal(plainPath(decodeName(Buffer.from([0xe2, 0x82]))), '%E2%82');
    assert.equal(plainPath(`${decodeName(Buffer.from([0xff]))}🚀é`), '%FF🚀é');
  });

  it('is taken from a machine also with half a pair of surrogates, which no disk can mean', () => {
    const path = JSON.parse('"\\ud83d/x\\ude80"') as string;
    listedSchema.parse({ root: 0, path, omitted: 'gone', detail: '' });
    assert.doesNotThrow(() => storablePath(path, 'linux'));
    assert.doesNotThrow(() => bytesOf(storablePath(path, 'linux')));
  });

  it('that a disk can hold is stored as it is', () => {
    for (const name of [
      'a.txt',
      '%FF',
      'caf%E9.txt',
      ' x ',
      '...',
      'con',
      'a:b',
      'back\\slash',
      '名'.repeat(85),
    ]) {
      assert.equal(storableName(name, 'linux'), name);
    }
    for (const name of ['a.txt', '%FF', 'consul', 'com10', 'a b', '.x', 'café']) {
      assert.equal(storableName(name, 'win32'), name);
    }
  });

  it('that none can hold is stored under one that looks like it, has its extension, and is no other file’s', () => {
    const names = new Names(new Chance(6));
    const drawn = Array.from({ length: 400 }, () => names.next());
    const odd = [
      'con',
      'CON.txt',
      'nul',
      'com1.log',
      'lpt¹',
      'a:b.csv',
      'a?b.csv',
      'x. ',
      'x.',
      'x ',
      '<>',
      '\u0007',
    ];
    for (const platform of ['linux', 'win32'] as const) {
      const stored = [...new Set([...drawn, ...odd, 'a%3Ab.csv', '%63on'])].map(name =>
        storableName(name, platform),
      );
      assert.equal(new Set(stored).size, stored.length, 'no two have one name');
      for (const name of stored) {
        assert.ok(Buffer.byteLength(name) <= 255 && name.isWellFormed(), name);
        assert.ok(platform === 'linux' || isWindowsName(name), name);
      }
    }
    assert.match(storableName('a:b.csv', 'win32'), /^a%3Ab~[0-9a-f]{8}\.csv$/);
    assert.match(storableName('con', 'win32'), /^%63on~[0-9a-f]{8}$/);
    assert.match(storableName(decodeName(Buffer.from([0xe9, 0x2e, 0x63])), 'linux'), /^%E9~[0-9a-f]{8}\.c$/);
  });

  it('is stored the same each time, so that a second copy finds the first', () => {
    const path = `${decodeName(Buffer.from([0xff]))}/con/a:b`;
    assert.equal(storablePath(path, 'win32'), storablePath(path, 'win32'));
    assert.equal(storablePath('con/a:b/x', 'linux'), 'con/a:b/x');
    assert.equal(storablePath('con/a:b/x', 'win32').split('/').length, 3);
  });

  it('gets a date without losing its extension or growing too long', () => {
    const stamp = '2026-11-29 12.30.05';
    assert.equal(datedName('notes.md', stamp, 0), `notes (${stamp}).md`);
    assert.equal(datedName('notes.md', stamp, 2), `notes (${stamp} 2).md`);
    assert.equal(datedName('.hidden', stamp, 0), `.hidden (${stamp})`);
    assert.equal(datedName('a.tar.gz', stamp, 0), `a.tar (${stamp}).gz`);
    const names = new Names(new Chance(7));
    for (let round = 0; round < 400; round++) {
      const stored = storableName(names.next(), 'linux');
      const dated = datedName(stored, stamp, round);
      assert.ok(Buffer.byteLength(dated) <= 255 && dated.isWellFormed() && dated.includes(stamp), dated);
    }
  });

  it('of an entry in a stream says all that is to be known, and nothing else is one', () => {
    const file = { index: 1_234_567, modifiedAtMs: 999_999_999_999_999, mode: 0o777, changed: true };
    assert.deepEqual(readPackedName(fileName(file)), file);
    const miss = { index: 0, miss: 'unreadable', detail: 'permission denied' } as const;
    assert.deepEqual(readPackedName(missName(miss)), miss);
    for (const name of [
      '',
      'a',
      '1:2:3',
      '1:2:888:',
      '-1:2:644:',
      '1!whatever',
      '1:2:644:c/../x',
      ' 1:2:644:',
    ]) {
      assert.equal(readPackedName(name), null, name);
    }
  });
});

describe('names on the way', () => {
  const disk = new DiskThread();
  after(() => disk.close());

  for (const direction of ['send', 'fetch'] as const) {
    it(`arrive as bytes, links’ words too; what is stored under another one is named: ${direction}`, async function () {
      if (process.platform !== 'linux') {
        console.log('      skipped: only Linux takes such names');
        this.skip();
      }
      const rig = await Rig.make(disk);
      try {
        const { from, to } = rig.sides(direction);
        const latin1 = decodeName(Buffer.from('caf\u00e9', 'latin1'));
        mkdirSync(join(from, ROOT));
        mkdirSync(encodePath(join(from, ROOT, latin1)));
        writeFileSync(encodePath(join(from, ROOT, latin1, 'é')), 'in it');
        writeFileSync(join(from, ROOT, 'caf%E9'), 'another one');
        symlinkSync(encodePath(latin1), join(from, ROOT, 'link'));
        const { account, error } = await rig.copy(direction);
        assert.equal(error, null);
        const stored = storableName(latin1, 'linux');
        assert.deepEqual(namesIn(join(to, ROOT)), [stored, 'caf%E9', 'link'].sort());
        assert.deepEqual(namesIn(join(to, ROOT, stored)), ['é']);
        assert.equal(linkTextOf(join(to, ROOT, 'link')), latin1);
        assert.deepEqual(account.details('caf%E9', 'renamed'), [`${ROOT}/${stored}`]);
        assert.deepEqual(account.details('caf%E9/é', 'renamed'), [`${ROOT}/${stored}/é`]);
        const { account: again } = await rig.copy(direction);
        assert.equal(again.copiedFiles, 0);
        assert.deepEqual(readTree(join(to, ROOT))['caf%E9'], 'another one');
      } finally {
        await rig.dispose();
      }
    });
  }

  it('are asked for in plain words where they are no text: a root that a person typed is found', async function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: only Linux takes such names');
      this.skip();
    }
    const rig = await Rig.make(disk);
    try {
      makeTree(rig.work, { 'caf\udce9/a.txt': 'a' });
      const { error } = await rig.copy('fetch', { plan: { roots: ['caf%E9'], to: ['caf%E9'] } });
      assert.equal(error, null);
      assert.deepEqual(readTree(rig.here), { 'caf%E9/a.txt': 'a' });
    } finally {
      await rig.dispose();
    }
  });
});
