import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { agentStatusSchema, errorEnvelopeSchema, fileEntrySchema } from '@hitch/contract';
import * as z from 'zod';
import { RunningAgent, type Answer } from './running-agent.ts';

function envelopeOf(answer: Answer, status: number, code: string): z.infer<typeof errorEnvelopeSchema> {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  const envelope = errorEnvelopeSchema.parse(answer.json);
  assert.equal(envelope.code, code);
  return envelope;
}

describe('The agent', function () {
  this.timeout(60_000);
  let agent: RunningAgent;

  before(async () => {
    agent = await new RunningAgent().start();
  });

  after(async () => {
    await agent.dispose();
  });

  it('says who it is and what runs', async () => {
    const status = await agent.status();
    assert.equal(status.ref, agent.ref);
    assert.equal(status.jupyter.state, 'off');
    assert.equal(status.engine.state, 'off');
    assert.equal(status.watchdog.state, 'off');
  });

  it('has the version of its package', async () => {
    const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(file));
    assert.equal((await agent.status()).version, version);
  });

  it('listens on a socket that nobody else may open', () => {
    assert.equal(statSync(agent.socketPath).mode & 0o777, 0o600);
  });

  const routes: [string, string][] = [
    ['GET', '/status'],
    ['GET', '/watch'],
    ['POST', '/engine'],
    ['PUT', '/watchdog'],
    ['POST', '/shutdown'],
    ['GET', '/files?path='],
    ['GET', '/raw-files?path=a'],
    ['PUT', '/raw-files?path=a&total=0'],
    ['GET', '/jupyter/api/kernels'],
    ['GET', '/ray/api/version'],
    ['GET', '/terminals'],
    ['GET', '/nothing-here'],
  ];
  for (const [method, path] of routes) {
    it(`refuses ${method} ${path} without its bearer`, async () => {
      for (const authorization of [
        '',
        'Bearer',
        'Bearer ',
        'Bearer wrong',
        'Basic token-of-a-test',
        'token-of-a-test',
      ]) {
        const answer = await agent.call(method, path, undefined, { headers: { authorization } });
        envelopeOf(answer, 401, 'UNAUTHORIZED');
        assert.ok(!answer.text.includes(agent.token));
      }
    });
  }

  for (const path of [
    '/kernels/12345678/channels',
    '/terminals/1/socket',
    '/ray/api/jobs/x/logs/tail',
    '/else',
  ]) {
    it(`refuses a socket on ${path} without its bearer`, async () => {
      const socket = agent.socket(path, [], { authorization: 'Bearer wrong' });
      const error = await new Promise<Error>(resolve => socket.once('error', resolve));
      assert.match(error.message, /401/);
    });
  }

  it('answers every failure with the one envelope', async () => {
    envelopeOf(await agent.call('GET', '/nothing-here'), 404, 'NOT_FOUND');
    envelopeOf(await agent.call('GET', '/file?path=missing'), 404, 'NOT_FOUND');
    envelopeOf(await agent.call('GET', '/ray/api/version'), 404, 'NOT_FOUND');
    envelopeOf(await agent.call('GET', '/jupyter/api/kernels'), 404, 'NOT_FOUND');
    envelopeOf(await agent.call('GET', '/terminals'), 404, 'NOT_FOUND');
    const outside = envelopeOf(await agent.call('GET', '/files?path=../x'), 400, 'BAD_INPUT');
    assert.equal(outside.field, 'path');
    assert.match(outside.message, /stays inside the work folder/);
    const malformed = await agent.call('PUT', '/watchdog', undefined, {
      bytes: Buffer.from('{"stopAtMs":'),
      headers: { 'content-type': 'application/json' },
    });
    envelopeOf(malformed, 400, 'BAD_INPUT');
    const wrong = envelopeOf(
      await agent.call('PUT', '/watchdog', { stopAtMs: 'soon', idleMs: null }),
      400,
      'BAD_INPUT',
    );
    assert.equal(wrong.field, 'stopAtMs');
    const worker = {
      kind: 'ray',
      role: 'worker',
      rayVersion: null,
      headAddress: null,
      nodeAddress: '127.0.0.1',
    };
    const rest = { portBase: 30_000, numCpus: 1, numGpus: 0, gpuModel: null, labels: {}, token: 't' };
    envelopeOf(await agent.call('POST', '/engine', { ...worker, ...rest }), 400, 'BAD_INPUT');
  });

  it('moves files both ways over HTTP, with ranges, pieces and checksums', async () => {
    const text = 'what goes up must come down';
    const sha256 = createHash('sha256').update(text).digest('hex');
    const put = (offset: number, part: string): Promise<Answer> =>
      agent.call(
        'PUT',
        `/raw-files?path=up.txt&offset=${offset.toString()}&total=${text.length.toString()}&sha256=${sha256}`,
        undefined,
        {
          bytes: Buffer.from(part),
        },
      );
    assert.match((await put(0, text.slice(0, 9))).text, /"receivedBytes":9,"complete":false/);
    assert.match((await agent.call('GET', '/file-upload?path=up.txt')).text, /"receivedBytes":9/);
    assert.match((await put(9, text.slice(9))).text, /"complete":true/);
    const whole = await agent.call('GET', '/raw-files?path=up.txt');
    assert.equal(whole.text, text);
    assert.equal(whole.headers['content-type'], 'application/octet-stream');
    assert.equal(whole.headers['x-content-type-options'], 'nosniff');
    const part = await agent.call('GET', '/raw-files?path=up.txt', undefined, {
      headers: { range: 'bytes=5-8' },
    });
    assert.equal(part.status, 206);
    assert.equal(part.text, text.slice(5, 9));
    assert.equal(part.headers['content-range'], `bytes 5-8/${text.length.toString()}`);
    const changed = { range: 'bytes=5-8', 'if-range': '"another"' };
    assert.equal(
      (await agent.call('GET', '/raw-files?path=up.txt', undefined, { headers: changed })).text,
      text,
    );
    const beyond = await agent.call('GET', '/raw-files?path=up.txt', undefined, {
      headers: { range: 'bytes=99-' },
    });
    assert.equal(beyond.status, 416);
    const sum = await agent.call('GET', '/file-checksum?path=up.txt');
    assert.match(sum.text, new RegExp(sha256));
    envelopeOf(await agent.call('GET', '/raw-files?path=..%2Fagent.json'), 400, 'BAD_INPUT');
    envelopeOf(await agent.call('PUT', '/raw-files?path=x&total=1&sha256=short'), 400, 'BAD_INPUT');
  });

  it('makes, moves, lists and removes through the contract', async () => {
    assert.equal((await agent.call('POST', '/folders', { path: 'one/two' })).status, 200);
    writeFileSync(join(agent.work, 'one', 'x'), 'x');
    const moved = await agent.call('POST', '/file-moves', { from: 'one/x', to: 'one/two/y' });
    assert.equal(fileEntrySchema.parse(moved.json).path, 'one/two/y');
    envelopeOf(await agent.call('DELETE', '/file', { path: 'one' }), 409, 'CONFLICT');
    assert.equal((await agent.call('DELETE', '/file', { path: 'one', recursive: true })).status, 200);
    assert.ok(!existsSync(join(agent.work, 'one')));
  });

  it('streams its status at once and at each change', async () => {
    const seen: z.infer<typeof agentStatusSchema>[] = [];
    const changed = new Promise<void>((resolve, reject) => {
      const stream = get(
        { socketPath: agent.socketPath, path: '/watch', headers: { authorization: `Bearer ${agent.token}` } },
        answer => {
          let text = '';
          answer.on('data', (bytes: Buffer) => {
            text += bytes.toString();
            const events = text.split('\n\n');
            text = events.pop() ?? '';
            for (const event of events) {
              const data = /^data: (.*)$/m.exec(event)?.[1];
              if (data !== undefined) {
                seen.push(agentStatusSchema.parse(JSON.parse(data)));
              }
            }
            if (seen.length === 1) {
              void agent.call('PUT', '/watchdog', { stopAtMs: null, idleMs: 3_600_000 });
            }
            if (seen.some(({ watchdog }) => watchdog.state === 'armed')) {
              stream.destroy();
              resolve();
            }
          });
        },
      );
      stream.on('error', reject);
    });
    await changed;
    assert.equal(seen[0]?.watchdog.state, 'off');
    await agent.call('PUT', '/watchdog', { stopAtMs: null, idleMs: null });
  });

  it('samples CPU, memory and disk', async () => {
    const { signals } = await agent.untilStatus('signals', status => status.signals !== null);
    assert.ok(signals !== null);
    assert.ok(signals.cpuCores > 0 && signals.cpuPercent >= 0 && signals.cpuPercent <= 100);
    assert.ok(signals.memoryUsedMiB > 0 && signals.memoryUsedMiB <= signals.memoryTotalMiB);
    assert.ok(signals.diskUsedMiB <= signals.diskTotalMiB);
  });

  it('refuses to start beside another agent on the same socket', async () => {
    const second = new RunningAgent({ ...agent.config });
    await assert.rejects(second.start(), /Another agent already listens/).finally(() => second.dispose());
    assert.equal((await agent.status()).ref, agent.ref);
  });

  it('replaces the socket that a killed agent left', async () => {
    await agent.kill();
    assert.ok(existsSync(agent.socketPath));
    await agent.start();
  });

  it('keeps what the watchdog was told over its own death', async () => {
    const stopAtMs = Date.now() + 3_600_000;
    await agent.call('PUT', '/watchdog', { stopAtMs, idleMs: null });
    await agent.kill();
    await agent.start();
    assert.equal((await agent.status()).watchdog.stopAtMs, stopAtMs);
    await agent.call('PUT', '/watchdog', { stopAtMs: null, idleMs: null });
  });
});

