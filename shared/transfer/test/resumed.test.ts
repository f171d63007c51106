/** Copies that broke off: what has arrived is gone on with where it is the same, and nothing is done twice. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { HitchError } from '@hitch/contract/src/errors.ts';
import * as z from 'zod';
import { DiskTarget } from '../src/disk-target.ts';
import { type Entry, SMALL_BYTES } from '../src/entry.ts';
import { isPartName } from '../src/names.ts';
import type { SendTransfer } from '../src/remote.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { unframed } from '../src/wire.ts';
import { Chance } from './support/chance.ts';
import { bytesOfFile, namesIn } from './support/disk-view.ts';
import { type Direction, Rig, ROOT, stampOf } from './support/rig.ts';
import { makeTree, readTree } from './support/small-tree.ts';

const LARGE = SMALL_BYTES + 700_000;
const content = new Chance(2).content(LARGE);
/** What a copy that broke off has brought: enough to be worth going on with. */
const ARRIVED = 3_000_000;

const offsetSchema = z.object({ offset: z.number() });

/** The size of a file that what was given up may still write to for a moment, once nothing is added to it any more. */
async function untilWritten(path: string): Promise<number> {
  for (let size = -1; ;) {
    const now = lstatSync(path).size;
    if (now === size) {
      return size;
    }
    size = now;
    await setTimeout(100);
  }
}

