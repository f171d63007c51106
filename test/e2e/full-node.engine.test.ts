/** A node whose disk is full: every answer says so, what runs goes on, and all is well again when there is room. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorEnvelopeSchema } from '@hitch/contract';
import * as z from 'zod';
import { TestClient } from '../../backend-proxy/test/kernels/clients.ts';
import { type Answer, pythonOrSkip, RunningAgent } from '../../backend-proxy/test/agent/running-agent.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { until } from '../support/waiting.ts';

const DISK_BYTES = 32 * 1024 * 1024;
const SINGLE = {
  kind: 'single',
  role: 'head',
  rayVersion: null,
  headAddress: null,
  nodeAddress: '127.0.0.1',
  portBase: null,
  numCpus: null,
  numGpus: null,
  gpuModel: null,
  labels: {},
  token: 'token',
};
const idSchema = z.looseObject({ id: z.string() });

describe('hostile: a node whose disk is full', function () {
  this.timeout(300_000);
  let disk: SmallDisk;
  let agent: RunningAgent;
  let kernelId: string;

  before(async function () {
    pythonOrSkip(this);
    disk = SmallDisk.mount(this, DISK_BYTES);
    agent = await new RunningAgent({
      jupyter: true,
      stateFolder: join(disk.folder, 'state'),
      workFolder: join(disk.folder, 'work'),
    }).start();
    await agent.untilStatus('Jupyter', ({ jupyter }) => jupyter.state === 'running');
    kernelId = idSchema.parse((await startKernel()).json).id;
  });
  after(async () => {
    await (agent as RunningAgent | undefined)?.dispose();
    (disk as SmallDisk | undefined)?.unmount();
  });

  const startKernel = (): Promise<Answer> => agent.call('POST', '/jupyter/api/kernels', { name: 'python3' });
  const writeNotebook = (bytes: number): Promise<Answer> =>
    agent.call('PUT', '/jupyter/api/contents/n.txt', {
      type: 'file',
      format: 'text',
      content: 'x'.repeat(bytes),
    });
  const upload = (bytes: number): Promise<Answer> => {
    const content = Buffer.alloc(bytes, 1);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const query = `path=up.bin&offset=0&total=${bytes.toString()}&sha256=${sha256}`;
    return agent.call('PUT', `/raw-files?${query}`, undefined, { bytes: content });
  };

  function checkSaysFull(what: string, { status, json }: Answer): void {
    assert.equal(status, 507, `${what}: ${JSON.stringify(json)}`);
    const { code, message, next } = errorEnvelopeSchema.parse(json);
    assert.equal(code, 'STORAGE_FULL', what);
    assert.match(
      message,
      /The disk of test \(node nod_test\) is too full: [\d.]+ (?:bytes|kB|MB) of 33\.6 MB are free\.$/,
      what,
    );
    assert.match(next ?? '', /hitch ssh test/, what);
    assert.doesNotMatch(`${message} ${next ?? ''}`, /HITCH_HOME|Errno|\.tmp/, what);
  }

  const client = async (): Promise<TestClient> => {
    const url = (query: string): string =>
      `ws+unix:${agent.socketPath}:/kernels/${kernelId}/channels?${query}`;
    const made = new TestClient(url, { headers: { authorization: `Bearer ${agent.token}` } });
    await made.opened;
    return made;
  };

  it('says so, with its name and what is free, and its kernels go on', async () => {
    const person = await client();
    await person.done(person.execute("print('before')"));
    disk.fill();
    const request = person.execute("for n in range(3):\n    print('y' * 100_000, n, flush=True)", 'full');
    assert.equal((await person.done(request)).content['status'], 'ok');
    assert.equal(person.streamText(request).length, 3 * 100_003);

    checkSaysFull('a file', await writeNotebook(1_000_000));
    checkSaysFull('an upload', await upload(1_000_000));
    const ssh = await agent.call('PUT', '/ssh-key', { publicKey: `ssh-ed25519 ${'A'.repeat(68)}` });
    // Without an SSH server there is nothing to write.
    if (ssh.status !== 200) {
      checkSaysFull('ssh', ssh);
    }
    checkSaysFull('an engine', await agent.call('POST', '/engine', SINGLE));
    checkSaysFull('a kernel', await startKernel());
    const wrong = await agent.call('POST', '/engine', { kind: 'single' });
    assert.equal(wrong.status, 400, 'what the caller got wrong is still that');
    // A limit holds although it cannot be written down.
    const stopAtMs = Date.now() + 3_600_000;
    const limited = await agent.call('PUT', '/watchdog', { stopAtMs, idleMs: null });
    assert.equal(limited.status, 200, limited.text);
    assert.equal((await agent.status()).watchdog.stopAtMs, stopAtMs);

    disk.empty();
    const kernel = await until('a kernel starts by itself again', async () => {
      const answer = await startKernel();
      return answer.status === 201 ? answer : null;
    });
    assert.equal(
      (await agent.call('DELETE', `/jupyter/api/kernels/${idSchema.parse(kernel.json).id}`)).status,
      204,
    );
    // Jupyter may have left an empty file of that name.
    assert.ok([200, 201].includes((await writeNotebook(1_000)).status));
    assert.equal((await upload(1_000)).status, 200);
    const later = person.execute("print('after')");
    await person.done(later);
    const executions = z
      .array(z.looseObject({ cellId: z.string().nullable(), state: z.string(), droppedBytes: z.number() }))
      .parse((await agent.call('GET', `/kernels/${kernelId}/executions`)).json);
    const full = executions.find(({ cellId }) => cellId === 'full');
    assert.equal(full?.state, 'ok');
    assert.ok(full.droppedBytes > 0, 'what was not kept is said');
    assert.equal(executions.at(-1)?.droppedBytes, 0);
    person.drop();
    const kept = join(disk.folder, 'state', 'run', 'watchdog.json');
    await until(
      'the limit is kept now',
      () => existsSync(kept) && readFileSync(kept, 'utf8').includes(stopAtMs.toString()),
    );
    await agent.kill();
    await agent.start();
    assert.equal(
      (await agent.status()).watchdog.stopAtMs,
      stopAtMs,
      'the limit was kept when there was room',
    );
  });
});
