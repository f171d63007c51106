/** An agent that stands still for so long that Jupyter Server gives its socket up. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { TestClient, until } from './clients.ts';
import { lines, printing } from './one-kernel.ts';
import { type JupyterServer, pythonOrSkip, startJupyter } from './jupyter-server.ts';

const LINES = 100;

describe('a kernel’s socket whose agent stands still', function () {
  this.timeout(240_000);
  let jupyter: JupyterServer;

  before(async function () {
    jupyter = await startJupyter(pythonOrSkip(this), { givesUpAfterMs: 3_000 });
  });

  after(() => (jupyter as JupyterServer | undefined)?.stop());

  it('has everything for the next one, also what came while the close was under way', async () => {
    const id = await jupyter.startKernel();
    const open = () =>
      new TestClient(query => jupyter.socketUrl(id, query), {
        hitch: false,
        session: `hitch-${id}`,
        headers: { authorization: jupyter.upstream.authorization },
      });
    const first = open();
    await first.opened;
    await first.reply(first.execute('pass'));
    const request = first.execute(printing(LINES, 0.2));
    await until('some lines', () => first.streamText(request).includes('line 3\n'));
    first.socket.pause();
    // Until all is printed: the server gives the socket up in the middle of it.
    while ((await jupyter.kernels())[0]?.execution_state !== 'idle') {
      await delay(200);
    }
    first.drop();
    const next = open();
    await next.done(request);
    assert.equal(next.streamText(request), lines(LINES));
    next.drop();
  });
});
