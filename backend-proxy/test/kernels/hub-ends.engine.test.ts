/** Much output, slow clients, and what ends: hubs, kernels and their processes. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestClient, until } from './clients.ts';
import { startHub } from './hub-server.ts';
import { lines, OneKernel, printing, waiting } from './one-kernel.ts';

describe('the kernel hub when there is much to carry, and when something ends', function () {
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

  it('carries 100 MB of output whole, to a client that never breaks and one that is dropped again and again', async () => {
    const steady = new TestClient(server.url(kernelId));
    await steady.opened;
    const { epoch, lastSeq } = await server.hub.cursor(kernelId);
    const dropped = new TestClient(server.url(kernelId), {
      session: steady.session,
      cursor: { epoch, seq: lastSeq },
    });
    // In a thousand messages at first, and in one long one in the end.
    const code =
      'import sys\nfor n in range(1000):\n    sys.stdout.write(f"{n:06d}" + "x" * 99_993 + "\\n")\n    if n < 900: sys.stdout.flush()';
    const request = steady.execute(code, 'cell-big');
    for (let round = 1; round <= 5; round++) {
      await dropped.awaits('some more of it', () => dropped.receivedBytes >= round * 10_000_000);
      dropped.comeBack();
      // Once more, before it was told anything.
      dropped.comeBack();
    }
    await steady.done(request);
    const text = steady.streamText(request);
    assert.equal(text.length, 100_000_000);
    assert.ok(
      text.split('\n').every((line, n) => n === 1000 || line.startsWith(n.toString().padStart(6, '0'))),
    );
    // Its reply may have come before a break: an answer does not wait for what the kernel still prints.
    await dropped.done(request);
    assert.ok(dropped.streamText(request) === text);
    assert.deepEqual([steady.repeated, dropped.repeated], [[], []]);
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
    await slow.awaits('the slow one to have it all', () =>
      slow.answersTo(request).some(m => m.content['execution_state'] === 'idle'),
    );
    assert.equal(slow.streamText(request).length, 100_000_000);
    slow.drop();
  });

  it('goes on after a restart of the hub in the middle of a cell, with journal and executions rebuilt', async () => {
    const first = new TestClient(server.url(kernelId));
    await first.opened;
    const file = one.gate();
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
    const file = one.gate();
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
    // Asked while there is no process: it waits for the next one.
    const next = client.execute('print("next")');
    assert.equal((await client.done(next)).content['status'], 'ok');
    assert.equal(client.streamText(next), 'next\n');
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

  it('hostile: keeps so many bytes of ended kernels, and says of an older one that it has gone', async () => {
    const other = await startHub(jupyter.upstream, { maxBytesEnded: 300_000 });
    try {
      const ended: string[] = [];
      for (let round = 0; round < 3; round++) {
        const id = await jupyter.startKernel();
        await other.hub.sync(await jupyter.kernels());
        const client = new TestClient(other.url(id));
        await client.opened;
        await client.done(client.execute(`print('x' * 200_000)`));
        client.drop();
        await jupyter.remove(`/api/kernels/${id}`);
        await other.hub.sync(await jupyter.kernels());
        ended.push(id);
      }
      const [first = '', , last = ''] = ended;
      await until('the oldest has gone', () => existsSync(join(other.folder, 'dropped.json')));
      await assert.rejects(
        other.hub.executions(first),
        /The \d+ kB that kernel .* left are no longer kept: .*the oldest\./,
      );
      const [execution] = await other.hub.executions(last);
      assert.equal(String(execution?.outputs[0]?.['text']).length, 200_001);
    } finally {
      await other.stop();
    }
  });
});
