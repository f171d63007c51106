import assert from 'node:assert/strict';
import type { FileEntry } from '@hitch/contract';
import { HitchError } from '@hitch/contract';
import { changesBetween, SeenFolders } from '../src/files/changes.ts';
import { authorityOf, clusterAt, workPathOf } from '../src/files/places.ts';
import { FileFailure, type FilesWire, MOST_BYTES, RemoteFiles } from '../src/files/remote.ts';
import { FileRows, parseFileRow } from '../src/files/rows.ts';
import { fewOf, outside } from '../src/files/sources.ts';
import { cluster, CLUSTER_ID, NOW } from './sample.ts';
import { RemoteStandIn } from './remote-stand-in.ts';

const file = (path: string, change: Partial<FileEntry> = {}): FileEntry => ({
  path,
  name: path.split('/').at(-1) ?? '',
  kind: 'file',
  sizeBytes: 5,
  modifiedAtMs: NOW,
  writable: true,
  ...change,
});

const problemOf = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run;
  } catch (error) {
    assert.ok(error instanceof FileFailure, String(error));
    return `${error.problem}: ${error.message}`;
  }
  return 'none';
};

describe('a file’s name on a cluster', () => {
  it('finds its cluster whatever became of its capitals', () => {
    const one = cluster();
    assert.equal(clusterAt(authorityOf(one), [one]), one);
    assert.equal(clusterAt(CLUSTER_ID.toUpperCase(), [one]), one);
    assert.equal(clusterAt('clu_other', [one]), undefined);
    assert.deepEqual([workPathOf('/'), workPathOf('/data//x.csv/')], ['', 'data/x.csv']);
  });
});

describe('the files of a cluster', () => {
  const remote = new RemoteStandIn();
  const files = new RemoteFiles(remote.wire, cluster());
  const write = (path: string, text: string, create = true, overwrite = true) =>
    files.write(path, Buffer.from(text), { create, overwrite });
  const read = async (path: string) => Buffer.from(await files.read(path)).toString();

  beforeEach(() => remote.clear());

  it('are written whole and read back, and say whether they are new', async () => {
    assert.equal(await write('a.txt', 'one'), true);
    assert.equal(await write('a.txt', 'two'), false);
    assert.equal(await read('a.txt'), 'two');
    await write('empty.txt', '');
    assert.equal(await read('empty.txt'), '');
  });

  it('are refused by kind, with a sentence', async () => {
    await files.makeFolder('data');
    await write('a.txt', 'one');
    assert.equal(await problemOf(files.stat('b.txt')), 'missing: b.txt does not exist.');
    assert.equal(await problemOf(write('b.txt', 'x', false)), 'missing: b.txt does not exist.');
    assert.equal(await problemOf(write('a.txt', 'x', true, false)), 'exists: a.txt already exists.');
    assert.equal(await problemOf(write('data', 'x')), 'is-folder: data is a folder.');
    assert.equal(await problemOf(files.read('data')), 'is-folder: data is a folder.');
    assert.equal(await problemOf(files.list('a.txt')), 'not-folder: a.txt is a file.');
    assert.equal(await problemOf(files.makeFolder('data')), 'exists: data already exists.');
  });

  it('are moved over another only when that was asked for, and neither is lost on the way', async () => {
    await write('a.txt', 'one');
    await write('b.txt', 'two');
    assert.match(await problemOf(files.move('a.txt', 'b.txt', false)), /^exists/);
    assert.match(await problemOf(files.move('c.txt', 'b.txt', true)), /^missing/);
    assert.equal(await read('b.txt'), 'two');
    await files.move('a.txt', 'b.txt', true);
    assert.equal(await read('b.txt'), 'one');
    assert.deepEqual(remote.paths, ['b.txt']);
    await write('.b.txt.hitch-replaced', 'left by a move whose end was cut off');
    await write('a.txt', 'three');
    await files.move('a.txt', 'b.txt', true);
    assert.equal(await read('b.txt'), 'three');
    assert.deepEqual(remote.paths, ['b.txt']);
  });

  it('are given to an editor up to a size, and the sentence says what to do', async () => {
    remote.put('big.bin', MOST_BYTES + 1);
    assert.match(await problemOf(files.read('big.bin')), /^away: big\.bin has 64 MB.*Fetch it/);
  });

  it('are not read on when a machine sends more than a file may have', async () => {
    const piece = new Uint8Array(MOST_BYTES / 2);
    const endless = () => new ReadableStream<Uint8Array>({ pull: sink => sink.enqueue(piece) });
    const liar: FilesWire = { ...remote.wire, raw: () => Promise.resolve(new Response(endless())) };
    assert.match(
      await problemOf(new RemoteFiles(liar, cluster()).read('a.txt')),
      /^away: a\.txt has more than 64 MB/,
    );
  });

  it('are gone with their cluster, and not because it does not answer', async () => {
    const gone = () => new RemoteFiles(remote.wire, cluster({ phase: 'stopped' }));
    assert.throws(gone, /llm-dev has stopped/);
    assert.throws(() => new RemoteFiles(remote.wire, undefined), /no longer in the list/);
    const away = new HitchError('UNREACHABLE', 'llm-dev does not answer.', { next: 'Try again.' });
    const silent: FilesWire = { ...remote.wire, raw: () => Promise.reject(away) };
    remote.failure = away;
    assert.equal(
      await problemOf(new RemoteFiles(silent, cluster()).read('a.txt')),
      'away: llm-dev does not answer. Try again.',
    );
  });
});

