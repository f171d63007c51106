import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { parseCopy } from '../../src/cli/commands/cp.ts';
import { parseEndpoint, safeLocalPath } from '../../src/cli/files/paths.ts';
import { FakeAgent } from '../api/fake-agent.ts';
import { CliHarness } from './harness.ts';

describe('the ends of a copy', () => {
  it('tells a cluster from a drive letter and from a file with a colon', () => {
    assert.equal(parseEndpoint('llm-dev:data/x.csv').kind, 'remote');
    for (const local of ['C:\\data', 'c:/data', './a:b', '/tmp/x', 'x.csv', 'Up:x']) {
      assert.equal(parseEndpoint(local).kind, 'local', local);
    }
  });

  it('keeps paths on the cluster inside the work folder', () => {
    for (const path of ['llm-dev:../x', 'llm-dev:/etc/passwd', 'llm-dev:a/../../x', 'llm-dev:a\\b']) {
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
    assert.throws(() => parseCopy(['a.csv', 'b.csv']), /Neither side is on a cluster/);
    assert.throws(() => parseCopy(['one-a:x', 'two-b:y']), /One side must be on this computer/);
    assert.throws(() => parseCopy(['one-a:x', 'y', 'one-a:z']), /One side must be on this computer/);
  });

  it('writes nothing outside the target, whatever the cluster names its files', () => {
    for (const evil of ['../x', 'a/../../x', '/etc/x', '.', 'a//b', 'a\0b', '']) {
      assert.throws(
        () => safeLocalPath('/home/me/out', evil),
        /cannot be written here/,
        JSON.stringify(evil),
      );
    }
    for (const evil of ['a:b', 'CON', 'nul.txt', 'a\\b', 'x?']) {
      assert.throws(() => safeLocalPath('/out', evil, 'win32'), /cannot be written here/, evil);
    }
    assert.equal(safeLocalPath('/out', 'a/b.txt', 'linux'), join('/out', 'a', 'b.txt'));
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

  const cp = (...paths: string[]) => harness.run(['cp', ...paths], { cwd: folder });

  it('sends a file', async () => {
    writeFileSync(join(folder, 'data.csv'), 'a,b\n1,2\n');
    const { code, stdout, stderr } = await cp('data.csv', 'llm-dev:');
    assert.equal(code, 0, stderr);
    assert.equal(agent.files.get('data.csv')?.toString(), 'a,b\n1,2\n');
    assert.match(stdout, /Sent 1 file, 0\.0 MB, checksums right\./);
  });

  it('sends a file under another name, and an empty one', async () => {
    writeFileSync(join(folder, 'empty'), '');
    assert.equal((await cp('empty', 'llm-dev:nothing.bin')).code, 0);
    assert.equal(agent.files.get('nothing.bin')?.length, 0);
  });

  it('goes on after a broken connection', async () => {
    const bytes = Buffer.alloc(20_000_000, 'x');
    writeFileSync(join(folder, 'model.pt'), bytes);
    agent.breakNext = 1;
    const { code, stderr } = await cp('model.pt', 'llm-dev:model.pt');
    assert.equal(code, 0, stderr);
    assert.ok(agent.files.get('model.pt')?.equals(bytes));
  });

  it('fetches a file whole or not at all', async () => {
    const bytes = Buffer.alloc(3_000_000, 'y');
    agent.files.set('result.bin', bytes);
    agent.breakNext = 1;
    const { code, stderr, stdout } = await cp('llm-dev:result.bin', './');
    assert.equal(code, 0, stderr);
    assert.ok(readFileSync(join(folder, 'result.bin')).equals(bytes));
    assert.ok(!existsSync(join(folder, 'result.bin.hitch-part')));
    assert.match(stdout, /Fetched 1 file/);
  });

  it('goes on with what an earlier try had fetched, and begins anew when that was another version', async () => {
    const bytes = Buffer.from('0123456789'.repeat(1000));
    agent.files.set('result.bin', bytes);
    for (const part of [bytes.subarray(0, 4000), Buffer.alloc(4000, '?')]) {
      writeFileSync(join(folder, 'result.bin.hitch-part'), part);
      const { code, stderr } = await cp('llm-dev:result.bin', 'result.bin');
      assert.equal(code, 0, stderr);
      assert.ok(readFileSync(join(folder, 'result.bin')).equals(bytes));
    }
  });

  it('says what is missing, here and there', async () => {
    const here = await cp('nothing.csv', 'llm-dev:');
    assert.equal(here.code, 3);
    assert.match(here.stderr, /There is no file or folder .*nothing\.csv on this computer\./);
    const there = await cp('llm-dev:nothing.csv', '.');
    assert.equal(there.code, 3);
    assert.match(there.stderr, /There is no nothing\.csv in the work folder\./);
  });

  it('leaves links out and says so', async function () {
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'a.py'), 'a');
    try {
      symlinkSync('/etc/passwd', join(folder, 'src', 'link'));
    } catch {
      console.log('      skipped: links cannot be made here');
      this.skip();
    }
    const { stderr } = await cp('src', 'llm-dev:');
    assert.match(stderr, /link is a link or a device and is left out/);
    assert.ok(!agent.files.has('src/link'));
  });

  it('answers in JSON with a line for each file', async () => {
    writeFileSync(join(folder, 'data.csv'), 'a');
    const { ndjson } = await harness.run(['cp', 'data.csv', 'llm-dev:', '--json'], { cwd: folder });
    assert.deepEqual(ndjson(), [
      { type: 'copied', direction: 'up', local: join(folder, 'data.csv'), remote: 'data.csv', sizeBytes: 1 },
    ]);
  });
});
