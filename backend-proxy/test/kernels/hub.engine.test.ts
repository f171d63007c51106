import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import WebSocket from 'ws';
import { makeMessage, TestClient, until } from './clients.ts';
import { lines, OneKernel, printing, waiting } from './one-kernel.ts';

describe('the kernel hub with a real Jupyter Server', function () {
  this.timeout(240_000);
  let one: OneKernel;
  let jupyter: OneKernel['jupyter'];
  let server: OneKernel['server'];
  let kernelId: string;

  before(async function () {
    one = await OneKernel.start(this);
    ({ jupyter, server, kernelId } = one);
  });

  after(() => (one as OneKernel | undefined)?.stop());

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
    const file = one.gate();
    const code = `print("begun", flush=True)\n${waiting(file)}\n${printing(40, 0.02)}`;
    const request = first.execute(code, 'cell-missed');
    await until('some lines', () => first.streamText(request).includes('begun\n'));
    first.drop();
    const seen = first.messages.length;
    await until('the drop', () => first.closeCode !== null);
    writeFileSync(file, '');
    // Some of it has been printed while nobody listened, whether or not all of it has.
    const hasPrinted = async (): Promise<boolean> => {
      const [execution] = await server.hub.executions(kernelId, { cellId: 'cell-missed' });
      return JSON.stringify(execution?.outputs ?? []).includes('line 5');
    };
    while (!(await hasPrinted())) {
      await new Promise(resolve => setTimeout(resolve, 20));
    }
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
    const file = one.gate();
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

  it('leaves what a thread prints to its cell, whatever a page asks and also after a restart of the hub', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const [go, end] = [one.gate(), one.gate()];
    const work = `${waiting(go)}\n${printing(3, 0.01)}\n${waiting(end)}\nprint("the end", flush=True)`;
    const code = `import threading\ndef work():\n${work.replace(/^/gm, '    ')}\nthreading.Thread(target=work).start()`;
    const request = first.execute(code);
    await first.done(request);
    const second = new TestClient(server.url(kernelId));
    await second.opened;
    for (const type of ['kernel_info_request', 'comm_info_request'] as const) {
      const asked = makeMessage(second.session, type, {});
      second.send(asked);
      await second.reply(asked, type.replace('request', 'reply'));
    }
    writeFileSync(go, '');
    await until('the lines', () => second.streamText(request) === lines(3));
    await server.restart();
    await server.hub.sync(await jupyter.kernels());
    const third = new TestClient(server.url(kernelId));
    await third.opened;
    const asked = makeMessage(third.session, 'kernel_info_request', {});
    third.send(asked);
    await third.reply(asked, 'kernel_info_reply');
    writeFileSync(end, '');
    await until('the end', () => third.streamText(request) === 'the end\n');
    const [execution] = await server.hub.executions(kernelId, { messageId: request.header.msg_id });
    assert.deepEqual(
      execution?.outputs.map(({ text }) => text),
      [`${lines(3)}the end\n`],
    );
    [first, second, third].forEach(client => client.drop());
  });

  it('speaks Jupyter’s first format to a client that offers no other', async () => {
    const socket = new WebSocket(server.url(kernelId)('session_id=first-format'));
    const messages: {
      channel: string;
      msg_type: string;
      parent_header: { msg_id?: string };
      content: object;
    }[] = [];
    socket.on('message', (data, isBinary) => {
      assert.ok(Buffer.isBuffer(data) && !isBinary);
      messages.push(JSON.parse(data.toString('utf8')) as (typeof messages)[number]);
    });
    await new Promise(resolve => socket.once('open', resolve));
    assert.equal(socket.protocol, '');
    const header = {
      msg_id: 'first-1',
      msg_type: 'execute_request',
      session: 'first-format',
      version: '5.3',
    };
    const content = { code: 'print(6 * 7)', silent: false, store_history: true, allow_stdin: false };
    socket.send(
      JSON.stringify({ channel: 'shell', header, parent_header: {}, metadata: {}, content, buffers: [] }),
    );
    const ours = () => messages.filter(({ parent_header: { msg_id: id } }) => id === 'first-1');
    await until('its reply', () => ours().some(({ msg_type: type }) => type === 'execute_reply'));
    const streams = ours().filter(({ msg_type: type }) => type === 'stream');
    assert.deepEqual(
      streams.map(({ channel, content: said }) => ({ channel, said })),
      [{ channel: 'iopub', said: { name: 'stdout', text: '42\n' } }],
    );
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.send('{"channel":"shell"}');
    assert.equal(await closed, 4400);
  });

  it('refuses rubbish from a client, and lives on', async () => {
    const client = new TestClient(server.url(kernelId));
    await client.opened;
    client.socket.send(Buffer.from('rubbish'));
    assert.equal(await client.closed(), 4400);
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
