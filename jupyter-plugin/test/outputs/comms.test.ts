import assert from 'node:assert/strict';
import type { KernelMessage } from '@jupyterlab/services';
import { openable } from '../../src/outputs/addresses.ts';
import { ClusterComms, type CommEvent } from '../../src/outputs/comms.ts';
import { isLoader, Loaders } from '../../src/outputs/loaders.ts';
import { putBuffers, WidgetStates } from '../../src/outputs/widget-state.ts';

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

describe('the widgets that a frame gets', () => {
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

describe('outputs that others need', () => {
  it('are libraries, and no scripts that do something', () => {
    assert.ok(isLoader({ 'application/javascript': 'x', 'application/vnd.bokehjs_load.v0+json': 'x' }));
    assert.ok(isLoader({ 'text/html': ' <script>x</script><style>b{}</style><link href="x"> ' }));
    assert.ok(isLoader({ 'application/javascript': 'x'.repeat(30_000) }));
    assert.equal(isLoader({ 'application/javascript': 'x' }), false);
    assert.equal(isLoader({ 'text/html': '<b>x</b><script>x</script>' }), false);
    assert.equal(
      isLoader({ 'application/javascript': 'x', 'application/vnd.bokehjs_exec.v0+json': '' }),
      false,
    );
  });

  it('come in their order, once, for their own kernel, as long as there is room', () => {
    const loaders = new Loaders();
    const framed = (kernel: string, text: string) => ({
      kernel,
      data: { 'application/javascript': text },
      metadata: {},
    });
    assert.ok(loaders.note(framed('k', 'one')));
    assert.ok(loaders.note(framed('k', 'two')));
    assert.ok(loaders.note(framed('k', 'one')));
    assert.deepEqual(loaders.before(framed('k', 'plot')), [framed('k', 'one'), framed('k', 'two')]);
    assert.deepEqual(loaders.before(framed('k', 'two')), [framed('k', 'one')]);
    assert.deepEqual(loaders.before(framed('other', 'plot')), []);
    assert.equal(loaders.note(framed('k', 'x'.repeat(50_000_000))), false);
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
