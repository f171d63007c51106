import assert from 'node:assert/strict';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { ToFrame } from '../../src/frame/words.ts';
import { ClusterComms, type KernelComms } from '../../src/outputs/comms.ts';
import { FrameWidgets } from '../../src/outputs/frame-widgets.ts';

/** A kernel that answers at once, and keeps what it was sent. */
function kernelWith(sent: string[]): Kernel.IKernelConnection {
  return {
    clientId: 'c',
    sendShellMessage: (msg: KernelMessage.IMessage) => {
      sent.push(JSON.stringify(msg.content));
      return { msg, done: Promise.resolve() };
    },
  } as unknown as Kernel.IKernelConnection;
}

interface Given {
  readonly told: ToFrame[];
  readonly widgets: FrameWidgets;
}

function frameOf(
  comms: KernelComms,
  kernel: () => Kernel.IKernelConnection | null,
  isOn = () => true,
): Given {
  const told: ToFrame[] = [];
  const post = (message: ToFrame): void => {
    told.push(message);
  };
  return { told, widgets: new FrameWidgets({ comms, kernel, isOn, post, onLeft: () => undefined }) };
}

const idsIn = (told: readonly ToFrame[]) =>
  told.map(message => (message.type === 'models' ? message.models.map(({ id }) => id) : message.type));

describe('the widgets of a frame', () => {
  it('wait for a kernel that the page does not know yet, and are gone only where it has been asked', async () => {
    const comms = new ClusterComms().of('k');
    const sent: string[] = [];
    let kernel: Kernel.IKernelConnection | null = null;
    const { told, widgets } = frameOf(comms, () => kernel);
    const giving = widgets.hear({ type: 'models', root: 'a' });
    await new Promise(resolve => setTimeout(resolve, 300));
    assert.deepEqual(told, [], 'nothing is said before the kernel is known');
    comms.states.update('a', { value: 1 }, [], []);
    kernel = kernelWith(sent);
    await giving;
    assert.deepEqual(idsIn(told), [['a']]);
    const other = frameOf(comms, () => kernel);
    await other.widgets.hear({ type: 'models', root: 'of-another-kernel' });
    assert.deepEqual(idsIn(other.told), [[]]);
    assert.ok(
      sent.some(content => content.includes('request_states')),
      'the kernel was asked',
    );
    widgets.dispose();
    other.widgets.dispose();
  });

  it('of a kernel that does not count are given once it does, and what a person changes waits as well', async () => {
    const comms = new ClusterComms().of('k');
    const sent: string[] = [];
    const kernel = kernelWith(sent);
    comms.states.update('a', { value: 1 }, [], []);
    let counts = false;
    const { told, widgets } = frameOf(
      comms,
      () => kernel,
      () => counts,
    );
    const giving = widgets.hear({ type: 'models', root: 'a' });
    const data = { method: 'update', state: { value: 2 } };
    const early = widgets.hear({ type: 'comm', number: 1, id: 'a', data, buffers: [] });
    await early;
    assert.deepEqual(sent, [], 'a frame speaks for no widget that it was not given');
    counts = true;
    await giving;
    assert.deepEqual(idsIn(told), ['idle', ['a']]);
    counts = false;
    const later = widgets.hear({ type: 'comm', number: 2, id: 'a', data, buffers: [] });
    await new Promise(resolve => setTimeout(resolve, 300));
    assert.deepEqual(sent, []);
    counts = true;
    await later;
    assert.equal(sent.length, 1);
    widgets.dispose();
  });

  it('say of each model whether another frame has it, and whose change they tell', async () => {
    const comms = new ClusterComms().of('k');
    const kernel = kernelWith([]);
    comms.states.update('a', { value: 1 }, [], []);
    const [first, second] = [frameOf(comms, () => kernel), frameOf(comms, () => kernel)];
    for (const { widgets } of [first, second]) {
      await widgets.hear({ type: 'models', root: 'a' });
    }
    const known = ({ told }: Given) =>
      told.map(message => (message.type === 'models' ? message.models[0]?.known : null));
    assert.deepEqual([known(first), known(second)], [[false], [true]]);
    const data = { method: 'update', state: { value: 2 } };
    await first.widgets.hear({ type: 'comm', number: 1, id: 'a', data, buffers: [] });
    const froms = ({ told }: Given) =>
      told.flatMap(message => (message.type === 'comm' ? [message.from] : []));
    assert.deepEqual([froms(first), froms(second)], [[], ['frame']]);
    first.widgets.dispose();
    second.widgets.dispose();
  });
});
