/** Jobs as people use them: the real command line, a real daemon that is killed meanwhile, a real machine of a practice network. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, isJobOver, type Job } from '@hitch/contract';
import { DaemonHome, HITCH_PROGRAM, type Ran } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Prints lines of all lengths and bytes that are no text, and writes the same into a file. */
const TRAIN = `
import os, random, sys
out = open('written', 'wb', buffering=0)
r = random.Random(3)
for i in range(4000):
    data = b'step %d ' % i + r.randbytes(i % 500) + b'\\n'
    out.write(data)
    os.write(1 + i % 2, data)
    if i == 1500:
        open('half', 'w').close()
    while i == 3000 and not os.path.exists('go-on'):
        pass
os.makedirs('out', exist_ok=True)
open('out/model.txt', 'w').write('weights')
sys.exit(5)
`;
const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
  cells: [
    {
      id: 'a',
      cell_type: 'code',
      metadata: {},
      source: 'x = 20\nprint("first", x)',
      outputs: [],
      execution_count: null,
    },
    { id: 'b', cell_type: 'code', metadata: {}, source: 'x * 2 + 2', outputs: [], execution_count: null },
    {
      id: 'c',
      cell_type: 'code',
      metadata: {},
      source: 'raise ValueError("no data")',
      outputs: [],
      execution_count: null,
    },
  ],
};

