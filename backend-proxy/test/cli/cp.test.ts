import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { parseCopy } from '../../src/cli/commands/cp.ts';
import { parseEndpoint } from '../../src/cli/files/paths.ts';
import { FakeAgent } from '../api/fake-agent.ts';
import { CliHarness, until } from './harness.ts';

describe('the ends of a copy', () => {
  it('tells a cluster from a drive letter and from a file with a colon', () => {
    assert.equal(parseEndpoint('llm-dev:data/x.csv').kind, 'remote');
    for (const local of ['C:\\data', 'c:/data', './a:b', '/tmp/x', 'x.csv', 'Up:x']) {
      assert.equal(parseEndpoint(local).kind, 'local', local);
    }
  });

  it('keeps paths on the cluster inside the work folder', () => {
    for (const path of ['llm-dev:../x', 'llm-dev:/etc/passwd', 'llm-dev:a/../../x']) {
      assert.throws(() => parseEndpoint(path), /must be a relative path/, path);
    }
    assert.deepEqual(parseEndpoint('llm-dev:'), {
      kind: 'remote',
      cluster: 'llm-dev',
      path: '',
      intoFolder: true,
    });
    assert.deepEqual(parseEndpoint('llm-dev:./data/'), {
      kind: 'remote',
      cluster: 'llm-dev',
      path: 'data',
      intoFolder: true,
    });
  });

  it('wants exactly one side on one cluster', () => {
    assert.throws(() => parseCopy(['a.csv']), /needs a source and a target/);
    assert.throws(
      () => parseCopy(['a.csv', 'b.csv']),
      /One side must be on a cluster, e\.g\. hitch cp data\.csv llm-dev:data\//,
    );
    assert.throws(() => parseCopy(['one-a:x', 'two-b:y']), /One side must be on this computer/);
    assert.throws(() => parseCopy(['one-a:x', 'y', 'one-a:z']), /One side must be on this computer/);
  });
});

