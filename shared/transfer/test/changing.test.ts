/** Files that change, go, or come to be something else between the list and the reading. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DiskSource } from '../src/disk-source.ts';
import { SMALL_BYTES } from '../src/entry.ts';
import type { OpenFile, Source } from '../src/sides.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { Chance } from './support/chance.ts';
import { bytesOfFile } from './support/disk-view.ts';
import { type Copied, type Direction, Rig, ROOT } from './support/rig.ts';
import { makeTree, readTree } from './support/small-tree.ts';

const LARGE = SMALL_BYTES + 300_000;
const content = new Chance(1).content(LARGE);

/** A source during whose reading something happens. */
class Watched implements Source {
  readonly #source: Source;
  readonly #onRead: () => void;
  readonly #onPiece: (path: string) => void;

  constructor(source: Source, onRead: () => void, onPiece: (path: string) => void = () => undefined) {
    this.#source = source;
    this.#onRead = onRead;
    this.#onPiece = onPiece;
  }

  list(...args: Parameters<Source['list']>): ReturnType<Source['list']> {
    return this.#source.list(...args);
  }

  read(...args: Parameters<Source['read']>): ReturnType<Source['read']> {
    this.#onRead();
    return this.#source.read(...args);
  }

  async open(...args: Parameters<Source['open']>): Promise<OpenFile> {
    this.#onRead();
    const file = await this.#source.open(...args);
    const [onPiece, { path }] = [this.#onPiece, args[1]];
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of file.bytes) {
        yield piece;
        onPiece(path);
      }
    };
    return { ...file, bytes: bytes() };
  }

  hash(...args: Parameters<Source['hash']>): ReturnType<Source['hash']> {
    return this.#source.hash(...args);
  }
}

const once = (run: () => void): (() => void) => {
  let ran = false;
  return () => {
    if (!ran) {
      ran = true;
      run();
    }
  };
};

