import assert from 'node:assert/strict';
import type { NotebookOutput } from '@hitch/contract';
import { KernelLostError } from '../../src/cli/notebook/errors.ts';
import { parseNotebook } from '../../src/cli/notebook/format.ts';
import { KernelClient, type ExecuteRequest } from '../../src/cli/notebook/kernel-client.ts';
import { runNotebook } from '../../src/cli/notebook/run-notebook.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { createIds, seededRandom } from '@hitch/platform/src/random.ts';
import { FakeKernel, type Script } from './fake-kernel.ts';

function clientOf(kernel: FakeKernel, clock = new VirtualClock()) {
  const notices: string[] = [];
  const client = new KernelClient({
    channel: kernel,
    clock,
    ids: createIds(clock, seededRandom(1)),
    interrupt: async () => {
      kernel.interrupts += 1;
      kernel.onInterrupt(kernel);
    },
    notice: sentence => notices.push(sentence),
  });
  return { client, clock, notices };
}

const request = (more: Partial<ExecuteRequest> = {}): ExecuteRequest => ({
  code: 'x',
  cellId: 'c1',
  timeoutMs: null,
  ...more,
});

describe('the kernel client', () => {
  it('sends the cell id, and puts the outputs together as a notebook holds them', async () => {
    const kernel = new FakeKernel((k, message) => {
      k.print(message, 'a');
      k.print(message, 'b\n');
      k.print(message, 'warned\n', 'stderr');
      k.say(
        'iopub',
        'display_data',
        { data: { 'text/plain': 'old' }, metadata: {}, transient: { display_id: 'd' } },
        message,
      );
      k.say(
        'iopub',
        'update_display_data',
        { data: { 'text/plain': 'new' }, metadata: {}, transient: { display_id: 'd' } },
        message,
      );
      k.say(
        'iopub',
        'execute_result',
        { data: { 'text/plain': '42' }, metadata: {}, execution_count: 3 },
        message,
      );
      k.ok(message, 3);
    });
    const streamed: string[] = [];
    const shown: NotebookOutput[] = [];
    const result = await clientOf(kernel).client.execute(
      request({
        stream: (name, text) => streamed.push(`${name}:${text}`),
        output: output => shown.push(output),
      }),
    );
    assert.equal(kernel.sent[0]?.metadata['cellId'], 'c1');
    assert.equal(kernel.sent[0]?.content['allow_stdin'], false);
    assert.deepEqual(streamed, ['stdout:a', 'stdout:b\n', 'stderr:warned\n']);
    assert.deepEqual(
      shown.map(output => output.output_type),
      ['display_data', 'execute_result'],
    );
    assert.equal(result.status, 'ok');
    assert.equal(result.executionCount, 3);
    assert.deepEqual(result.outputs, [
      { output_type: 'stream', name: 'stdout', text: 'ab\n' },
      { output_type: 'stream', name: 'stderr', text: 'warned\n' },
      { output_type: 'display_data', data: { 'text/plain': 'new' }, metadata: {} },
      { output_type: 'execute_result', data: { 'text/plain': '42' }, metadata: {}, execution_count: 3 },
    ]);
  });

  it('waits for the output that comes after the reply, and passes over what is not its own', async () => {
    const kernel = new FakeKernel((k, message) => {
      k.reply(message, { status: 'ok', execution_count: 1 });
      k.say('iopub', 'stream', { name: 'stdout', text: 'another cell' });
      k.print(message, 'late\n');
      k.idle(message);
    });
    const { outputs } = await clientOf(kernel).client.execute(request());
    assert.deepEqual(outputs, [{ output_type: 'stream', name: 'stdout', text: 'late\n' }]);
  });

  it('waits for output that comes long after the reply', async () => {
    const kernel = new FakeKernel((k, message) => k.reply(message, { status: 'ok', execution_count: 1 }));
    const { client, clock, notices } = clientOf(kernel);
    const running = client.execute(request());
    await new Promise(resolve => setImmediate(resolve));
    // Asked whether there is more, it is busy with that still; other messages come meanwhile.
    for (const text of ['another cell', 'and more of it']) {
      assert.ok(clock.step());
      kernel.say('iopub', 'stream', { name: 'stdout', text });
    }
    const [message] = kernel.sent;
    assert.ok(message);
    kernel.print(message, 'late\n');
    kernel.idle(message);
    const { outputs, lostBytes } = await running;
    assert.deepEqual(outputs, [{ output_type: 'stream', name: 'stdout', text: 'late\n' }]);
    assert.equal(lostBytes, null);
    assert.deepEqual(notices, []);
    assert.equal(clock.step(), false, 'nothing waits any longer');
  });

  it('ends without idle when the kernel says it of a later question', async () => {
    const kernel = new FakeKernel((k, message) => k.reply(message, { status: 'ok', execution_count: 1 }));
    kernel.onInfo = (k, question) => k.idle(question);
    const { client, clock, notices } = clientOf(kernel);
    const running = client.execute(request());
    await new Promise(resolve => setImmediate(resolve));
    assert.ok(clock.step());
    const { status, lostBytes } = await running;
    assert.deepEqual([status, lostBytes, notices], ['ok', null, []]);
  });

  it('ends by the reply alone when nothing comes any more, and says that output may be missing', async () => {
    const kernel = new FakeKernel((k, message) => k.reply(message, { status: 'ok', execution_count: 1 }));
    const { client, clock } = clientOf(kernel);
    const running = client.execute(request());
    await new Promise(resolve => setImmediate(resolve));
    // It is asked, answers by the other way, and is silent.
    assert.ok(clock.step());
    await new Promise(resolve => setImmediate(resolve));
    assert.ok(clock.step());
    assert.ok(clock.step());
    const { status, lostBytes, outputs } = await running;
    assert.deepEqual([status, lostBytes], ['ok', 0]);
    assert.match(String(outputs[0]?.['text']), /^\[Hitch\] .* what it printed last may be missing here\.\n$/);
  });

  it('interrupts at the time limit, keeps what was printed, and says that the time was up', async () => {
    const kernel = new FakeKernel((k, message) => k.print(message, 'so far\n'));
    kernel.onInterrupt = k => {
      const [message] = k.sent;
      assert.ok(message);
      k.fail(message, 'KeyboardInterrupt', '');
    };
    const { client, clock } = clientOf(kernel);
    const running = client.execute(request({ timeoutMs: 5000 }));
    await new Promise(resolve => setImmediate(resolve));
    clock.step();
    const result = await running;
    assert.equal(result.timedOut, true);
    assert.equal(result.outputs[0]?.['text'], 'so far\n');
  });

  it('counts a cell’s time from when the kernel begins it, not while that still starts', async () => {
    const kernel = new FakeKernel(() => undefined);
    const clock = new VirtualClock();
    const { client } = clientOf(kernel, clock);
    const running = client.execute(request({ timeoutMs: 5000 }));
    const begunAtMs = clock.now() + 60_000;
    clock.setTimer(() => {
      const [message] = kernel.sent;
      assert.ok(message);
      kernel.onInterrupt = k => k.fail(message, 'KeyboardInterrupt', '');
      kernel.say('iopub', 'status', { execution_state: 'busy' }, message);
    }, 60_000);
    assert.ok(clock.step());
    assert.equal(kernel.interrupts, 0);
    await new Promise(resolve => setImmediate(resolve));
    assert.ok(clock.step());
    assert.equal((await running).timedOut, true);
    assert.equal(clock.now(), begunAtMs + 5_000);
  });

  it('interrupts again what had not begun when it was first told to', async () => {
    const kernel = new FakeKernel(() => undefined);
    const { client } = clientOf(kernel);
    const controller = new AbortController();
    const running = client.execute(request({ signal: controller.signal }));
    controller.abort();
    assert.equal(kernel.interrupts, 1);
    const [message] = kernel.sent;
    assert.ok(message);
    kernel.onInterrupt = k => k.fail(message, 'KeyboardInterrupt', '');
    kernel.say('iopub', 'status', { execution_state: 'busy' }, message);
    assert.equal((await running).errorName, 'KeyboardInterrupt');
    assert.equal(kernel.interrupts, 2);
  });

  it('interrupts when it is told to, and gives up on a kernel that does not react', async () => {
    const kernel = new FakeKernel(() => undefined);
    const { client, clock } = clientOf(kernel);
    const controller = new AbortController();
    const running = client.execute(request({ signal: controller.signal }));
    controller.abort();
    assert.equal(kernel.interrupts, 1);
    clock.step();
    await assert.rejects(running, /did not react to the interrupt/);
  });

  it('says so when the kernel dies or the way to it ends for good', async () => {
    for (const end of [
      (k: FakeKernel) => k.say('iopub', 'status', { execution_state: 'dead' }),
      (k: FakeKernel) => k.events.ended('The kernel does not exist any more.'),
    ]) {
      const kernel = new FakeKernel(k => end(k));
      const { client } = clientOf(kernel);
      await assert.rejects(client.execute(request()), KernelLostError);
      await assert.rejects(client.execute(request()), KernelLostError, 'also for the next cell');
    }
  });

  it('answers input() where somebody is there to ask', async () => {
    const kernel = new FakeKernel((k, message) => {
      if (message.header.msg_type === 'execute_request') {
        k.say('stdin', 'input_request', { prompt: 'name? ', password: false }, message);
      } else {
        const [asked] = k.sent;
        assert.ok(asked);
        k.print(asked, `hello ${String(message.content['value'])}\n`);
        k.ok(asked);
      }
    });
    const result = await clientOf(kernel).client.execute(request({ input: async prompt => `${prompt}Ada` }));
    assert.equal(kernel.sent[0]?.content['allow_stdin'], true);
    assert.equal(kernel.sent[1]?.channel, 'stdin');
    assert.equal(result.outputs[0]?.['text'], 'hello name? Ada\n');
  });
});

