/** A machine that lies: whatever it answers, nothing is written outside of the target, and the copy says what is wrong. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { DiskTarget } from '../src/disk-target.ts';
import { SMALL_BYTES } from '../src/entry.ts';
import { RemoteSide, type SendTransfer } from '../src/remote.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { MOST_LINE_BYTES } from '../src/wire.ts';
import { viewOf } from './support/disk-view.ts';
import {
  type Answers,
  broken,
  endless,
  file,
  folder,
  link,
  listed,
  machine,
  named,
  NOTHING,
  once,
} from './support/lying-machine.ts';
import { type Copied, Rig, ROOT, stampOf } from './support/rig.ts';
import { makeTree, readTree } from './support/small-tree.ts';

describe('a machine that lies', () => {
  const disk = new DiskThread();
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.make(disk);
    makeTree(rig.folder, { 'beside.txt': 'a person’s own' });
  });
  afterEach(() => rig.dispose());
  after(() => disk.close());

  /** Fetches from it; whatever it says, what lies around the target stays as it was. */
  const fetchFrom = async (send: SendTransfer): Promise<Copied> => {
    const around = (): Map<string, unknown> =>
      new Map([...viewOf(rig.folder)].filter(([path]) => !/^(?:here|spool|$)/.test(path)));
    const before = around();
    const copied = await rig.copy('fetch', { send });
    assert.deepEqual(around(), before);
    return copied;
  };
  const refuses = async (answers: Answers, code: HitchError['code'], headers = {}): Promise<Copied> => {
    const copied = await fetchFrom(machine(answers, headers));
    assert.ok(copied.error instanceof HitchError, String(copied.error));
    assert.equal(copied.error.code, code, copied.error.message);
    return copied;
  };
  const here = (): Record<string, string> => readTree(rig.here);

  it('is refused with names that lead out, in its list', async () => {
    const paths = [
      '..',
      '../beside.txt',
      'a/../../beside.txt',
      '/etc/passwd',
      'a//b',
      'a/.',
      './a',
      'a\0b',
      'a/',
    ];
    for (const path of paths) {
      await refuses({ list: listed([folder(''), file(path)]) }, 'PROVIDER_ERROR');
    }
    assert.deepEqual(here(), {});
  });

  it('is refused with things of a root that nobody named', async () => {
    await refuses({ list: listed([{ ...file('a'), root: 1 }]) }, 'PROVIDER_ERROR');
    await refuses({ list: listed([{ ...file('a'), root: -1 }]) }, 'PROVIDER_ERROR');
    await refuses({ list: listed([{ root: 7, path: '', omitted: 'gone', detail: '' }]) }, 'PROVIDER_ERROR');
    assert.deepEqual(here(), {});
  });

  it('is refused with numbers that are none', async () => {
    const wrong = [
      { sizeBytes: -1 },
      { sizeBytes: 1.5 },
      { mode: 0o4755 },
      { modifiedAtMs: null },
      { kind: 'device' },
    ];
    for (const each of wrong) {
      await refuses({ list: listed([{ ...file('a'), ...each }]) }, 'PROVIDER_ERROR');
    }
    assert.deepEqual(here(), {});
  });

  it('is left at a line without an end, and at a list without one', async () => {
    let pieces = 0;
    const line = async function* (): AsyncGenerator<Uint8Array> {
      for await (const some of endless(Buffer.alloc(1024 * 1024, '['))) {
        pieces += 1;
        yield some;
      }
    };
    await refuses({ list: line }, 'TOO_LARGE');
    assert.ok(pieces <= MOST_LINE_BYTES / (1024 * 1024) + 2, 'no more of it is read than a line may have');
    const broken = await fetchFrom(machine({ list: () => `${JSON.stringify([folder(''), file('a')])}\n` }));
    assert.ok(broken.error instanceof HitchError);
    assert.equal(broken.error.code, 'UNREACHABLE');
    assert.deepEqual(here(), {});
  });

  it('is refused with files in its stream that nobody asked for, or twice, or larger than they may be', async () => {
    const list = listed([folder(''), file('a')]);
    const streams = [
      named(['../../beside.txt', 'bad']),
      named(['a', 'bad']),
      named(['99:1000:644:', 'bad']),
      named(['@:1000:644:', 'for a folder']),
      named(['@a:1000:4755:', 'bad']),
      named(['@a:1000:644:', 'one'], ['@a:1000:644:', 'another']),
      named(['@a:1000:644:', 'x'.repeat(SMALL_BYTES + 1)]),
    ];
    for (const [index, read] of streams.entries()) {
      makeTree(join(rig.here, ROOT), { a: 'of before' });
      await refuses({ list, read }, index === streams.length - 1 ? 'TOO_LARGE' : 'BAD_INPUT');
    }
    assert.ok(Object.values(here()).includes('of before'));
  });

  it('is asked again for what its stream did not bring', async () => {
    let reads = 0;
    const { error, account } = await fetchFrom(
      machine({
        list: listed([folder(''), file('a'), file('b')]),
        read: asked => {
          reads += 1;
          return named(reads === 1 ? ['@b:1000:644:', 'bbb'] : ['@a:1000:644:', 'aaa'])(asked);
        },
      }),
    );
    assert.equal(error, null);
    assert.deepEqual(here(), { [`${ROOT}/a`]: 'aaa', [`${ROOT}/b`]: 'bbb' });
    assert.equal(account.copiedFiles, 2);
  });

  it('brings no more of a large file than it has announced', async () => {
    const size = SMALL_BYTES + 1;
    const headers = { 'x-hitch-size': size.toString(), 'x-hitch-modified': '1000', 'x-hitch-mode': '420' };
    const list = listed([folder(''), file('large', size)]);
    const nulls = (): string => JSON.stringify([null]);
    const open = (): AsyncIterable<Uint8Array> => endless(Buffer.alloc(500_000, 'x'));
    await refuses({ list, open, sourceHash: nulls }, 'PROVIDER_ERROR', headers);
    await refuses({ list, open, sourceHash: nulls }, 'PROVIDER_ERROR', {
      ...headers,
      'x-hitch-size': 'much',
    });
    assert.ok(!Object.keys(here()).includes(`${ROOT}/large`));
  });

  it('cannot have a file written through a link that it made before', async () => {
    const outside = join(rig.folder, 'outside');
    makeTree(outside, { there: 'as it was' });
    const { error } = await fetchFrom(
      machine({
        list: listed([folder(''), link('way', outside), file('way/a')]),
        read: named(['@way%2Fa:1000:644:', 'bad']),
      }),
    );
    assert.equal(error, null);
    assert.deepEqual(readTree(outside), { there: 'as it was' });
    assert.deepEqual(here(), { [`${ROOT}/way/a`]: 'bad', [`${ROOT}/way (${stampOf(1)})`]: `→ ${outside}` });
  });

  it('cannot make one thing two, nor hide one behind the other', async () => {
    const { error, account } = await fetchFrom(
      machine({
        list: listed([folder(''), file('a'), file('a'), file('a/b'), folder('a')]),
        read: named(['1:1000:644:', 'one'], ['2:1000:644:', 'two'], ['3:1000:644:', 'in a']),
      }),
    );
    assert.equal(error, null);
    assert.deepEqual(here(), { [`${ROOT}/a/b`]: 'in a' });
    assert.equal(account.details('a', 'unreadable').length, 2);
  });

  it('cannot put a link in the place of a folder that it writes to afterwards', async () => {
    const outside = join(rig.folder, 'outside');
    makeTree(outside, { there: 'as it was' });
    for (const way of ['new', 'there-before']) {
      makeTree(join(rig.here, ROOT), { 'there-before/own.txt': 'a person’s' });
      const { account, error } = await fetchFrom(
        machine({
          list: listed([
            folder(''),
            folder(way),
            link(way, outside),
            file(`${way}/there`),
            link(way, outside),
          ]),
          read: named([`@${way}%2Fthere:1000:644:`, 'bad']),
        }),
      );
      assert.equal(error, null);
      assert.deepEqual(readTree(outside), { there: 'as it was' });
      // What a person had there makes way; what this copy has made does not.
      assert.equal(account.has(way, 'unreadable'), way === 'new');
    }
  });

  it('cannot give a mode or a time to anything but what it sent', async () => {
    const outside = join(rig.folder, 'outside');
    makeTree(outside, { 'sub/': '', there: 'abc' });
    makeTree(join(rig.here, ROOT), { way: `→ ${outside}` });
    const { error } = await fetchFrom(
      machine({
        list: listed([folder(''), { ...folder('way/sub'), mode: 0 }, { ...folder('way'), mode: 0 }]),
      }),
    );
    assert.equal(error, null);
    assert.equal(here()[`${ROOT}/way (${stampOf(1)})`], `→ ${outside}`);
  });

  it('is told from one that answers: hashes and standings without sense are no answers', async () => {
    const side = new RemoteSide(machine({ sourceHash: () => '["not a hash"]', look: () => '["whatever"]' }));
    const { signal } = new AbortController();
    await assert.rejects(side.hash([ROOT], [file('a')], [3], signal), /does not understand/);
    await assert.rejects(side.look([ROOT], [file('a')], signal), /does not understand/);
  });

  it('is asked again where its refusal broke off on the way, and not where it makes no sense', async () => {
    const refusing =
      (body: AsyncIterable<Uint8Array>): SendTransfer =>
      async () => ({
        status: 404,
        headers: {},
        body,
        trailers: () => ({}),
        drop: () => Promise.resolve(),
      });
    const { signal } = new AbortController();
    const open = (body: AsyncIterable<Uint8Array>): Promise<unknown> =>
      new RemoteSide(refusing(body)).open([ROOT], file('a'), 0, signal);
    await assert.rejects(open(broken('{"code":"NOT_')), { code: 'UNREACHABLE' });
    await assert.rejects(open(once('{"code":"NOT_')), { code: 'PROVIDER_ERROR' });
  });

  it('gets no leave to a second name: words of the disk in its own list are only names', async () => {
    const odd = ['.hitch-0123456789abcdef.part', '...', ' ', '-rf', '\\..\\x', '%2e%2e', 'C:', '~'];
    const { error } = await fetchFrom(
      machine({
        list: listed([folder(''), ...odd.map(path => file(path))]),
        read: named(
          ...odd.map((path): [string, string] => [`@${encodeURIComponent(path)}:1000:644:`, 'abc']),
        ),
      }),
    );
    assert.equal(error, null);
    assert.deepEqual(Object.keys(here()).sort(), odd.map(path => `${ROOT}/${path}`).sort());
  });
});

