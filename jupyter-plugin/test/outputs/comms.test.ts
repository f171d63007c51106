import assert from 'node:assert/strict';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { openable } from '../../src/outputs/addresses.ts';
import { Border } from '../../src/outputs/border.ts';
import { ClusterComms, type CommEvent } from '../../src/outputs/comms.ts';
import { namesModels, putBuffers, WidgetStates } from '../../src/outputs/widget-state.ts';

let number = 0;

function message(type: string, content: object, parent = 'p', channel = 'iopub'): KernelMessage.IMessage {
  number += 1;
  return {
    channel,
    header: { msg_id: number.toString(), msg_type: type },
    parent_header: { msg_id: parent },
    metadata: {},
    content,
    buffers: [],
  } as unknown as KernelMessage.IMessage;
}

describe('comms of a cluster’s kernel', () => {
  it('that the kernel opens never reach the page, whatever their target', () => {
    const comms = new ClusterComms().of('k');
    for (const target of ['jupyter.widget', 'probe', 7]) {
      assert.equal(comms.take(message('comm_open', { comm_id: 'a', target_name: target, data: {} })), true);
      assert.equal(comms.take(message('comm_msg', { comm_id: 'a', data: {} })), true);
    }
    assert.equal(comms.take(message('comm_close', { comm_id: null })), true);
  });

  it('that the page opens stay the page’s, but for widgets', () => {
    const all = new ClusterComms();
    all.sent(message('comm_open', { comm_id: 'mine', target_name: 'probe' }));
    all.sent(message('comm_open', { comm_id: 'theirs', target_name: 'jupyter.widget' }));
    all.sent(message('comm_open', { comm_id: 'control', target_name: 'jupyter.widget.control' }));
    const comms = all.of('k');
    assert.equal(comms.take(message('comm_msg', { comm_id: 'mine', data: {} })), false);
    assert.equal(comms.take(message('comm_open', { comm_id: 'mine', target_name: 'x', data: {} })), true);
    assert.equal(comms.take(message('comm_msg', { comm_id: 'theirs', data: {} })), true);
    assert.equal(comms.take(message('comm_msg', { comm_id: 'control', data: {} })), true);
  });

  it('are told once, though each connection of the page brings them', () => {
    const comms = new ClusterComms().of('k');
    const heard: CommEvent[] = [];
    comms.heard.connect((_, event) => heard.push(event));
    const opened = message('comm_open', {
      comm_id: 'a',
      target_name: 'jupyter.widget',
      data: { state: { n: 1 } },
    });
    comms.take(opened);
    comms.take(opened);
    assert.equal(heard.length, 1);
    assert.deepEqual(comms.states.get('a')?.state, { n: 1 });
  });

  it('give an Output widget what its message has printed, which the page does not show', () => {
    const comms = new ClusterComms().of('k');
    const state = { _model_name: 'OutputModel', msg_id: 'm', outputs: [] };
    comms.take(message('comm_open', { comm_id: 'o', target_name: 'jupyter.widget', data: { state } }));
    assert.equal(comms.take(message('stream', { name: 'stdout', text: 'a' }, 'other')), false);
    assert.equal(comms.take(message('stream', { name: 'stdout', text: 'a' }, 'm')), true);
    assert.equal(comms.take(message('stream', { name: 'stdout', text: 'b' }, 'm')), true);
    const text = { output_type: 'stream', name: 'stdout', text: 'ab' };
    assert.deepEqual(comms.states.get('o')?.state['outputs'], [text]);
    assert.equal(comms.take(message('execute_reply', {}, 'm', 'shell')), false);
    comms.take(message('clear_output', { wait: true }, 'm'));
    comms.take(message('stream', { name: 'stdout', text: 'c' }, 'm'));
    assert.deepEqual(comms.states.get('o')?.state['outputs'], [{ ...text, text: 'c' }]);
  });
});

