/** A person restarts a kernel that cells wait for: restarting means that they do not run. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TestClient, until } from './clients.ts';
import { OneKernel, waiting } from './one-kernel.ts';

describe('cells that wait while somebody restarts their kernel', function () {
  this.timeout(240_000);
  let one: OneKernel;

  before(async function () {
    one = await OneKernel.start(this);
  });

  after(() => (one as OneKernel | undefined)?.stop());

  /** The kernel dies, and its next process listens to nobody while the file is there: what is sent to it waits. */
  async function die(client: TestClient, file: string): Promise<void> {
    writeFileSync(file, '');
    const there = one.gate();
    const wait = `open(${JSON.stringify(there)}, "w").close()\n${waiting(file).replace('not ', '')}`;
    const code = [
      'import os, signal',
      'folder = get_ipython().profile_dir.startup_dir',
      `with open(os.path.join(folder, "wait.py"), "w") as file: file.write(${JSON.stringify(wait)})`,
      'os.kill(os.getpid(), signal.SIGKILL)',
    ];
    client.execute(code.join('\n'));
    const isRestarting = ({ content }: { content: Record<string, unknown> }): boolean =>
      content['execution_state'] === 'restarting';
    await until('its next process', () => client.messages.some(isRestarting) && existsSync(there), 120);
  }

  /** Jupyter Server refuses while it still works on the restart that it did by itself. */
  async function restart(kernelId: string): Promise<void> {
    const path = `/api/kernels/${kernelId}/restart`;
    for (let status = await one.jupyter.post(path), tries = 1; status !== 200; tries++) {
      assert.ok(tries < 100, `the restart is refused with ${status.toString()}`);
      await delay(200);
      status = await one.jupyter.post(path);
    }
  }

  /** The hub answers in order: it has then what the client sent before. */
  const taken = ({ socket }: TestClient): Promise<unknown> => {
    const answered = new Promise(resolve => socket.once('pong', resolve));
    socket.ping();
    return answered;
  };

  const printed = async (client: TestClient, code: string): Promise<string> => {
    const request = client.execute(code);
    assert.equal((await client.done(request)).content['status'], 'ok');
    return client.streamText(request);
  };

  it('are answered as aborted and never run; what is sent since the restart was asked for runs', async () => {
    const { server, kernelId } = one;
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    const file = one.gate();
    await die(client, file);
    const held = [client.execute('held = 1', 'cell-h'), client.execute('held = 2', 'cell-i')];
    await taken(client);
    server.hub.restarting(kernelId);
    const since = client.execute('print("since")');
    await taken(client);
    rmSync(file);
    await restart(kernelId);
    server.hub.restarted(kernelId);
    server.hub.restartOver(kernelId);
    for (const request of held) {
      assert.equal((await client.done(request)).content['status'], 'aborted');
    }
    assert.equal((await client.done(since)).content['status'], 'ok');
    assert.equal(client.streamText(since), 'since\n');
    assert.equal(await printed(client, 'print("held" in globals())'), 'False\n');
    for (const cellId of ['cell-h', 'cell-i']) {
      assert.equal((await server.hub.executions(kernelId, { cellId }))[0]?.state, 'aborted');
    }
    assert.deepEqual(client.repeated, []);
    client.drop();
  });
});