describe('a daemon that lies to a machine', () => {
  it('reads and writes nothing outside of its work folder', async () => {
    const disk = new DiskThread();
    const rig = await Rig.make(disk);
    try {
      makeTree(rig.folder, { 'beside.txt': 'not of the work folder' });
      makeTree(rig.work, { out: `→ ${rig.folder}`, 'file.txt': 'abc' });
      const side = new RemoteSide(rig.served.send);
      const target = side.asTarget();
      const { signal } = new AbortController();
      const policy = { conflict: 'replace', stamp: stampOf(1) } as const;
      const before = viewOf(rig.folder);
      for (const roots of [['..'], ['out'], ['out/work/..'], ['/'], [rig.folder], ['a/../..']]) {
        const entry = file('beside.txt', 22);
        assert.deepEqual(await side.hash(roots, [entry], [22], signal).catch(() => [null]), [null]);
        assert.ok(
          !(await textOf(side.read(roots, [entry], signal))).includes('not of the work'),
          roots.join(),
        );
        const opened = await side.open(roots, entry, 0, signal).catch(isKnown);
        assert.notEqual(await textOf(opened?.bytes ?? once('')), 'not of the work folder');
        const tar = named(['0:1000:644:', 'replaced'])(NOTHING);
        await target.write(roots, [entry], policy, tar, signal, () => undefined).catch(isKnown);
        await target.append(roots, entry, 0, policy, once('x'), signal).catch(isKnown);
        await target.place(roots, entry, policy, signal).catch(isKnown);
        await target.settle(roots, [{ ...folder('here'), mode: 0 }], signal).catch(isKnown);
        await target.forget(roots, entry, signal).catch(isKnown);
      }
      const after = [...viewOf(rig.folder)].filter(([path]) => !path.startsWith('work') && path !== '');
      assert.deepEqual(
        after,
        [...before].filter(([path]) => !path.startsWith('work') && path !== ''),
      );
    } finally {
      await rig.dispose();
      await disk.close();
    }
  });

  it('is refused at a path with `..` in its list, before anything is looked at', async () => {
    const target = new DiskTarget({ base: '/nonexistent', throughLinks: true });
    await assert.rejects(target.place(['../x'], file('a'), { conflict: 'skip', stamp: '1' }), /no target/);
  });
});

function isKnown(error: unknown): undefined {
  assert.ok(error instanceof HitchError, String(error));
  return undefined;
}

/** As much as comes before it is refused. */
async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  try {
    for await (const some of bytes) {
      text += Buffer.from(some).toString();
    }
  } catch (error) {
    isKnown(error);
  }
  return text;
}
