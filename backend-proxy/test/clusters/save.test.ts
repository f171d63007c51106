import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileEntry } from '@hitch/contract';
import type { AgentPort } from '../../src/access/links.ts';
import { fetchPaths } from '../../src/clusters/save-files.ts';
import { Practice } from './practice.ts';

/** An agent with these files, which sends `chunk` bytes at a time and breaks off where told. */
function agentWith(files: Record<string, string>, options: { breakAfter?: number; lies?: FileEntry[] } = {}) {
  let left = options.breakAfter ?? Number.POSITIVE_INFINITY;
  const reads: { path: string; offset: number }[] = [];
  const contentOf = (path: string): Buffer => {
    const content = files[path];
    if (content === undefined) {
      throw new Error(`There is no ${path}.`);
    }
    return Buffer.from(content);
  };
  const entry = (path: string, kind: FileEntry['kind']): FileEntry => ({
    path,
    name: path.split('/').at(-1) ?? '',
    kind,
    sizeBytes: 0,
    modifiedAtMs: 0,
    writable: true,
  });
  const unused = () => Promise.reject(new Error('not used here'));
  const agent: AgentPort = {
    status: unused,
    watch: () => ({ [Symbol.asyncIterator]: () => ({ next: unused }) }),
    startEngine: unused,
    setWatchdog: unused,
    shutDown: unused,
    interruptKernels: unused,
    allowSsh: unused,
    stat: async path => entry(path, path in files ? 'file' : 'folder'),
    list: async folder => [
      ...Object.keys(files)
        .filter(path => path.startsWith(`${folder}/`))
        .map(path => entry(path, 'file')),
      ...(options.lies ?? []),
    ],
    checksum: async path => ({
      sizeBytes: contentOf(path).length,
      sha256: createHash('sha256').update(contentOf(path)).digest('hex'),
    }),
    async *read(path, offset) {
      reads.push({ path, offset });
      const content = contentOf(path);
      for (let at = offset; at < content.length; at += 4) {
        if (left-- <= 0) {
          throw new Error('the tunnel broke');
        }
        yield content.subarray(at, at + 4);
      }
    },
  };
  return {
    agent,
    reads,
    entry,
    mend: () => {
      left = Number.POSITIVE_INFINITY;
    },
  };
}

describe('saving files from a machine', () => {
  let folder = '';
  const fetch = (agent: AgentPort, paths: string[]) =>
    fetchPaths({ agent, paths, folder: join(folder, 'saved'), signal: new AbortController().signal });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-save-'));
    mkdirSync(join(folder, 'saved'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('fetches files and whole folders to where they belong', async () => {
    const { agent } = agentWith({ 'a.txt': 'alpha', 'out/b.txt': 'beta', 'out/deep/c.txt': '' });
    const saved = await fetch(agent, ['a.txt', 'out']);
    assert.deepEqual(
      saved.map(path => [path.slice(folder.length), readFileSync(path, 'utf8')]),
      [
        ['/saved/a.txt', 'alpha'],
        ['/saved/out/b.txt', 'beta'],
        ['/saved/out/deep/c.txt', ''],
      ],
    );
  });

  it('goes on where it broke off, and leaves no half of a file in its place', async () => {
    const content = 'abcdefghijklmnopqrstuvwxyz';
    const broken = agentWith({ 'big.bin': content }, { breakAfter: 3 });
    await assert.rejects(fetch(broken.agent, ['big.bin']), /tunnel broke/);
    const target = join(folder, 'saved', 'big.bin');
    assert.ok(!existsSync(target));
    broken.mend();
    await fetch(broken.agent, ['big.bin']);
    assert.equal(readFileSync(target, 'utf8'), content);
    assert.deepEqual(broken.reads, [
      { path: 'big.bin', offset: 0 },
      { path: 'big.bin', offset: 12 },
    ]);
    assert.ok(!existsSync(`${target}.part`));
  });

  it('starts a file afresh when what was kept is of another version', async () => {
    writeFileSync(join(folder, 'saved', 'x.part'), 'OLD!');
    const { agent } = agentWith({ x: 'new content' });
    await fetch(agent, ['x']);
    assert.equal(readFileSync(join(folder, 'saved', 'x'), 'utf8'), 'new content');
  });

  it('does not fetch again what lies there complete', async () => {
    const { agent, reads } = agentWith({ x: 'same' });
    await fetch(agent, ['x']);
    await fetch(agent, ['x']);
    assert.equal(reads.length, 1);
  });

  it('writes nothing outside the folder, whatever the machine lists or links', async () => {
    const { entry } = agentWith({});
    for (const evil of ['../evil', '/etc/evil', 'out/../../evil', 'elsewhere/evil']) {
      const liar = agentWith({ 'out/fine': 'x', [evil]: 'x' }, { lies: [entry(evil, 'file')] });
      await assert.rejects(fetch(liar.agent, ['out']), /is not saved/);
      assert.ok(!existsSync(join(folder, 'evil')));
    }
    symlinkSync(folder, join(folder, 'saved', 'link'));
    const { agent } = agentWith({ 'link/evil': 'x' });
    await assert.rejects(fetch(agent, ['link/evil']), /leads out of/);
    assert.ok(!existsSync(join(folder, 'evil')));
  });
});

describe('saving before a cluster is destroyed', () => {
  it('keeps the head until everything is fetched, and says what was', async () => {
    const during: number[] = [];
    const practice: Practice = new Practice({
      save: async ({ paths, folder }) => {
        during.push(practice.billing().length);
        return paths.map(path => `${folder}/${path}`);
      },
    });
    await practice.open();
    const { id } = await practice.rent(
      { nodes: 2, save: { paths: ['model', 'log.txt'], toFolder: '/tmp/mine' } },
      'keeper',
    );
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: false }));
    const stopped = await practice.untilPhase(id, 'stopped');
    assert.ok(during.every(count => count >= 1));
    assert.deepEqual(stopped.saved, ['/tmp/mine/model', '/tmp/mine/log.txt']);
    practice.close();
  });

  it('says what could not be saved, and does not keep a machine billing for it', async () => {
    const practice = await new Practice({
      save: () => Promise.reject(new Error('Cannot write /tmp/mine: the disk is full.')),
    }).open();
    const { id } = await practice.rent({ save: { paths: ['model'], toFolder: '/tmp/mine' } });
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: false }));
    await practice.untilPhase(id, 'stopped');
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    assert.match(events.find(({ value }) => value === 'not_saved')?.message ?? '', /model: .*disk is full/);
    practice.close();
  });

  it('gives a save that hangs only the time kept back for it', async () => {
    const practice = await new Practice({
      save: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('out of time')));
        }),
    }).open();
    const { id } = await practice.rent({ save: { paths: ['model'], toFolder: '/tmp/mine' } });
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: false }));
    await practice.run(60_000);
    assert.equal(practice.service.get(id).phase, 'stopping');
    assert.equal(practice.billing().length, 1);
    await practice.untilPhase(id, 'stopped');
    practice.close();
  });

  it('is left out when the person says so', async () => {
    let asked = 0;
    const practice = await new Practice({
      save: () => {
        asked += 1;
        return Promise.resolve([]);
      },
    }).open();
    const { id } = await practice.rent({ save: { paths: ['model'], toFolder: '/tmp/mine' } });
    await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    assert.equal(asked, 0);
    practice.close();
  });
});
