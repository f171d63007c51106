import assert from 'node:assert/strict';
import { TestClient, until } from './clients.ts';
import { startHub } from './hub-server.ts';
import type { HubServer } from './hub-server.ts';
import { pythonOrSkip, startJupyter } from './jupyter-server.ts';
import type { JupyterServer } from './jupyter-server.ts';

const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `line ${n.toString()}\n`).join('');
const printing = (count: number, pauseS: number): string =>
  `import time\nfor n in range(${count.toString()}):\n    print("line", n, flush=True)\n    time.sleep(${pauseS.toString()})`;

describe('the kernel hub with a real Jupyter Server', function () {
  this.timeout(120_000);
  let jupyter: JupyterServer;
  let server: HubServer;
  let kernelId: string;

  before(async function () {
    jupyter = await startJupyter(pythonOrSkip(this));
    server = await startHub(jupyter.upstream);
    kernelId = await jupyter.startKernel();
    await server.hub.sync(await jupyter.kernels());
  });

  after(async () => {
    await (server as HubServer | undefined)?.stop();
    await (jupyter as JupyterServer | undefined)?.stop();
  });

  it('runs a cell for a client of the cursor protocol and acknowledges the request', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    const request = client.execute('print("hello", end="")\n6 * 7');
    const reply = await client.done(request);
    assert.equal(reply.content['status'], 'ok');
    assert.equal(client.streamText(request), 'hello');
    const result = client.answersTo(request).find(({ header }) => header.msg_type === 'execute_result');
    assert.deepEqual(result?.content['data'], { 'text/plain': '42' });
    assert.ok(
      client.controls.some(control => control.type === 'ack' && control.msg_id === request.header.msg_id),
    );
    client.drop();
  });

  it('gives a dropped client what it missed of a printing cell, in order and once', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const request = first.execute(printing(40, 0.05));
    await until('some lines', () => first.streamText(request).includes('line 5\n'));
    first.drop();
    const seen = first.messages.length;
    await until('the drop', () => first.closeCode !== null);
    await new Promise(resolve => setTimeout(resolve, 700));
    const second = new TestClient(server.url(kernelId), { session: first.session, cursor: first.cursor });
    await second.reply(request);
    await until('idle', () => second.answersTo(request).some(m => m.content['execution_state'] === 'idle'));
    assert.equal(first.messages.length, seen);
    assert.equal(first.streamText(request) + second.streamText(request), lines(40));
    assert.deepEqual(
      second.controls.map(({ type }) => type),
      ['hello'],
    );
    second.drop();
  });

  it('tells a client without a memory how its cell stands, by cell id', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const request = first.execute(`${printing(3, 0)}\n"done"`, 'cell-a');
    await first.done(request);
    first.drop();
    const [execution, ...more] = await server.hub.executions(kernelId, { cellId: 'cell-a' });
    assert.equal(more.length, 0);
    assert.equal(execution?.state, 'ok');
    assert.equal(execution.messageId, request.header.msg_id);
    assert.deepEqual(execution.outputs, [
      { output_type: 'stream', name: 'stdout', text: lines(3) },
      {
        output_type: 'execute_result',
        data: { 'text/plain': "'done'" },
        metadata: {},
        execution_count: execution.executionCount,
      },
    ]);
    assert.match(execution.code, /^import time/);
    assert.ok((execution.startedAtMs ?? 0) <= (execution.endedAtMs ?? 0));
  });
});