describe('a kernel to which the page has two connections, such as a notebook’s and a console’s', () => {
  it('gives an Output widget each output once, and hides it from both', () => {
    const comms = new ClusterComms().of('k');
    const both = (given: KernelMessage.IMessage) => [comms.take(given), comms.take(given)];
    const state = { _model_name: 'OutputModel', msg_id: 'm', outputs: [] };
    const early = message('stream', { name: 'stdout', text: 'early' }, 'm');
    assert.equal(comms.take(early), false);
    both(message('comm_open', { comm_id: 'o', target_name: 'jupyter.widget', data: { state } }));
    assert.equal(comms.take(early), false, 'what one connection has shown, the other shows');
    const printed = message('stream', { name: 'stdout', text: 'a' }, 'm');
    assert.deepEqual(both(printed), [true, true]);
    assert.deepEqual(both(message('display_data', { data: { 'text/plain': 'x' } }, 'm')), [true, true]);
    const outputs = comms.states.get('o')?.state['outputs'];
    assert.deepEqual(outputs, [
      { output_type: 'stream', name: 'stdout', text: 'a' },
      { output_type: 'display_data', data: { 'text/plain': 'x' } },
    ]);
    const over = { data: { method: 'update', state: { msg_id: '' } } };
    both(message('comm_msg', { comm_id: 'o', ...over }));
    assert.equal(comms.take(printed), true, 'what one connection has hidden, the other hides');
    assert.deepEqual(comms.states.get('o')?.state['outputs'], outputs);
  });

  it('is restarted once, though both bring it', () => {
    const all = new ClusterComms();
    const border = new Border(all);
    const restarted: string[] = [];
    all.restarted.connect((_, id) => restarted.push(id));
    const starting = message('status', { execution_state: 'starting' });
    border.pass(starting, 'k');
    const opened = { comm_id: 'a', target_name: 'jupyter.widget', data: { state: { n: 1 } } };
    border.pass(message('comm_open', opened), 'k');
    border.pass(starting, 'k');
    assert.deepEqual(restarted, ['k']);
    assert.deepEqual(all.of('k').states.get('a')?.state, { n: 1 });
    border.pass(message('status', { execution_state: 'starting' }), 'k');
    assert.equal(all.of('k').states.get('a'), undefined);
  });

  it('is asked once for its widgets, however many frames need them', async () => {
    const sent: string[] = [];
    const answered = Promise.withResolvers<undefined>();
    const kernel = {
      clientId: 'c',
      sendShellMessage: ({ header }: KernelMessage.IMessage) => {
        sent.push(header.msg_type);
        return { done: answered.promise };
      },
    } as unknown as Kernel.IKernelConnection;
    const comms = new ClusterComms().of('k');
    const asking = Promise.all([1, 2, 3].map(() => comms.askForStates(kernel)));
    assert.deepEqual(sent, ['comm_open', 'comm_msg']);
    answered.resolve(undefined);
    await asking;
    await comms.askForStates(kernel);
    assert.equal(sent.length, 4, 'what is asked later is asked');
  });

  it('keeps from its frames what it repeats of their own changes, which may be others by now', () => {
    const comms = new ClusterComms().of('k');
    const heard: unknown[] = [];
    comms.heard.connect((_, { data }) => heard.push(data['state']));
    comms.take(
      message('comm_open', { comm_id: 'a', target_name: 'jupyter.widget', data: { state: { value: 1 } } }),
    );
    heard.length = 0;
    const sent: string[] = [];
    const kernel = {
      clientId: 'c',
      sendShellMessage: (msg: KernelMessage.IMessage) => {
        sent.push(msg.header.msg_id);
        return { msg, done: Promise.resolve() };
      },
    } as unknown as Kernel.IKernelConnection;
    for (const value of [2, 3]) {
      const data = { method: 'update', state: { value } };
      comms.send(kernel, { kind: 'comm_msg', id: 'a', data, buffers: [] }, {});
    }
    const echo = (value: number, of = '') =>
      message('comm_msg', { comm_id: 'a', data: { method: 'echo_update', state: { value } } }, of);
    comms.take(echo(2, sent[0]));
    assert.deepEqual([heard, comms.states.get('a')?.state], [[], { value: 3 }]);
    comms.take(echo(7, 'of another page'));
    assert.deepEqual([heard, comms.states.get('a')?.state], [[{ value: 7 }], { value: 7 }]);
  });

  it('says nothing of a widget by a change alone', () => {
    const comms = new ClusterComms().of('k');
    comms.take(message('comm_msg', { comm_id: 'a', data: { method: 'update', state: { value: 1 } } }));
    assert.equal(comms.states.get('a'), undefined);
  });
});