describe('what changed in a folder', () => {
  it('is told by name, size and time', () => {
    const before = [file('a'), file('b'), file('c'), file('d', { kind: 'folder' })];
    const after = [
      file('b'),
      file('c', { sizeBytes: 9 }),
      file('d', { kind: 'folder', modifiedAtMs: 1 }),
      file('e'),
    ];
    assert.deepEqual(changesBetween(before, after), [
      { kind: 'deleted', path: 'a' },
      { kind: 'changed', path: 'c' },
      { kind: 'created', path: 'e' },
    ]);
  });

  it('is looked for in the folders that were looked at last', () => {
    const seen = new SeenFolders();
    assert.deepEqual(seen.note('', [file('a')]), []);
    assert.deepEqual(seen.note('', []), [{ kind: 'deleted', path: 'a' }]);
    for (let index = 0; index < 40; index++) {
      seen.note(`folder-${index.toString()}`, []);
    }
    assert.ok(!seen.paths.includes('') && seen.paths.includes('folder-39'));
    assert.ok(seen.paths.length < 30);
  });
});

describe('the rows of files', () => {
  const rowsWith = (list: () => Promise<readonly FileEntry[]>) => {
    let now = NOW;
    let changes = 0;
    let asked = 0;
    const rows = new FileRows({
      list: () => {
        asked += 1;
        return list();
      },
      now: () => now,
      changed: () => (changes += 1),
    });
    return { rows, pass: (ms: number) => (now += ms), asked: () => asked, changes: () => changes };
  };
  const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  const top = `below:${CLUSTER_ID}:files:`;

  it('stand under a cluster that has files', () => {
    const { rows } = rowsWith(() => Promise.resolve([]));
    assert.deepEqual(
      rows.rows(cluster()).map(({ id, label }) => [id, label]),
      [[top, 'Files']],
    );
    assert.deepEqual(rows.rows(cluster({ phase: 'unreachable' })), []);
  });

  it('are listed when somebody opens them, from memory at once, and again when they are old', async () => {
    const { rows, asked, changes, pass } = rowsWith(() =>
      Promise.resolve([file('data', { kind: 'folder' }), file('x:1.csv', { sizeBytes: 1_200 })]),
    );
    assert.match(rows.below(top)[0]?.description ?? '', /Loading/);
    await settled();
    const [folder, csv] = rows.below(top);
    assert.deepEqual([asked(), changes()], [1, 1]);
    assert.deepEqual([folder?.collapsible, folder?.contextValue], ['collapsed', 'folder;']);
    assert.deepEqual([csv?.description, csv?.command?.id], ['1.2 kB', 'hitch.files.openFile']);
    assert.deepEqual(parseFileRow(csv?.id ?? ''), { clusterId: CLUSTER_ID, kind: 'file', path: 'x:1.csv' });
    pass(6_000);
    rows.below(top);
    rows.below(top);
    assert.equal(asked(), 2);
  });

  it('say why there are none, and how many are not shown', async () => {
    const away = rowsWith(() => Promise.reject(new HitchError('UNREACHABLE', 'llm-dev does not answer.')));
    away.rows.below(top);
    await settled();
    assert.equal(away.rows.below(top)[0]?.description, 'llm-dev does not answer.');
    const many = rowsWith(() =>
      Promise.resolve(Array.from({ length: 1_700 }, (_, index) => file(`f${index.toString()}`))),
    );
    many.rows.below(top);
    await settled();
    assert.match(many.rows.below(top).at(-1)?.description ?? '', /1,200 more/);
  });
});

describe('files that a command was handed', () => {
  it('are asked about where they lie outside of the window’s folders, however they are written', () => {
    const folders = ['/home/me/work', '/home/me/data'];
    const inside = ['/home/me/work', '/home/me/work/a.py', '/home/me/data/..a/b', '/home/me/work/x/../y'];
    const others = ['/home/me/.ssh/id_rsa', '/home/me/work2/a', '/home/me/work/../.netrc', '/'];
    assert.deepEqual(outside([...inside, ...others], folders), others);
    assert.deepEqual(outside(inside, []), inside);
  });

  it('are named, the first ones and how many more', () => {
    assert.equal(fewOf(['a', 'b']), 'a, b');
    assert.equal(fewOf(['a', 'b', 'c', 'd', 'e', 'f', 'g']), 'a, b, c, d, e and 2 more');
  });
});