describe('a copy that broke off', () => {
  const disk = new DiskThread();
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.make(disk);
  });
  afterEach(() => rig.dispose());
  after(() => disk.close());

  const source = (direction: Direction): string => join(rig.sides(direction).from, ROOT);
  const target = (direction: Direction): string => join(rig.sides(direction).to, ROOT);
  const partOf = (direction: Direction): string => {
    const [name = ''] = namesIn(target(direction)).filter(isPartName);
    return join(target(direction), name);
  };

  /** Calls go well, and places where a large file is begun or gone on with are noted. */
  const noting =
    (offsets: number[]): SendTransfer =>
    async asked => {
      if (asked.path === '/transfer/open' || asked.path === '/transfer/append') {
        const body = Buffer.isBuffer(asked.body) ? Readable.from([asked.body]) : asked.body;
        const { value, rest } = await unframed(body);
        offsets.push(offsetSchema.parse(value).offset);
        const head = Buffer.from(JSON.stringify(value));
        const length = Buffer.alloc(4);
        length.writeUInt32BE(head.length);
        const again = async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.concat([length, head]);
          yield* rest;
        };
        return rig.served.send({ ...asked, body: again() });
      }
      return rig.served.send(asked);
    };

  /** Gives up once so much has arrived. */
  const beginAndGiveUp = async (direction: Direction): Promise<void> => {
    const end = new AbortController();
    let moved = 0;
    const cut = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const some of bytes) {
        yield some;
        moved += some.length;
        if (moved > ARRIVED) {
          throw new HitchError('UNREACHABLE', 'The test broke the connection.');
        }
      }
    };
    const { error } = await rig.copy(direction, {
      signal: end.signal,
      send: async asked => {
        if (asked.path === '/transfer/append' && !Buffer.isBuffer(asked.body)) {
          return rig.served.send({ ...asked, body: cut(asked.body) });
        }
        const answer = await rig.served.send(asked);
        return asked.path === '/transfer/open' ? { ...answer, body: cut(answer.body) } : answer;
      },
      onEvent: event => {
        if (event === 'again') {
          end.abort(new Error('given up'));
        }
      },
    });
    assert.ok(error instanceof Error);
    assert.ok(lstatSync(partOf(direction)).size > 0);
  };

  for (const direction of ['send', 'fetch'] as const) {
    it(`goes on where a large file was, and brings only the rest of it: ${direction}`, async () => {
      makeTree(source(direction), { large: content });
      await beginAndGiveUp(direction);
      const size = await untilWritten(partOf(direction));
      const offsets: number[] = [];
      const { error, account } = await rig.copy(direction, { send: noting(offsets) });
      assert.equal(error, null);
      assert.deepEqual(offsets, [size]);
      assert.ok(bytesOfFile(join(target(direction), 'large')).equals(content));
      assert.deepEqual(namesIn(target(direction)), ['large']);
      assert.equal(account.copiedFiles, 1);
    });

    it(`begins a file anew whose part is not the beginning of it: ${direction}`, async () => {
      makeTree(source(direction), { large: content });
      await beginAndGiveUp(direction);
      const part = readFileSync(partOf(direction));
      part[1_000] = ((part[1_000] ?? 0) + 1) & 0xff;
      writeFileSync(partOf(direction), part);
      const offsets: number[] = [];
      await rig.copy(direction, { send: noting(offsets) });
      assert.deepEqual(offsets, [0]);
      assert.ok(bytesOfFile(join(target(direction), 'large')).equals(content));
      assert.deepEqual(namesIn(target(direction)), ['large']);
    });

    it(`begins a file anew that has changed since, and leaves no part of the old one: ${direction}`, async () => {
      makeTree(source(direction), { large: content });
      await beginAndGiveUp(direction);
      const other = new Chance(3).content(LARGE - 5_000);
      writeFileSync(join(source(direction), 'large'), other);
      await rig.copy(direction);
      assert.ok(bytesOfFile(join(target(direction), 'large')).equals(other));
      assert.deepEqual(namesIn(target(direction)), ['large']);
    });

    it(`leaves no part of a file that goes while it is copied: ${direction}`, async () => {
      makeTree(source(direction), { large: content, 'small.txt': 'x' });
      let calls = 0;
      const { account, error } = await rig.copy(direction, {
        send: async asked => {
          if (asked.path !== '/transfer/append' && asked.path !== '/transfer/open') {
            return rig.served.send(asked);
          }
          calls += 1;
          if (calls > 1) {
            return rig.served.send(asked);
          }
          if (!Buffer.isBuffer(asked.body)) {
            return rig.served.send({ ...asked, body: goneAfter(asked.body, source(direction)) });
          }
          const answer = await rig.served.send(asked);
          return { ...answer, body: goneAfter(answer.body, source(direction)) };
        },
      });
      assert.equal(error, null);
      assert.ok(account.has('large', 'gone'), JSON.stringify([account.all(), calls]));
      assert.deepEqual(readTree(target(direction)), { 'small.txt': 'x' });
    });

    it(`copies nothing a second time: ${direction}`, async () => {
      makeTree(source(direction), {
        large: content,
        'a.txt': 'a',
        'in/b.txt': 'b',
        link: '→ a.txt',
        'empty/': '',
      });
      await rig.copy(direction);
      const calls: string[] = [];
      const { account, totals, movedBytes } = await rig.copy(direction, {
        conflict: null,
        send: asked => {
          calls.push(asked.path);
          return rig.served.send(asked);
        },
      });
      assert.deepEqual(totals, { files: 0, bytes: 0, sameFiles: 3, inTheWay: { count: 0, names: [] } });
      assert.equal(account.copiedFiles + movedBytes, 0);
      assert.deepEqual(account.all(), []);
      const moving = ['read', 'open', 'write', 'append', 'place'].map(call => `/transfer/${call}`);
      assert.deepEqual(
        calls.filter(call => moving.includes(call)),
        [],
      );
    });

    it(`gives what has the same content only its new mode and time: ${direction}`, async () => {
      makeTree(source(direction), { large: content, 'a.txt': 'a' });
      await rig.copy(direction);
      utimesSync(join(source(direction), 'large'), 1_234_567, 1_234_567);
      chmodSync(join(source(direction), 'a.txt'), 0o600);
      const { movedBytes } = await rig.copy(direction);
      assert.equal(movedBytes, 0);
      assert.equal(lstatSync(join(target(direction), 'large')).mtimeMs, 1_234_567_000);
      assert.equal(lstatSync(join(target(direction), 'a.txt')).mode & 0o777, 0o600);
    });

    it(`makes a hole of zeros again, and the bytes around it stay: ${direction}`, async () => {
      const sparse = Buffer.alloc(LARGE);
      sparse.write('an island', 2_000_000);
      makeTree(source(direction), { sparse });
      const { movedBytes } = await rig.copy(direction);
      const arrived = join(target(direction), 'sparse');
      assert.ok(bytesOfFile(arrived).equals(sparse));
      assert.ok(lstatSync(arrived).blocks * 512 < LARGE / 4, 'it takes no room for what it does not hold');
      assert.equal(movedBytes, LARGE);
    });
  }

  it('takes what an answer that got lost had done for done', async () => {
    makeTree(source('send'), { large: content, 'a.txt': 'a', link: '→ a.txt' });
    makeTree(target('send'), { large: 'in the way', 'a.txt': 'in the way too', link: '→ elsewhere' });
    const lost = new Set(['/transfer/place', '/transfer/write']);
    const { account, error } = await rig.copy('send', {
      send: async asked => {
        const answer = await rig.served.send(asked);
        return lost.delete(asked.path) ? { ...answer, body: nothingOf(answer.body) } : answer;
      },
    });
    assert.equal(error, null);
    const stamp = stampOf(1);
    assert.deepEqual(readTree(target('send')), {
      large: `${LARGE.toString()} bytes`,
      [`large (${stamp})`]: 'in the way',
      'a.txt': 'a',
      [`a (${stamp}).txt`]: 'in the way too',
      link: '→ a.txt',
      [`link (${stamp})`]: '→ elsewhere',
    });
    assert.deepEqual(account.details('large', 'keptBeside'), [`large (${stamp})`]);
    assert.deepEqual(account.details('a.txt', 'keptBeside'), [`a (${stamp}).txt`]);
    assert.deepEqual(account.details('link', 'keptBeside'), [`link (${stamp})`]);
    assert.equal(account.copiedFiles, 2);
  });
});