describe('files that change between the list and the reading', () => {
  const disk = new DiskThread();
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.make(disk);
  });
  afterEach(() => rig.dispose());
  after(() => disk.close());

  /** What a person sends while `happens` does something to it, once all is listed. */
  const sendWhile = (happens: () => void): Promise<Copied> =>
    rig.copy('send', { plan: { source: new Watched(new DiskSource(null), once(happens)) } });

  /** The same the other way: the first answer of the agent that is about content waits for `happens`. */
  const fetchWhile = (happens: () => void): Promise<Copied> => {
    const now = once(happens);
    return rig.copy('fetch', {
      send: asked => {
        if (asked.path === '/transfer/read' || asked.path === '/transfer/open') {
          now();
        }
        return rig.served.send(asked);
      },
    });
  };

  const copyWhile = (direction: Direction, happens: () => void): Promise<Copied> =>
    direction === 'send' ? sendWhile(happens) : fetchWhile(happens);

  for (const direction of ['send', 'fetch'] as const) {
    const source = (path: string): string => join(rig.sides(direction).from, ROOT, path);
    const target = (path = ''): string => join(rig.sides(direction).to, ROOT, path);
    const make = (tree: Record<string, string | Buffer>): void =>
      makeTree(join(rig.sides(direction).from, ROOT), tree);

    it(`arrive as they were when they were opened, where they had grown or shrunk by then: ${direction}`, async () => {
      make({ 'log.txt': 'one line\n', 'short.txt': 'much too long', large: content });
      const { account } = await copyWhile(direction, () => {
        appendFileSync(source('log.txt'), 'and another\n');
        truncateSync(source('short.txt'), 4);
        truncateSync(source('large'), LARGE - 100_000);
      });
      assert.deepEqual(readTree(target()), {
        'log.txt': 'one line\nand another\n',
        'short.txt': 'much',
        large: `${(LARGE - 100_000).toString()} bytes`,
      });
      assert.ok(bytesOfFile(target('large')).equals(content.subarray(0, LARGE - 100_000)));
      assert.deepEqual(account.all(), []);
    });

    it(`arrive whole where a small one became a large one: ${direction}`, async () => {
      make({ 'model.bin': 'little', 'other.txt': 'as it is' });
      const { account, error } = await copyWhile(direction, () =>
        writeFileSync(source('model.bin'), content),
      );
      assert.equal(error, null);
      assert.ok(bytesOfFile(target('model.bin')).equals(content));
      assert.equal(account.copiedFiles, 2);
    });

    it(`are gone, and said to be, small or large; all others arrive: ${direction}`, async () => {
      make({ 'small.txt': 'x', large: content, 'stays.txt': 'here', 'in/deep.txt': 'too' });
      const { account, error } = await copyWhile(direction, () => {
        rmSync(source('small.txt'));
        rmSync(source('large'));
        renameSync(source('in'), source('elsewhere'));
      });
      assert.equal(error, null);
      assert.deepEqual(readTree(target()), { 'stays.txt': 'here', 'in/': '' });
      assert.ok(['small.txt', 'large', 'in/deep.txt'].every(path => account.has(path, 'gone')));
      assert.equal(account.count('gone'), 3);
    });

    it(`are left out, and said to be, where something else stands in their place: ${direction}`, async () => {
      make({ one: 'a file', two: 'a file', large: content, 'stays.txt': 'here' });
      const { account, error } = await copyWhile(direction, () => {
        rmSync(source('one'));
        mkdirSync(source('one'));
        for (const path of ['two', 'large']) {
          rmSync(source(path));
          execFileSync('mkfifo', [source(path)]);
        }
      });
      assert.equal(error, null);
      assert.deepEqual(readTree(target()), { 'stays.txt': 'here' });
      assert.ok(account.has('one', 'leftOut') && account.has('two', 'leftOut'));
      assert.ok(account.has('large', 'unreadable'));
    });
  }

  it('do not bring from a machine what a link leads to that has taken their place', async () => {
    const work = join(rig.work, ROOT);
    makeTree(work, { file: 'mine', large: content, 'in/deep.txt': 'mine' });
    makeTree(join(rig.folder, 'elsewhere'), { secret: 'not of the work folder', 'deep.txt': 'nor this' });
    const { account, error } = await fetchWhile(() => {
      for (const path of ['file', 'large']) {
        rmSync(join(work, path));
        symlinkSync(join(rig.folder, 'elsewhere/secret'), join(work, path));
      }
      rmSync(join(work, 'in'), { recursive: true });
      symlinkSync(join(rig.folder, 'elsewhere'), join(work, 'in'));
    });
    assert.equal(error, null);
    assert.deepEqual(readTree(join(rig.here, ROOT)), { 'in/': '' });
    assert.ok(account.has('file', 'leftOut') && account.has('in/deep.txt', 'leftOut'));
    assert.ok(account.has('large', 'unreadable'));
  });

  it('are named where they changed in the middle, and are here as far as they could be read', async () => {
    makeTree(join(rig.here, ROOT), { large: content, also: content });
    const inTheMiddle: Record<string, () => void> = {
      large: once(() => truncateSync(join(rig.here, ROOT, 'large'), SMALL_BYTES)),
      also: once(() => utimesSync(join(rig.here, ROOT, 'also'), 5, 5)),
    };
    const watched = new Watched(
      new DiskSource(null),
      () => undefined,
      path => inTheMiddle[path]?.(),
    );
    const { account, error } = await rig.copy('send', { plan: { source: watched } });
    assert.equal(error, null);
    assert.ok(bytesOfFile(join(rig.work, ROOT, 'large')).equals(content.subarray(0, SMALL_BYTES)));
    assert.ok(bytesOfFile(join(rig.work, ROOT, 'also')).equals(content));
    assert.ok(account.has('large', 'changed') && account.has('also', 'changed'));
  });

  it('are not taken for what another name says that is no UTF-8', async function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: only Linux takes such names');
      this.skip();
    }
    const work = join(rig.work, ROOT);
    makeTree(work, { 'caf%E9.txt': 'spelt out', 'caf\udce9.txt': 'in Latin-1' });
    const { account } = await fetchWhile(() => rmSync(join(work, 'caf%E9.txt')));
    assert.deepEqual(Object.values(readTree(join(rig.here, ROOT))), ['in Latin-1']);
    assert.ok(account.has('caf%E9.txt', 'gone'));
  });
});
