import assert from 'node:assert/strict';
import { decodeMessage, type KernelMessage, noticeFrame } from '@hitch/contract';
import { parseNotebook } from '../../src/cli/notebook/format.ts';
import { KernelClient } from '../../src/cli/notebook/kernel-client.ts';
import { runNotebook } from '../../src/cli/notebook/run-notebook.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { createIds, seededRandom } from '@hitch/platform/src/random.ts';
import { FakeKernel, type Script } from './fake-kernel.ts';

type Said = [channel: 'iopub', type: string, content: Record<string, unknown>];

/** Runs code cells, each of which has the kernel do what its number says. */
async function run(...cells: readonly Script[]) {
  const clock = new VirtualClock();
  let number = 0;
  const kernel = new FakeKernel((fake, message) => {
    if (message.header.msg_type === 'execute_request') {
      cells[number++]?.(fake, message);
      fake.ok(message, number);
    }
  });
  const client = new KernelClient({
    channel: kernel,
    clock,
    ids: createIds(clock, seededRandom(1)),
    interrupt: async () => undefined,
  });
  const sources = cells.map((_, index) => ({ cell_type: 'code', metadata: {}, source: `cell ${index}` }));
  const file = { nbformat: 4, nbformat_minor: 2, metadata: {}, cells: sources };
  const result = await runNotebook(parseNotebook('n.ipynb', JSON.stringify(file)), {
    kernel: client,
    cellTimeoutMs: null,
    allowErrors: false,
  });
  return { ...result, kernel, outputs: result.notebook.cells.map(cell => cell.outputs ?? []) };
}

const shows = (text: string, id: string, type = 'display_data'): Said => [
  'iopub',
  type,
  { data: { 'text/plain': text }, metadata: {}, transient: { display_id: id } },
];

describe('what cells show after their end', () => {
  it('is what later cells make of their displays, by an update or by the same display again', async () => {
    const { outputs, notebook } = await run(
      (kernel, message) => {
        kernel.say(...shows('one', 'a'), message);
        kernel.say(...shows('two', 'b'), message);
      },
      (kernel, message) => kernel.say(...shows('updated', 'a', 'update_display_data'), message),
      (kernel, message) => kernel.say(...shows('again', 'b'), message),
    );
    const texts = outputs.map(all => all.map(({ data }) => (data as Record<string, unknown>)['text/plain']));
    assert.deepEqual(texts, [['updated', 'again'], [], ['again']]);
    assert.ok(!JSON.stringify(outputs).includes('transient'));
    assert.deepEqual(notebook.metadata, { language_info: { name: 'python' } });
  });

  it('is what their threads go on to print, and what is missing of that', async () => {
    let first: KernelMessage | undefined;
    const { outputs, incomplete } = await run(
      (kernel, message) => {
        first = message;
        kernel.print(message, 'begun\n');
      },
      (kernel, message) => {
        assert.ok(first);
        kernel.print(first, 'goes on\n');
        const { msg_id: parentId } = first.header;
        const lost = { text: '[Hitch] lost\n', lostBytes: 7, messageId: 'n', parentId, parentSession: 's' };
        kernel.events.message(decodeMessage(noticeFrame({ ...lost, date: '' })));
        kernel.print(message, 'second\n');
      },
    );
    const [printed, , second] = outputs.flat().map(({ name, text }) => [name, text]);
    assert.deepEqual(printed, ['stdout', 'begun\ngoes on\n']);
    assert.deepEqual(second, ['stdout', 'second\n']);
    assert.deepEqual(incomplete, [{ number: 1, lostBytes: 7 }]);
  });
});

describe('the widgets of a notebook', () => {
  const opened = (id: string, state: Record<string, unknown>): Said => [
    'iopub',
    'comm_open',
    { comm_id: id, target_name: 'jupyter.widget', data: { state, buffer_paths: [] } },
  ];
  const changed = (id: string, state: Record<string, unknown>): Said => [
    'iopub',
    'comm_msg',
    { comm_id: id, data: { method: 'update', state } },
  ];

  it('are saved with it; of nested Output widgets the inner one takes what is printed', async () => {
    const output = { _model_name: 'OutputModel', _model_module: '@jupyter-widgets/output', outputs: [] };
    const { outputs, notebook, kernel } = await run(
      (fake, message) => {
        fake.say(...opened('inner', { ...output, msg_id: '' }), message);
        fake.say(...opened('outer', { ...output, msg_id: '' }), message);
        fake.say(...changed('outer', { msg_id: message.header.msg_id }), message);
        fake.say(...changed('inner', { msg_id: message.header.msg_id }), message);
        fake.print(message, 'inside\n');
        fake.say(...changed('inner', { msg_id: '' }), message);
        fake.print(message, 'between\n');
        fake.say(...changed('outer', { msg_id: '' }), message);
        fake.print(message, 'outside\n');
      },
      (fake, message) => fake.say(...changed('unknown', { value: 1 }), message),
    );
    const text = (value: string) => [{ output_type: 'stream', name: 'stdout', text: value }];
    assert.deepEqual(outputs, [text('outside\n'), []]);
    const { widgets } = notebook.metadata as { widgets: Record<string, { state: Record<string, unknown> }> };
    const states = widgets['application/vnd.jupyter.widget-state+json']?.state ?? {};
    const saved = Object.entries(states).map(([id, model]) => [
      id,
      (model as { state: Record<string, unknown> }).state['outputs'],
    ]);
    assert.deepEqual(saved, [
      ['inner', text('inside\n')],
      ['outer', text('between\n')],
    ]);
    const told = kernel.sent.filter(({ header }) => header.msg_type === 'comm_msg');
    assert.deepEqual(
      told.map(({ content }) => content['comm_id']),
      ['inner', 'outer'],
    );
    const order = kernel.sent.map(({ header }) => header.msg_type);
    assert.deepEqual(order, ['execute_request', 'comm_msg', 'comm_msg', 'execute_request']);
  });
});
