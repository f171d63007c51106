import assert from 'node:assert/strict';
import { TestClient, until } from './clients.ts';
import { type HubServer, startHub } from './hub-server.ts';
import { type AFTER_DEATH, type JupyterServer, pythonOrSkip, startJupyter } from './jupyter-server.ts';

const DIE = 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)';

for (const afterDeath of ['on other ports', 'heard late'] as const satisfies (keyof typeof AFTER_DEATH)[]) {
  describe(`the next process of a kernel that died, ${afterDeath}`, function () {
    this.timeout(240_000);
    let jupyter: JupyterServer;
    let server: HubServer;

    before(async function () {
      jupyter = await startJupyter(pythonOrSkip(this), { afterDeath });
      server = await startHub(jupyter.upstream);
    });

    after(async () => {
      await (server as HubServer | undefined)?.stop();
      await (jupyter as JupyterServer | undefined)?.stop();
    });

    const restarts = (client: TestClient): number =>
      client.messages.filter(({ content }) => content['execution_state'] === 'restarting').length;

    it('runs each cell that was sent since the death was said, and all of its output comes', async () => {
      const kernelId = await jupyter.startKernel();
      await server.hub.sync(await jupyter.kernels());
      const client = new TestClient(server.url(kernelId));
      await client.opened;
      for (let death = 1; death <= 2; death++) {
        client.execute(DIE);
        await until('it is said', () => restarts(client) === death, 120);
        const [first, second] = [client.execute('print("one")'), client.execute('print("two")')];
        assert.equal((await client.done(first)).content['status'], 'ok');
        assert.equal((await client.done(second)).content['status'], 'ok');
        assert.equal(client.streamText(first) + client.streamText(second), 'one\ntwo\n');
        await until('it is idle', () => server.hub.kernels()[0]?.state === 'idle');
      }
      assert.deepEqual(client.repeated, []);
      client.drop();
    });
  });
}