describe('An agent’s configuration', function () {
  this.timeout(30_000);
  const main = new URL('../../src/agent/main.ts', import.meta.url).pathname;
  const start = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  let agent: RunningAgent;
  let file: string;

  beforeEach(() => {
    agent = new RunningAgent();
    file = join(agent.root, 'agent.json');
  });

  afterEach(() => agent.dispose());

  const bad: { what: string; content: (config: Record<string, unknown>) => string; sentence: RegExp }[] = [
    { what: 'is no JSON', content: () => '{"token": "very-secret', sentence: /is not JSON/ },
    {
      what: 'lacks a field',
      content: config => JSON.stringify({ ...config, ref: undefined, token: 'very-secret' }),
      sentence: /is not valid at ref/,
    },
    {
      what: 'is of another protocol',
      content: config => JSON.stringify({ ...config, protocol: 99 }),
      sentence: /speaks protocol 99, this agent 1\. Start the agent that came with the daemon/,
    },
    {
      what: 'names a public address',
      content: config => JSON.stringify({ ...config, listen: '0.0.0.0:80' }),
      sentence: /cannot listen on 0\.0\.0\.0:80/,
    },
    {
      what: 'names too long a socket path',
      content: config => JSON.stringify({ ...config, listen: `/tmp/${'x'.repeat(120)}` }),
      sentence: /longer than \d+ bytes/,
    },
  ];
  for (const { what, content, sentence } of bad) {
    it(`that ${what} is refused with a sentence that tells no secret`, () => {
      writeFileSync(file, content(agent.config), { mode: 0o600 });
      const { status, stderr } = start('--config', file);
      assert.equal(status, 1);
      assert.match(stderr, sentence);
      assert.ok(!stderr.includes('very-secret'));
    });
  }

  it('that others can read is refused', () => {
    writeFileSync(file, JSON.stringify(agent.config));
    chmodSync(file, 0o644);
    assert.match(start('--config', file).stderr, /can be read by others\. Run chmod 600/);
  });

  it('must be named', () => {
    assert.match(start().stderr, /needs --config <file>/);
    assert.match(start('--config', '/nowhere').stderr, /cannot be read/);
  });
});

