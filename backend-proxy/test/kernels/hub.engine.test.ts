import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { makeMessage, TestClient, until } from './clients.ts';
import { startHub } from './hub-server.ts';
import type { HubServer } from './hub-server.ts';
import { pythonOrSkip, startJupyter } from './jupyter-server.ts';
import type { JupyterServer } from './jupyter-server.ts';

const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `line ${n.toString()}\n`).join('');
const printing = (count: number, pauseS: number): string =>
  `import time\nfor n in range(${count.toString()}):\n    print("line", n, flush=True)\n    time.sleep(${pauseS.toString()})`;
/** Python that goes on once a file is there: a cell is under way for as long as a slow machine needs. */
const waiting = (file: string): string =>
  `import os, time\nwhile not os.path.exists(${JSON.stringify(file)}): time.sleep(0.02)`;

describe('the kernel hub with a real Jupyter Server', function () {
  this.timeout(240_000);
  let jupyter: JupyterServer;
  let server: HubServer;
  let kernelId: string;
  let gates = 0;
  let gatesFolder = '';
  /** A file that is not there yet. */
  const gate = (): string => join(gatesFolder, (gates++).toString());

  before(async function () {
    gatesFolder = mkdtempSync(join(tmpdir(), 'hitch-gates-'));
    jupyter = await startJupyter(pythonOrSkip(this));
    server = await startHub(jupyter.upstream);
    kernelId = await jupyter.startKernel();
    await server.hub.sync(await jupyter.kernels());
  });

  after(async () => {
    await (server as HubServer | undefined)?.stop();
    await (jupyter as JupyterServer | undefined)?.stop();
    rmSync(gatesFolder, { recursive: true, force: true });
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
    const file = gate();
    const request = first.execute(`print("begun", flush=True)\n${waiting(file)}\n${printing(40, 0.02)}`);
    await until('some lines', () => first.streamText(request).includes('begun\n'));
    first.drop();
    const seen = first.messages.length;
    await until('the drop', () => first.closeCode !== null);
    writeFileSync(file, '');
    await new Promise(resolve => setTimeout(resolve, 500));
    const second = new TestClient(server.url(kernelId), { session: first.session, cursor: first.cursor });
    await second.reply(request);
    await until('idle', () => second.answersTo(request).some(m => m.content['execution_state'] === 'idle'));
    assert.equal(first.messages.length, seen);
    assert.equal(first.streamText(request) + second.streamText(request), `begun\n${lines(40)}`);
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

  it('greets who comes with whether a cell runs, also after a restart of the hub', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const greeting = async (): Promise<boolean | undefined> => {
      const client = new TestClient(server.url(kernelId));
      const [hello] = await until('hello', () => (client.controls.length > 0 ? client.controls : undefined));
      client.drop();
      return hello?.type === 'hello' ? hello.busy : undefined;
    };
    const file = gate();
    const request = first.execute(waiting(file));
    await until('it runs', () => first.answersTo(request).length > 0);
    assert.equal(await greeting(), true);
    // As a debugger does: the kernel says that it is busy with that and then idle, in the middle of the cell.
    const aside = makeMessage(first.session, 'kernel_info_request', {}, { channel: 'control' });
    first.send(aside);
    await until('an answer aside', () =>
      first.answersTo(aside).some(({ content }) => content['execution_state'] === 'idle'),
    );
    assert.equal(server.hub.kernels().find(({ id }) => id === kernelId)?.state, 'busy');
    assert.equal(await greeting(), true);
    await server.restart();
    await first.closed();
    assert.equal(await greeting(), true);
    writeFileSync(file, '');
    const again = new TestClient(server.url(kernelId), { session: first.session, cursor: first.cursor });
    await again.done(request);
    assert.equal(await greeting(), false);
    again.drop();
  });

  it('publishes to every client, and answers only the one that asked', async () => {
    const asking = new TestClient(server.url(kernelId));
    const watching = new TestClient(server.url(kernelId));
    const stock = new TestClient(server.url(kernelId), { hitch: false });
    await Promise.all([asking.opened, watching.opened, stock.opened]);
    assert.equal(stock.socket.protocol, 'v1.kernel.websocket.jupyter.org');
    const request = asking.execute('print("for all")');
    await asking.done(request);
    for (const other of [watching, stock]) {
      await until('the stream', () => other.streamText(request) === 'for all\n');
      await until('idle', () => other.answersTo(request).some(m => m.content['execution_state'] === 'idle'));
      assert.deepEqual(
        other.answersTo(request).filter(({ channel }) => channel !== 'iopub'),
        [],
      );
    }
    const own = stock.execute('1 + 1');
    assert.equal((await stock.done(own)).content['status'], 'ok');
    assert.equal(
      asking.messages.some(({ header }) => header.session.startsWith('hitch')),
      false,
    );
    [asking, watching, stock].forEach(client => {
      client.drop();
    });
  });

  it('gives a request that is sent again to the kernel once, and acknowledges it again', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    await client.done(client.execute('runs = 0'));
    const request = client.execute('runs += 1; print(runs)');
    client.send(request);
    await client.done(request);
    client.send(request);
    const acks = (): number =>
      client.controls.filter(control => control.type === 'ack' && control.msg_id === request.header.msg_id)
        .length;
    await until('the acknowledgement of the last', () => acks() >= 2);
    const check = client.execute('print(runs)');
    await client.done(check);
    assert.equal(client.streamText(check), '1\n');
    client.drop();
  });

  it('asks the person at the client for input(), also after a drop', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const request = first.execute('print("hello " + input("name? "))');
    const asked = await first.reply(request, 'input_request');
    assert.equal(asked.channel, 'stdin');
    assert.equal(asked.content['prompt'], 'name? ');
    first.drop();
    const second = new TestClient(server.url(kernelId), {
      session: first.session,
      cursor: { epoch: first.epoch, seq: 0 },
    });
    const again = await second.reply(request, 'input_request');
    second.send(
      makeMessage(
        second.session,
        'input_reply',
        { value: 'Ada', status: 'ok' },
        { channel: 'stdin', parent: again },
      ),
    );
    await second.done(request);
    assert.equal(second.streamText(request), 'hello Ada\n');
    second.drop();
  });

  it('asks the page that comes in the place of the one that was asked, and takes its answer', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const request = first.execute('print("hello", input("who? "))');
    await first.reply(request, 'input_request');
    const onlooker = new TestClient(server.url(kernelId));
    await onlooker.opened;
    first.drop();
    await until('the drop', () => first.closeCode !== null);
    const reloaded = new TestClient(server.url(kernelId));
    const prompt = await reloaded.reply(request, 'input_request');
    assert.equal(prompt.content['prompt'], 'who? ');
    reloaded.send(
      makeMessage(
        reloaded.session,
        'input_reply',
        { value: 'me', status: 'ok' },
        { channel: 'stdin', parent: prompt },
      ),
    );
    await reloaded.done(request);
    assert.equal(reloaded.streamText(request), 'hello me\n');
    assert.deepEqual(reloaded.repeated, []);
    assert.ok(
      onlooker.answersTo(request).every(({ channel }) => channel === 'iopub'),
      'who was there before the page went is not asked',
    );
    const later = new TestClient(server.url(kernelId));
    await later.opened;
    await later.done(later.execute('1'));
    assert.ok(later.messages.every(({ header }) => header.msg_type !== 'input_request'));
    for (const client of [onlooker, reloaded, later]) {
      client.drop();
    }
  });

  it('stops a cell by an interrupt and says error in its execution', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    const request = client.execute('import time\nprint("going", flush=True)\ntime.sleep(60)', 'cell-i');
    await until('it runs', () => client.streamText(request) === 'going\n');
    assert.equal((await server.hub.executions(kernelId, { cellId: 'cell-i' }))[0]?.state, 'running');
    const queued = client.execute('1', 'cell-q');
    await until('it is queued', () =>
      client.controls.some(c => c.type === 'ack' && c.msg_id === queued.header.msg_id),
    );
    assert.equal((await server.hub.executions(kernelId, { cellId: 'cell-q' }))[0]?.state, 'queued');
    await jupyter.post(`/api/kernels/${kernelId}/interrupt`);
    const reply = await client.done(request);
    assert.equal(reply.content['status'], 'error');
    await client.reply(queued);
    const [execution] = await server.hub.executions(kernelId, { cellId: 'cell-i' });
    assert.equal(execution?.state, 'error');
    assert.equal(execution.outputs.at(-1)?.['ename'], 'KeyboardInterrupt');
    assert.equal((await server.hub.executions(kernelId, { cellId: 'cell-q' }))[0]?.state, 'aborted');
    client.drop();
  });

  it('folds displays, their updates from other cells, and clears, as a notebook would', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    const code = [
      'from IPython.display import display, clear_output, update_display, HTML',
      'print("gone")',
      'clear_output(wait=True)',
      'print("a\\rb", end="")',
      'print("c")',
      '_ = display(HTML("first"), display_id="d1")',
    ].join('\n');
    await client.done(client.execute(code, 'cell-d'));
    await client.done(client.execute('update_display(HTML("second"), display_id="d1")', 'cell-u'));
    const [execution] = await server.hub.executions(kernelId, { cellId: 'cell-d' });
    assert.deepEqual(
      execution?.outputs.map(output => output['text'] ?? output['data']),
      ['a\rbc\n', { 'text/plain': '<IPython.core.display.HTML object>', 'text/html': 'second' }],
    );
    const [update] = await server.hub.executions(kernelId, { cellId: 'cell-u' });
    assert.deepEqual(update?.outputs, []);
    client.drop();
  });

  it('carries 100 MB of output whole, to a client that never breaks and one that is dropped again and again', async () => {
    const steady = new TestClient(server.url(kernelId));
    await steady.opened;
    const code = 'import sys\nfor n in range(1000):\n    sys.stdout.write(f"{n:06d}" + "x" * 99_993 + "\\n")';
    const request = steady.execute(code, 'cell-big');
    let dropped = new TestClient(server.url(kernelId), {
      session: steady.session,
      cursor: { epoch: (await server.hub.cursor(kernelId)).epoch, seq: 0 },
    });
    const pieces: string[] = [];
    for (let round = 0; round < 5; round++) {
      await new Promise(resolve => setTimeout(resolve, 100));
      dropped.drop();
      pieces.push(dropped.streamText(request));
      const cursor =
        dropped.epoch === '' ? { epoch: (await server.hub.cursor(kernelId)).epoch, seq: 0 } : dropped.cursor;
      dropped = new TestClient(server.url(kernelId), { session: steady.session, cursor });
    }
    await steady.done(request);
    const text = steady.streamText(request);
    assert.deepEqual(steady.repeated, []);
    assert.equal(text.length, 100_000_000);
    assert.ok(
      text.split('\n').every((line, n) => n === 1000 || line.startsWith(n.toString().padStart(6, '0'))),
    );
    await dropped.done(request);
    pieces.push(dropped.streamText(request));
    assert.equal(pieces.join('').length, text.length);
    assert.ok(pieces.join('') === text);
    const [execution] = await server.hub.executions(kernelId, { cellId: 'cell-big' });
    const [output] = execution?.outputs ?? [];
    assert.equal((execution?.droppedBytes ?? 0) + String(output?.['text']).length, text.length);
    steady.drop();
    dropped.drop();
  });

  it('carries 5,000 short messages whole', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    const request = client.execute('for n in range(5000):\n    print(n, flush=True)');
    await client.done(request);
    const expected = Array.from({ length: 5_000 }, (_, n) => `${n.toString()}\n`).join('');
    assert.ok(
      client.streamText(request) === expected,
      `${client.streamText(request).length.toString()} of ${expected.length.toString()}`,
    );
    client.drop();
  });

  it('keeps a slow client on the disk and not in memory', async () => {
    const slow = new TestClient(server.url(kernelId));
    const fast = new TestClient(server.url(kernelId));
    await Promise.all([slow.opened, fast.opened]);
    slow.socket.pause();
    const request = fast.execute(
      'import sys\nfor n in range(100):\n    sys.stdout.write("y" * 1_000_000); sys.stdout.flush()',
    );
    await fast.done(request);
    fast.messages.length = 0;
    fast.drop();
    assert.ok(
      server.bufferedBytes() < 24 * 1024 * 1024,
      `${server.bufferedBytes().toString()} bytes wait in memory`,
    );
    slow.socket.resume();
    await until('the slow one to have it all', () =>
      slow.answersTo(request).some(m => m.content['execution_state'] === 'idle'),
    );
    assert.equal(slow.streamText(request).length, 100_000_000);
    slow.drop();
  });

  it('goes on after a restart of the hub in the middle of a cell, with journal and executions rebuilt', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const file = gate();
    const request = first.execute(
      `print("begun")\n${printing(30, 0.02)}\n${waiting(file)}\n${printing(30, 0.02)}`,
      'cell-r',
    );
    await until('some lines', () => first.streamText(request).includes('line 8\n'));
    await server.restart();
    assert.equal(await first.closed(), 1012);
    writeFileSync(file, '');
    const second = new TestClient(server.url(kernelId), { session: first.session, cursor: first.cursor });
    await second.done(request);
    const printed = `begun\n${lines(30)}${lines(30)}`;
    assert.equal(first.streamText(request) + second.streamText(request), printed);
    assert.equal(second.epoch, first.epoch);
    const [execution] = await server.hub.executions(kernelId, { cellId: 'cell-r' });
    assert.equal(execution?.state, 'ok');
    assert.equal(execution.outputs[0]?.['text'], printed);
    second.send(request);
    await until('the repeated request is known', () => second.controls.some(c => c.type === 'ack'));
    second.drop();
  });

  it('marks a cell as lost, and tells its client, when its end was said while no hub listened', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const file = gate();
    const request = first.execute(waiting(file), 'cell-l');
    await until('busy', () => first.answersTo(request).length > 0);
    await server.hub.close();
    // Another listener takes what Jupyter Server kept for the hub, as a crash of the server's buffer would lose it.
    const thief = new TestClient(query => jupyter.socketUrl(kernelId, query), {
      hitch: false,
      session: `hitch-${kernelId}`,
      headers: { authorization: jupyter.upstream.authorization },
    });
    await thief.opened;
    writeFileSync(file, '');
    await until('the end of the cell', () =>
      thief.answersTo(request).some(({ content }) => content['execution_state'] === 'idle'),
    );
    await thief.reply(request);
    thief.socket.send('hitch-have 1000000000');
    thief.socket.close();
    await thief.closed();
    await server.restart();
    const second = new TestClient(server.url(kernelId), { session: first.session, cursor: first.cursor });
    const reply = await second.done(request);
    assert.equal(reply.content['ename'], 'HitchExecutionLost');
    assert.match(second.streamText(request, 'stderr'), /end of this execution was lost/);
    assert.equal((await server.hub.executions(kernelId, { cellId: 'cell-l' }))[0]?.state, 'lost');
    assert.equal((await second.done(second.execute('1'))).content['status'], 'ok');
    second.drop();
  });

  it('continues the journal over a restart of the kernel and aborts what had not ended', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    const before = await server.hub.cursor(kernelId);
    const request = client.execute('kept = 1\nimport time; time.sleep(60)', 'cell-k');
    await until('busy', () => client.answersTo(request).length > 0);
    assert.equal(await jupyter.post(`/api/kernels/${kernelId}/restart`), 200);
    server.hub.restarted(kernelId);
    const check = client.execute('"kept" in globals()');
    assert.equal((await client.done(check)).content['status'], 'ok');
    const result = client.answersTo(check).find(({ header }) => header.msg_type === 'execute_result');
    assert.deepEqual(result?.content['data'], { 'text/plain': 'False' });
    const [execution] = await server.hub.executions(kernelId, { cellId: 'cell-k' });
    // Jupyter interrupts before it restarts: a process that is quick says itself how the cell ended.
    assert.ok(execution?.state === 'aborted' || execution?.state === 'error', execution?.state);
    const after = await server.hub.cursor(kernelId);
    assert.equal(after.epoch, before.epoch);
    assert.ok(after.lastSeq > before.lastSeq);
    client.drop();
  });

  it('says that a kernel died, loses its cells, and serves the next process under the same id', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    const request = client.execute(
      'import os, signal\nprint("bye", flush=True)\nimport time; time.sleep(0.5)\nos.kill(os.getpid(), signal.SIGKILL)',
      'cell-x',
    );
    await until(
      'the restart',
      () => client.messages.find(m => m.content['execution_state'] === 'restarting'),
      90,
    );
    await until('lost', () => client.streamText(request) === 'bye\n');
    const [execution] = await server.hub.executions(kernelId, { cellId: 'cell-x' });
    assert.equal(execution?.state, 'lost');
    assert.equal(execution.outputs[0]?.['text'], 'bye\n');
    const check = client.execute('2 + 2');
    assert.equal((await client.done(check)).content['status'], 'ok');
    client.drop();
  });

  it('closes with 4404 for a kernel that is shut down or never was, and still tells its executions', async () => {
    const id = await jupyter.startKernel();
    await server.hub.sync(await jupyter.kernels());
    const client = new TestClient(server.url(id));
    await client.opened;
    await client.done(client.execute('print("last words")', 'cell-z'));
    await jupyter.remove(`/api/kernels/${id}`);
    await server.hub.sync(await jupyter.kernels());
    assert.equal(await client.closed(), 4404);
    const late = new TestClient(server.url(id));
    assert.equal(await late.closed(), 4404);
    const never = new TestClient(server.url('00000000-0000-0000-0000-000000000000'));
    assert.equal(await never.closed(), 4404);
    const [execution] = await server.hub.executions(id, { cellId: 'cell-z' });
    assert.equal(execution?.outputs[0]?.['text'], 'last words\n');
    await server.restart();
    assert.equal((await server.hub.executions(id))[0]?.state, 'ok');
    await assert.rejects(server.hub.executions('nobody-here'), /There is no kernel/);
    await server.hub.sync(await jupyter.kernels());
  });

  it('refuses rubbish from a client, and clients that speak no v1, and lives on', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    client.socket.send(Buffer.from('rubbish'));
    assert.equal(await client.closed(), 4400);
    const legacy = new WebSocket(server.url(kernelId)('session_id=x'));
    const status = await new Promise(resolve => {
      legacy.on('error', () => undefined);
      legacy.on('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode);
      });
    });
    assert.equal(status, 400);
    const badCursor = new WebSocket(server.url(kernelId)('session_id=x&cursor=../1'), [
      'v1.kernel.websocket.hitch',
    ]);
    assert.match(
      await new Promise<string>(resolve =>
        badCursor.on('error', error => {
          resolve(error.message);
        }),
      ),
      /400/,
    );
    const next = new TestClient(server.url(kernelId));
    await next.opened;
    assert.equal((await next.done(next.execute('1'))).content['status'], 'ok');
    next.drop();
  });
});