describe('hitch cp', () => {
  let harness: CliHarness;
  let agent: FakeAgent;
  let cluster: Cluster;
  let folder: string;
  beforeEach(async () => {
    harness = await CliHarness.start();
    agent = new FakeAgent();
    cluster = harness.clusters.add();
    harness.clusters.links.set(cluster.id, agent.link);
    folder = mkdtempSync(join(tmpdir(), 'hitch-cp-'));
  });
  afterEach(async () => {
    await harness.close();
    await agent.close();
    rmSync(folder, { recursive: true });
  });

  const cp = (...args: string[]) => harness.run(['cp', ...args], { cwd: folder });
  const there = (path: string): Buffer => readFileSync(join(agent.work, path));
  const putThere = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(agent.work, path)), { recursive: true });
    writeFileSync(join(agent.work, path), content);
  };

  it('sends a file', async () => {
    writeFileSync(join(folder, 'data.csv'), 'a,b\n1,2\n');
    const { code, stdout, stderr } = await cp('data.csv', 'llm-dev:');
    assert.equal(code, 0, stderr);
    assert.equal(there('data.csv').toString(), 'a,b\n1,2\n');
    assert.match(stdout, /Sent: 1 file, 8 bytes copied\./);
  });

  it('sends a file under another name, and an empty one', async () => {
    writeFileSync(join(folder, 'empty'), '');
    assert.equal((await cp('empty', 'llm-dev:nothing.bin')).code, 0);
    assert.equal(there('nothing.bin').length, 0);
  });

  it('goes on after a broken connection, small files and large', async () => {
    mkdirSync(join(folder, 'many'));
    for (let number = 0; number < 300; number++) {
      writeFileSync(join(folder, 'many', `${number}.bin`), Buffer.alloc(20_000, number));
    }
    writeFileSync(join(folder, 'many', 'model.pt'), Buffer.alloc(20_000_000, 'x'));
    agent.breakNext = 3;
    const { code, stderr, stdout } = await cp('many', 'llm-dev:');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Sent: 301 files, 26 MB copied\./);
    assert.equal(readdirSync(join(agent.work, 'many')).length, 301);
    assert.ok(there('many/model.pt').equals(Buffer.alloc(20_000_000, 'x')));
    assert.ok(there('many/299.bin').equals(Buffer.alloc(20_000, 299)));
  });

  it('fetches through broken connections, and leaves nothing half', async () => {
    const bytes = Buffer.alloc(9_000_000, 'y');
    putThere('out/result.bin', bytes);
    putThere('out/small.txt', 'small');
    agent.breakNext = 2;
    const { code, stderr, stdout } = await cp('llm-dev:out', './');
    assert.equal(code, 0, stderr);
    assert.ok(readFileSync(join(folder, 'out', 'result.bin')).equals(bytes));
    assert.deepEqual(readdirSync(join(folder, 'out')).sort(), ['result.bin', 'small.txt']);
    assert.match(stdout, /Fetched: 2 files, 9 MB copied\./);
  });

  it('copies nothing twice', async () => {
    putThere('out/a.txt', 'a');
    await cp('llm-dev:out', './');
    const { stdout } = await cp('llm-dev:out', './');
    assert.match(stdout, /Fetched: 0 files, 0 bytes copied, 1 there already\./);
  });

  it('says what is missing, here and there, and copies nothing then', async () => {
    writeFileSync(join(folder, 'data.csv'), 'a');
    const here = await cp('data.csv', 'nothing.csv', 'llm-dev:');
    assert.equal(here.code, 3);
    assert.match(here.stderr, /There is no file or folder .*nothing\.csv on this computer\./);
    assert.deepEqual(readdirSync(agent.work), []);
    const gone = await cp('llm-dev:nothing.csv', '.');
    assert.equal(gone.code, 3);
    assert.match(gone.stderr, /There is no nothing\.csv in the work folder\./);
  });

  it('ends with a code of its own when something could not be copied, and names it', async function () {
    if (process.platform === 'win32') {
      console.log('      skipped: Windows has no pipes in folders');
      this.skip();
    }
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'a.py'), 'a');
    execFileSync('mkfifo', [join(folder, 'src', 'pipe')]);
    const { code, stdout } = await cp('src', 'llm-dev:');
    assert.equal(code, 13);
    assert.match(stdout, /Sent: 1 file, 1 bytes copied\.\n {2}1 left out: .*pipe \(a pipe\)/);
    assert.equal(there('src/a.py').toString(), 'a');
  });

  it('leaves out what the rules of the folder say, and says so; --all copies it too', async () => {
    mkdirSync(join(folder, 'src', '.git'), { recursive: true });
    writeFileSync(join(folder, 'src', '.gitignore'), '*.log\n');
    writeFileSync(join(folder, 'src', '.git', 'HEAD'), 'x');
    writeFileSync(join(folder, 'src', 'big.log'), 'x');
    writeFileSync(join(folder, 'src', 'a.py'), 'a');
    const { code, stdout } = await cp('src', 'llm-dev:');
    assert.equal(code, 0);
    assert.match(stdout, /2 excluded by ignore rules: /);
    assert.deepEqual(readdirSync(join(agent.work, 'src')).sort(), ['.gitignore', 'a.py']);
    await cp('src', 'llm-dev:', '--all');
    assert.deepEqual(readdirSync(join(agent.work, 'src')).sort(), ['.git', '.gitignore', 'a.py', 'big.log']);
  });

  describe('where something else is there already', () => {
    beforeEach(() => {
      putThere('notes.md', 'theirs');
      writeFileSync(join(folder, 'notes.md'), 'mine');
    });
    const dated = () => readdirSync(folder).find(name => /^notes \(\d{4}-\d\d-\d\d .*\)\.md$/.test(name));

    it('keeps both where nobody can be asked, and says under which name', async () => {
      const { code, stdout } = await cp('llm-dev:notes.md', './');
      assert.equal(code, 0);
      assert.equal(readFileSync(join(folder, 'notes.md'), 'utf8'), 'theirs');
      assert.equal(readFileSync(join(folder, dated() ?? ''), 'utf8'), 'mine');
      assert.match(stdout, /1 kept, renamed with the date: notes\.md as notes \(/);
    });

    it('asks a person, with keeping both as the answer of Enter', async () => {
      const { code, stderr } = await harness.run(['cp', 'llm-dev:notes.md', './'], {
        cwd: folder,
        tty: true,
        typing: async (input, shown) => {
          await until('the question', () => shown().includes('eep both'));
          input.write('\n');
        },
      });
      assert.equal(code, 0);
      assert.match(stderr, /1 of them is there already and differs: notes\.md/);
      assert.equal(readFileSync(join(folder, dated() ?? ''), 'utf8'), 'mine');
    });

    it('replaces or skips when told to', async () => {
      await cp('llm-dev:notes.md', './', '--on-conflict', 'skip');
      assert.equal(readFileSync(join(folder, 'notes.md'), 'utf8'), 'mine');
      await cp('llm-dev:notes.md', './', '--on-conflict', 'replace');
      assert.equal(readFileSync(join(folder, 'notes.md'), 'utf8'), 'theirs');
      assert.equal(dated(), undefined);
      const { code, stderr } = await cp('llm-dev:notes.md', './', '--on-conflict', 'maybe');
      assert.equal(code, 2);
      assert.match(stderr, /--on-conflict/);
    });
  });

  it('answers in JSON with the names of what was not simply copied, then the copy', async () => {
    mkdirSync(join(folder, 'src', '__pycache__'), { recursive: true });
    writeFileSync(join(folder, 'src', 'data.csv'), 'a');
    const { ndjson } = await harness.run(['cp', 'src', 'llm-dev:', '--json'], { cwd: folder });
    const [outcome, copy] = ndjson();
    assert.deepEqual(outcome, {
      type: 'outcome',
      outcome: 'ignored',
      path: join(folder, 'src', '__pycache__'),
      detail: '',
    });
    assert.equal(copy?.['type'], 'copy');
  });
});
