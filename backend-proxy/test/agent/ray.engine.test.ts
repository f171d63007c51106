import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { runCell, startKernel } from './cells.ts';
import { pythonOrSkip, RunningAgent, shownOf } from './running-agent.ts';

const address =
  Object.values(networkInterfaces())
    .flat()
    .find(found => found !== undefined && !found.internal && found.family === 'IPv4')?.address ?? '127.0.0.1';

const BLOCKS = 40;
const BLOCK_PORTS = 300;

/** Makes the first dashboard that is started end before it serves. */
const BROKEN_DASHBOARD = `
import os, sys
flag = os.path.join(sys.prefix, "broke-once")
if any(word.endswith("dashboard.py") for word in sys.orig_argv) and not os.path.exists(flag):
    open(flag, "w").close()
    os._exit(3)
`;

const TOKEN = 'ray-token-of-a-test-0123456789abcdef';

/** The first of as many ports for two nodes that nobody listens on, below the range of outgoing connections. */
async function freePortBlock(): Promise<number> {
  for (let block = 0; block < BLOCKS; block++) {
    const base = 20_000 + ((process.pid + block) % BLOCKS) * BLOCK_PORTS;
    const ports = Array.from({ length: BLOCK_PORTS }, (_, index) => base + index);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) {
      return base;
    }
  }
  throw new Error('no ports are free for Ray');
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const listener = createServer().once('error', () => resolve(false));
    listener.listen(port, '0.0.0.0', () => listener.close(() => resolve(true)));
  });
}

function engine(portBase: number, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    kind: 'ray',
    role: 'head',
    rayVersion: null,
    headAddress: null,
    nodeAddress: address,
    portBase,
    numCpus: 2,
    numGpus: 1,
    gpuModel: 'RTX 4090',
    labels: { provider: 'local', gpu: 'rtx4090' },
    token: TOKEN,
    ...extra,
  };
}