describe('the checksum of a very large file', () => {
  it('lets others of its thread have their turn, and ends when nobody wants it any more', async () => {
    const disk = new DiskThread();
    const rig = await Rig.make(disk);
    try {
      // A hole, so that it takes no room here.
      const sizeBytes = 2 ** 35;
      writeFileSync(join(rig.here, 'large'), '');
      truncateSync(join(rig.here, 'large'), sizeBytes);
      const target = disk.target(rig.here, false);
      const entry: Entry = { root: 0, path: '', kind: 'file', sizeBytes, modifiedAtMs: 1_000, mode: 0o644 };
      const end = new AbortController();
      const hash = target.hash(['large'], [entry], [sizeBytes], end.signal);
      await target.room(['large'], new AbortController().signal);
      end.abort(new Error('nobody wants it'));
      await assert.rejects(hash);
    } finally {
      await rig.dispose();
      await disk.close();
    }
  });
});

describe('a large file at its target', () => {
  it('keeps what arrived by a later try when an earlier one ends after it', async () => {
    const rig = await Rig.make(new DiskThread());
    try {
      const entry: Entry = {
        root: 0,
        path: '',
        kind: 'file',
        sizeBytes: 9,
        modifiedAtMs: 1_000,
        mode: 0o644,
      };
      const file = new DiskTarget({ base: rig.here, throughLinks: false });
      const policy = { conflict: 'keep-both', stamp: stampOf(1) } as const;
      const { signal } = new AbortController();
      const append = (offset: number, bytes: AsyncIterable<Uint8Array>): Promise<unknown> =>
        file.append(['f'], entry, offset, policy, bytes, signal).catch((error: unknown) => error);

      const stuck = Promise.withResolvers<undefined>();
      const begun = Promise.withResolvers<undefined>();
      const early = append(0, stuckAfter('abc', begun, stuck.promise));
      await begun.promise;
      await append(3, Readable.from([Buffer.from('defghi')]));
      await file.place(['f'], entry, policy);
      stuck.resolve(undefined);
      assert.ok((await early) instanceof HitchError);
      assert.equal(readFileSync(join(rig.here, 'f'), 'utf8'), 'abcdefghi');
    } finally {
      await rig.dispose();
    }
  });
});

/** Hands out some bytes, and breaks off once it is told to. */
async function* stuckAfter(
  text: string,
  begun: PromiseWithResolvers<undefined>,
  until: Promise<undefined>,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  begun.resolve(undefined);
  await until;
  throw new HitchError('UNREACHABLE', 'The connection broke at last.');
}

async function* goneAfter(bytes: AsyncIterable<Uint8Array>, folder: string): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const some of bytes) {
    yield some;
    passed += some.length;
    if (passed > ARRIVED) {
      renameSync(join(folder, 'large'), join(folder, '..', 'moved'));
      throw new HitchError('UNREACHABLE', 'The test broke the connection.');
    }
  }
}

/** The other side did all it was asked, and nobody hears of it. */
async function* nothingOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const some of bytes) {
    count += some.length;
  }
  yield Buffer.alloc(0);
  throw new HitchError('UNREACHABLE', `The test lost ${count.toString()} bytes.`);
}