describe('An agent without a daemon', function () {
  this.timeout(60_000);

  it('warns by its webhook and ends itself and everything with its tag when its time has come', async () => {
    const warnings: unknown[] = [];
    const hook = createServer((request, response) => {
      let text = '';
      request.on('data', (bytes: Buffer) => (text += bytes.toString()));
      request.on('end', () => {
        warnings.push(JSON.parse(text));
        response.writeHead(warnings.length === 1 ? 503 : 204).end();
      });
    });
    await new Promise<void>(resolve => hook.listen(0, '127.0.0.1', resolve));
    const { port } = hook.address() as AddressInfo;
    const agent = new RunningAgent({
      watchdog: {
        stopAtMs: Date.now() + 12_000,
        idleMs: null,
        warnBeforeMs: 600_000,
        webhookUrl: `http://127.0.0.1:${port.toString()}/warn`,
      },
    });
    try {
      await agent.start();
      assert.equal(await agent.exited(), 0);
      assert.deepEqual(agent.processes(), []);
      const first = z.object({
        cluster: z.string(),
        node: z.string(),
        sentence: z.string(),
        atMs: z.number(),
      });
      assert.match(first.parse(warnings[0]).sentence, /stop time is near/);
      assert.equal(first.parse(warnings[0]).cluster, 'test');
      assert.deepEqual(warnings[1], warnings[0], 'a webhook that failed is asked again');
      await agent.start();
      const { watchdog } = await agent.status();
      assert.deepEqual(
        [watchdog.state, watchdog.reason],
        ['ending', 'stop_time'],
        'an agent that is started on an ended node says why it ended',
      );
    } finally {
      hook.close();
      await agent.dispose();
    }
  });
});