describe('running a notebook', () => {
  const cells = (...sources: (string | [string, string[]])[]) =>
    parseNotebook(
      'n.ipynb',
      JSON.stringify({
        nbformat: 4,
        nbformat_minor: 5,
        metadata: {},
        cells: [
          { cell_type: 'markdown', id: 'm', metadata: {}, source: '# title' },
          ...sources.map((source, index) => ({
            cell_type: 'code',
            id: `c${index}`,
            metadata: typeof source === 'string' ? {} : { tags: source[1] },
            source: typeof source === 'string' ? source : source[0],
            outputs: [{ output_type: 'stream', name: 'stdout', text: 'of the last run' }],
            execution_count: 9,
          })),
        ],
      }),
    );

  const script: Script = (kernel, message) => {
    const code = String(message.content['code']);
    if (code.startsWith('fail')) kernel.fail(message, 'ValueError', code);
    else {
      kernel.print(message, `${code}\n`);
      kernel.ok(message);
    }
  };
  const options = { cellTimeoutMs: null, allowErrors: false };

  it('runs code cells in order, skips empty ones, and replaces old outputs', async () => {
    const kernel = new FakeKernel(script);
    const saved: number[] = [];
    const { notebook, cellsRun, failed } = await runNotebook(cells('one', '  \n', 'two'), {
      ...options,
      kernel: clientOf(kernel).client,
      changed: now => saved.push(now.cells.filter(({ outputs }) => (outputs?.length ?? 0) > 0).length),
    });
    assert.deepEqual(
      kernel.sent.map(({ metadata, content }) => [metadata['cellId'], content['code']]),
      [
        ['c0', 'one'],
        ['c2', 'two'],
      ],
    );
    assert.equal(cellsRun, 2);
    assert.equal(failed, null);
    assert.deepEqual(saved, [1, 2], 'after each cell');
    assert.deepEqual(
      notebook.cells.map(({ outputs }) => outputs?.[0]?.['text']),
      [undefined, 'one\n', undefined, 'two\n'],
    );
    assert.deepEqual(notebook.cells[2]?.execution_count, null);
  });

  it('stops at the first cell that fails, with a sentence, and keeps the rest without outputs', async () => {
    const kernel = new FakeKernel(script);
    const { failed, cellsRun, notebook } = await runNotebook(cells('one', 'fail now', 'three'), {
      ...options,
      kernel: clientOf(kernel).client,
    });
    assert.equal(cellsRun, 2);
    assert.equal(failed?.place.number, 2);
    assert.equal(failed.sentence, 'failed with ValueError: fail now');
    assert.equal(notebook.cells[2]?.outputs?.[0]?.output_type, 'error');
    assert.deepEqual(notebook.cells[3]?.outputs, []);
  });

  it('goes on after a cell that may fail, and after every cell when asked', async () => {
    const tagged = await runNotebook(cells(['fail here', ['raises-exception']], 'two'), {
      ...options,
      kernel: clientOf(new FakeKernel(script)).client,
    });
    assert.equal(tagged.failed, null);
    const allowed = await runNotebook(cells('fail', 'two'), {
      ...options,
      allowErrors: true,
      kernel: clientOf(new FakeKernel(script)).client,
    });
    assert.equal(allowed.cellsRun, 2);
  });

  it('leaves out a cell that is tagged so, with what it has shown', async () => {
    const kernel = new FakeKernel(script);
    const { notebook, cellsRun } = await runNotebook(cells('one', ['fail', ['skip-execution']]), {
      ...options,
      kernel: clientOf(kernel).client,
    });
    assert.equal(cellsRun, 1);
    assert.equal(notebook.cells[2]?.outputs?.[0]?.['text'], 'of the last run');
    assert.equal(notebook.cells[2]['execution_count'], 9);
  });

  it('starts no further cell after an interrupt', async () => {
    const controller = new AbortController();
    const kernel = new FakeKernel((k, message) => {
      controller.abort();
      k.ok(message);
    });
    const { cellsRun } = await runNotebook(cells('one', 'two'), {
      ...options,
      signal: controller.signal,
      kernel: clientOf(kernel).client,
    });
    assert.equal(cellsRun, 1);
  });
});