describe('The agent with a real Ray', function () {
  this.timeout(600_000);
  let portBase: number;
  let head: RunningAgent;
  let kernel: string;

  before(async function () {
    const python = pythonOrSkip(this);
    portBase = await freePortBlock();
    head = await new RunningAgent({ python, jupyter: true, secrets: { HF_TOKEN: 'hf-of-a-test' } }).start();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      const status = await head.status().catch((error: unknown) => String(error));
      console.log(`      ${JSON.stringify(status)}`);
      console.log(head.log('agent').slice(-3000), head.log('ray').slice(-3000));
    }
  });

  after(async () => {
    await head?.dispose();
  });

  it('answers at once, lets the notebook run first, then has a head with its resources', async () => {
    const asked = await head.call('POST', '/engine', engine(portBase));
    assert.equal(asked.status, 200, asked.text);
    kernel = await startKernel(head);
    assert.equal(await runCell(head, kernel, 'print("before Ray")'), 'before Ray\n');
    const status = await head.untilStatus('a head', ({ engine }) => engine.nodesAlive === 1);
    assert.equal(status.engine.state, 'running');
    assert.equal(status.engine.headAddress, `${address}:${portBase.toString()}`);
    assert.equal(status.engine.rayVersion, '2.58.0');
    const nodes = await head.call('GET', '/ray/api/v0/nodes?detail=1');
    assert.match(nodes.text, /accelerator_type:RTX-4090/);
    assert.match(nodes.text, /"gpu": ?"rtx4090"/);
  });

  it('lets a kernel that was there before join without a word', async () => {
    const code =
      'import ray, os; ray.init(log_to_driver=False)\n' +
      '@ray.remote\ndef f(): return os.environ["HITCH_NODE"] + " " + os.environ["HF_TOKEN"]\n' +
      'print(ray.get(f.remote()))';
    const printed = await runCell(head, kernel, code);
    assert.ok(printed.includes(`${head.ref} hf-of-a-test`), printed);
  });

  it('does not take an attached, idle kernel for work', async () => {
    const put = await head.call('PUT', '/watchdog', { stopAtMs: null, idleMs: 3_600_000 });
    assert.equal(put.status, 200, put.text);
    const status = await head.untilStatus('an idle node', ({ watchdog }) => watchdog.idleSinceMs !== null);
    assert.deepEqual(status.watchdog.activity, []);
    const off = await head.call('PUT', '/watchdog', { stopAtMs: null, idleMs: null });
    assert.match(off.text, /"state":"off"/);
  });

  it('keeps its token in a file of its own', () => {
    for (const shown of head.processes().map(shownOf)) {
      assert.ok(!shown.includes(TOKEN), 'the token of Ray is in no listing');
    }
  });

  it('passes the dashboard API on, a browser’s headers and the caller’s bearer left behind', async () => {
    const headers = { origin: 'http://evil.example', 'sec-fetch-mode': 'cors', 'user-agent': 'Mozilla/5.0' };
    const job = { entrypoint: 'echo from-a-job; sleep 1; echo its-end', submission_id: 'job-1' };
    const submitted = await head.call('POST', '/ray/api/jobs/', job, { headers });
    assert.equal(submitted.status, 200, submitted.text);
    const tail = head.socket('/ray/api/jobs/job-1/logs/tail');
    const lines = await new Promise<string>((resolve, reject) => {
      let text = '';
      tail.on('message', (data: Buffer) => (text += data.toString()));
      tail.on('error', reject);
      tail.on('close', () => resolve(text));
    });
    assert.match(lines, /from-a-job[\s\S]*its-end/);
  });

  it('takes over a running Ray after it was killed', async () => {
    const { pid } = (await head.status()).engine;
    await head.kill();
    await head.start();
    const status = await head.untilStatus('Ray taken over', ({ engine }) => engine.nodesAlive === 1);
    assert.equal(status.engine.pid, pid);
    assert.equal(status.engine.restarts, 0);
    await head.untilStatus('its version', ({ engine }) => engine.rayVersion === '2.58.0');
    assert.match(await runCell(head, kernel, 'print(len(ray.nodes()))'), /^1\n/);
  });

  it('is joined by a worker, which is started again and rejoins when its raylet dies', async function () {
    const worker = new RunningAgent({ python: process.env['HITCH_PYTHON'] });
    try {
      await worker.start();
      const { headAddress } = (await head.status()).engine;
      const asked = await worker.call(
        'POST',
        '/engine',
        engine(portBase + 150, { role: 'worker', headAddress, numCpus: 1, numGpus: 0, gpuModel: null }),
      );
      assert.equal(asked.status, 200, asked.text);
      await head.untilStatus('two nodes', ({ engine }) => engine.nodesAlive === 2);
      const raylet = worker.processes().find(pid => shownOf(pid).split('\0')[0]?.endsWith('/raylet'));
      assert.ok(raylet !== undefined);
      process.kill(raylet, 'SIGKILL');
      await worker.untilStatus(
        'a restart',
        ({ engine }) => engine.restarts > 0 && engine.state === 'running',
      );
      await head.untilStatus('two nodes again', ({ engine }) => engine.nodesAlive === 2);
      const left = worker.exited();
      await worker.call('POST', '/shutdown', { reason: 'test' });
      assert.equal(await left, 0);
      assert.deepEqual(worker.processes(), []);
      assert.equal((await head.status()).engine.state, 'running');
    } finally {
      await worker.dispose();
    }
  });

  it('refuses another version than the cluster’s with a sentence', async () => {
    const other = new RunningAgent({ python: process.env['HITCH_PYTHON'] });
    try {
      await other.start();
      const worker = engine(portBase, { role: 'worker', headAddress: `${address}:1`, rayVersion: '2.52.0' });
      await other.call('POST', '/engine', worker);
      const status = await other.untilStatus('a refusal', ({ engine }) => engine.state === 'failed');
      assert.match(status.engine.message, /This node has Ray 2\.58\.0, the cluster runs 2\.52\.0/);
    } finally {
      await other.dispose();
    }
  });

  it('says at once which port another program holds, and starts when it is free', async () => {
    const holder = createServer();
    const taken = portBase + 153;
    await new Promise<void>(resolve => holder.listen(taken, '0.0.0.0', resolve));
    const other = new RunningAgent({ python: process.env['HITCH_PYTHON'] });
    try {
      await other.start();
      await other.call('POST', '/engine', engine(portBase + 150));
      const refused = await other.untilStatus(
        'the port',
        ({ engine }) => engine.message !== '' && engine.restarts > 0,
      );
      assert.match(
        refused.engine.message,
        new RegExp(`another program on this node uses port ${taken.toString()}`),
      );
      assert.equal(refused.engine.headAddress, null);
      await new Promise(resolve => holder.close(resolve));
      await other.untilStatus('a head on the freed port', ({ engine }) => engine.state === 'running');
      const nodes = await other.call('GET', '/ray/api/v0/nodes');
      assert.match(nodes.text, /"state": ?"ALIVE"/, 'a head that runs counts itself from the first moment');
    } finally {
      holder.close();
      await other.dispose();
    }
  });

  it('is started again as soon as Ray says that its dashboard did not start, and says so', async () => {
    const other = new RunningAgent({ python: process.env['HITCH_PYTHON'] });
    try {
      await other.start();
      const made = join(other.state, 'python', 'hitch.json');
      while (!existsSync(made)) {
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      const library = join(other.state, 'python', 'lib');
      const [version = ''] = readdirSync(library);
      writeFileSync(join(library, version, 'site-packages', 'sitecustomize.py'), BROKEN_DASHBOARD);
      await other.call('POST', '/engine', engine(portBase + 150));
      const refused = await other.untilStatus('a try that failed', ({ engine }) => engine.restarts > 0);
      assert.match(refused.engine.message, /^its dashboard did not start: \w/);
      const up = await other.untilStatus('a head', ({ engine }) => engine.state === 'running');
      assert.equal(up.engine.restarts, 1);
    } finally {
      await other.dispose();
    }
  });

  it('ends with nothing of it left, jobs in sessions of their own included', async () => {
    const detached = { entrypoint: 'setsid sleep 1000 & sleep 1000', submission_id: 'job-2' };
    await head.call('POST', '/ray/api/jobs/', detached);
    const status = z.object({ status: z.string() });
    while (status.parse((await head.call('GET', '/ray/api/jobs/job-2')).json).status === 'PENDING') {
      await new Promise(resolve => setTimeout(resolve, 300));
    }
    const left = head.exited();
    await head.call('POST', '/shutdown', { reason: 'test' });
    assert.equal(await left, 0);
    assert.deepEqual(head.processes(), []);
    assert.match(
      readFileSync(join(head.state, 'logs', 'agent.log'), 'utf8'),
      /"count":0,"msg":"The node has ended"/,
    );
  });
});