describe('the widgets that a frame gets', () => {
  it('are kept by what they are, and not by what has come', () => {
    const states = new WidgetStates(10_000);
    states.update('first', { _model_name: 'X' }, [], []);
    for (let times = 0; times < 100; times++) {
      states.update('image', {}, [['value']], [new ArrayBuffer(1_000)]);
      states.update('text', { value: 'x'.repeat(1_000) }, [], []);
    }
    assert.equal(states.left, 0);
    assert.deepEqual(states.get('first')?.state, { _model_name: 'X' });
  });

  it('are left out by their age where there are too many, and counted', () => {
    const states = new WidgetStates(10_000);
    for (const id of ['a', 'b', 'c']) {
      states.update(id, {}, [['value']], [new ArrayBuffer(4_000)]);
    }
    assert.deepEqual(
      ['a', 'b', 'c'].map(id => states.get(id) !== undefined),
      [false, true, true],
    );
    assert.equal(states.left, 1);
    states.update('huge', {}, [['value']], [new ArrayBuffer(20_000)]);
    assert.ok(states.get('c'), 'one that is too large takes none with it');
    assert.equal(states.get('huge'), undefined);
    states.update('long', { value: 'x'.repeat(20_000) }, [], []);
    assert.deepEqual([states.get('long'), states.left], [undefined, 3]);
  });

  it('keep no more than their own bytes of a message', () => {
    const state: Record<string, unknown> = {};
    putBuffers(state, [['value']], [new Uint8Array(new ArrayBuffer(1_000_000), 10, 5)]);
    const { value } = state;
    assert.ok(value instanceof DataView);
    assert.deepEqual([value.byteLength, value.buffer.byteLength], [5, 5]);
  });

  it('are found however deep a stranger nests', () => {
    const states = new WidgetStates();
    states.update('leaf', {}, [], []);
    const deep = JSON.parse(`${'['.repeat(200_000)}"IPY_MODEL_leaf"${']'.repeat(200_000)}`) as unknown;
    states.update('root', { children: deep }, [], []);
    assert.deepEqual([...states.closure('root')], ['root', 'leaf']);
    assert.equal(namesModels({ state: { children: deep } }), true);
    assert.equal(namesModels({ state: { value: 'a text about IPY_MODEL_leaf' } }), false);
  });

  it('are those that it shows, all they refer to, and the links between', () => {
    const states = new WidgetStates();
    states.update('box', { children: ['IPY_MODEL_a'], layout: 'IPY_MODEL_l' }, [], []);
    states.update('a', { value: 1 }, [], []);
    states.update('l', {}, [], []);
    states.update('b', { value: 1 }, [], []);
    states.update(
      'link',
      { _model_name: 'LinkModel', source: ['IPY_MODEL_a', 'value'], target: ['IPY_MODEL_b', 'value'] },
      [],
      [],
    );
    states.update('stranger', { value: 1 }, [], []);
    assert.deepEqual([...states.closure('box')].sort(), ['a', 'b', 'box', 'l', 'link']);
  });

  it('have their bytes where they belong, and nowhere else', () => {
    const state: Record<string, unknown> = { a: { b: [null] } };
    const bytes = [1, 2, 3, 4].map(byte => new Uint8Array([byte]).buffer);
    putBuffers(
      state,
      [
        ['a', 'b', 0],
        ['__proto__', 'x'],
        ['a', 'constructor', 'x'],
        ['no', 'where'],
      ],
      bytes,
    );
    assert.ok((state['a'] as { b: unknown[] }).b[0] instanceof DataView);
    assert.equal('x' in {}, false);
    putBuffers(state, 'nonsense', bytes);
  });
});

describe('links of a cluster’s outputs', () => {
  it('are opened to the web only, in letters that show where they lead', () => {
    const from = 'https://lab.example.org';
    assert.equal(openable('https://example.org/a?b', from), 'https://example.org/a?b');
    assert.equal(openable('https://exаmple.org/', from), 'https://xn--exmple-4nf.org/');
    for (const href of [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'http://localhost:8888/',
      'http://a.localhost/',
      'http://127.0.0.1:1/',
      'http://127.1/',
      'http://2130706433/',
      'http://0/',
      'http://[::1]/',
      'http://[::ffff:127.0.0.1]/',
      'https://lab.example.org/api',
      'https://user@example.org/',
      'nonsense',
    ]) {
      assert.equal(openable(href, from), null, href);
    }
  });
});