describe('Jobs on a cluster', function () {
  this.timeout(900_000);
  const home = new DaemonHome();
  let cluster: Cluster;
  let folder: string;
  let work: string;

  before(async function () {
    needsRealNodes(this);
    folder = join(mkdtempSync(join(tmpdir(), 'hj-')), 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train.py'), TRAIN);
    writeFileSync(join(folder, 'explore.ipynb'), JSON.stringify(NOTEBOOK));
    await home.start();
    const rented = await home.rent({ filter: { providers: ['local'] } }, 'jobs');
    cluster = await home.untilKernel(rented.id);
    const ran = await job(['run', 'jobs', '--no-send', '--sh', 'pwd']);
    assert.equal(ran.code, 0, ran.stderr);
    work = ran.stdout.trim();
  });

  after(async () => {
    await home.dispose();
    if (folder !== undefined) {
      rmSync(join(folder, '..'), { recursive: true, force: true });
    }
  });

  const job = (args: readonly string[], cwd = folder): Promise<Ran> => cli(['job', ...args], cwd);

  /** As {@link DaemonHome.cli}, in a folder where a person stands. */
  async function cli(args: readonly string[], cwd: string): Promise<Ran> {
    const child = spawn(process.execPath, [HITCH_PROGRAM, ...args], {
      env: home.environment(),
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    const code = await new Promise<number | null>(resolve => child.once('close', resolve));
    return { code, stdout, stderr };
  }

  const named = async (name: string): Promise<Job> => {
    const found = (await home.api.jobs.list({})).find(each => each.name === name);
    assert.ok(found !== undefined, `there is a job ${name}`);
    return found;
  };

  it('sends the folder, shows the output as it comes, and ends with the job’s own code', async () => {
    const ran = await job([
      'run',
      'jobs',
      '--',
      'python',
      '-c',
      'import os, sys; print(sorted(os.listdir())); sys.exit(3)',
    ]);
    assert.equal(ran.code, 3, ran.stderr);
    assert.match(ran.stdout, /explore\.ipynb.*train\.py/);
    assert.match(ran.stderr, /Sent .*code to ~\/work\/code: /);
    assert.match(ran.stderr, /Failed after 0:\d\d: exit code 3/);
  });

  it('loses and doubles no byte when the daemon is killed in the middle, and knows how it ended', async () => {
    const begun = await job(['run', 'jobs', '-d', '--output', 'out', 'train.py']);
    assert.equal(begun.code, 0, begun.stderr);
    const at = join(work, 'code');
    await until('half of the output', () => Promise.resolve(existsSync(join(at, 'half'))), 120_000);
    await home.kill();
    writeFileSync(join(at, 'go-on'), '');
    await home.start();
    const followed = spawn(process.execPath, [HITCH_PROGRAM, 'job', 'logs', 'train', '-f', '--from', '0'], {
      env: home.environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const parts: Buffer[] = [];
    followed.stdout.on('data', (part: Buffer) => parts.push(part));
    await new Promise(resolve => followed.once('close', resolve));
    assert.equal(sha256(Buffer.concat(parts)), sha256(readFileSync(join(at, 'written'))));
    const { state, runs, costMicroUsd } = await named('train');
    assert.deepEqual([state, runs.length, runs[0]?.cause, runs[0]?.exitCode], ['failed', 1, 'exit', 5]);
    assert.notEqual(costMicroUsd, null);
  });

  it('finds a text in the log, and says where nothing is found', async () => {
    const found = await job(['logs', 'train', '--grep', 'STEP 3999 ']);
    assert.equal(found.code, 0, found.stderr);
    assert.match(found.stdout, /^step 3999 /);
    assert.equal((await job(['logs', 'train', '--grep', 'nowhere to be found'])).code, 3);
  });

  it('fetches what the job made', async () => {
    const fetched = await job(['fetch', 'train', 'results']);
    assert.equal(fetched.code, 0, fetched.stderr);
    assert.equal(readFileSync(join(folder, 'results', 'out', 'model.txt'), 'utf8'), 'weights');
  });

  it('goes on when its follower is ended, and is stopped by name', async () => {
    const sleeps = job(['run', 'jobs', '--no-send', '--name', 'long', '--sh', 'echo begun; sleep 1000']);
    await until(
      'it runs',
      async () =>
        (await home.api.jobs.list({})).some(({ name, state }) => name === 'long' && state === 'running'),
      120_000,
    );
    const stopped = await job(['stop', 'long']);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, /^long: Stopped after /);
    assert.equal((await sleeps).code, 6, 'a job that was stopped');
  });

  it('tries again under another name, and refuses a name twice', async () => {
    const again = await job(['retry', 'long', '-d']);
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await job(['stop', 'long-2'])).code, 0);
    const twice = await job(['run', 'jobs', '--no-send', '--name', 'long', '--sh', 'true']);
    assert.equal(twice.code, 4);
    assert.match(twice.stderr, /There is a job long already/);
  });

  it('are compared: what they were given, printed, cost and ran on', async () => {
    const program =
      'import json, sys; [print(json.dumps({"step": i, "loss": 1 / float(sys.argv[2]) / i})) for i in (1, 2)]';
    for (const [name, rate] of [
      ['slow', '1'],
      ['fast', '4'],
    ] as const) {
      const ran = await job([
        'run',
        'jobs',
        '--name',
        name,
        '--no-send',
        '--',
        'python',
        '-c',
        program,
        '--lr',
        rate,
      ]);
      assert.equal(ran.code, 0, ran.stderr);
    }
    const shown = await job(['compare', 'slow', 'fast']);
    assert.match(shown.stdout, /^lr +1 +4$/m);
    assert.match(shown.stdout, /^loss +0\.5 \(0\.5 to 1\) +0\.125 \(0\.125 to 0\.25\)$/m);
    assert.match(shown.stdout, /^state +succeeded +succeeded$/m);
    assert.match(shown.stdout, /^offer +\S.* {2,}\S/m);
    const csv = await job(['compare', 'slow', 'fast', '--format', 'csv']);
    assert.match(csv.stdout, /^section,name,slow,fast\nParameters,lr,1,4\n/);
    const markdown = await job(['compare', 'slow', 'fast', '--format', 'markdown']);
    assert.match(markdown.stdout, /^\| lr \| 1 \| 4 \|$/m);
    const said = JSON.parse((await job(['compare', 'slow', 'fast', '--json'])).stdout) as {
      readonly metrics: readonly unknown[];
      readonly jobs: readonly {
        readonly metrics: readonly { readonly name: string; readonly last: number }[];
      }[];
    };
    assert.deepEqual(
      said.jobs.map(({ metrics }) => metrics.find(({ name }) => name === 'loss')?.last),
      [0.5, 0.125],
    );
    const figures = await job(['metrics', 'fast']);
    assert.match(figures.stdout, /^loss +0\.125 .* 0\.125 +0\.25 +2 +output$/m);
    const points = await job(['metrics', 'fast', '--csv']);
    assert.match(points.stdout, /^figure,source,step,time,value\n/);
    assert.match(points.stdout, /^loss,output,\d+,\d{4}-.*Z,0\.125$/m);
    assert.match((await job(['show', 'fast'])).stdout, /^ {2}Figures: .*loss 0\.125/m);
    assert.match((await job(['ls'])).stdout, /^fast .* loss 0\.125 at /m);
    const nobody = await job(['compare', 'slow', 'nobody']);
    assert.equal(nobody.code, 3);
    assert.match(nobody.stderr, /There is no job "nobody"/);
  });

  it('runs a notebook into a copy, and names the cell that failed', async () => {
    const ran = await job(['run', 'jobs', 'explore.ipynb']);
    assert.equal(ran.code, 1, ran.stderr + ran.stdout);
    assert.match(ran.stdout, /^\[cell 1, 1 of 3\]\nfirst 20\n\[cell 2, 2 of 3\]\n42\n/m);
    assert.match(ran.stdout, /Cell 3 of explore\.ipynb failed: ValueError: no data/);
    assert.equal((await job(['fetch', 'explore', 'book'])).code, 0);
    const copy = JSON.parse(
      readFileSync(join(folder, 'book', 'explore.explore.ipynb'), 'utf8'),
    ) as typeof NOTEBOOK;
    assert.deepEqual(
      copy.cells.map(({ outputs }) => outputs.length),
      [1, 1, 1],
    );
  });

  it('runs the cells that were asked for', async () => {
    const ran = await job(['run', 'jobs', 'explore.ipynb', '--cells', '-2', '--name', 'two-cells']);
    assert.equal(ran.code, 0, ran.stderr + ran.stdout);
    assert.match(ran.stdout, /\[cell 2, 2 of 2\]\n42\nOutputs are in explore\.two-cells\.ipynb\./);
  });

  it('refuses what is not there, and what is too much to send, before anything is begun', async () => {
    const none = await job(['run', 'jobs', 'nothing.py']);
    assert.equal(none.code, 3);
    assert.match(none.stderr, /nothing\.py: there is no such file here\./);
    const root = await job(['run', 'jobs', '--', 'true'], '/');
    assert.equal(root.code, 2);
    assert.match(root.stderr, /is too much to send/);
  });

  it('says that jobs run before a cluster is stopped, ends them with it, and keeps their logs', async () => {
    const begun = await job([
      'run',
      'jobs',
      '-d',
      '--no-send',
      '--name',
      'last',
      '--sh',
      'trap "echo checkpoint saved; exit 0" TERM; echo begun; while :; do sleep 0.1; done',
    ]);
    assert.equal(begun.code, 0, begun.stderr);
    await until(
      'it says that it runs',
      async () => ((await named('last')).runs[0]?.log.endByte ?? 0) > 0,
      120_000,
    );
    const stopped = await home.cli(['stop', 'jobs', '--yes']);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stderr + stopped.stdout, /1 job is running: last/);
    const ended = await named('last');
    assert.ok(isJobOver(ended.state));
    assert.equal(ended.runs[0]?.cause, 'cluster');
    const log = await job(['logs', 'last']);
    assert.match(log.stdout, /^begun\n(?:.*\n)*checkpoint saved\n/);
    assert.equal(log.code, 0, log.stderr);
    const all = await job(['logs', 'train']);
    assert.equal(all.code, 0, all.stderr);
    assert.equal(home.leftovers([cluster]).length, 0);
  });
});
