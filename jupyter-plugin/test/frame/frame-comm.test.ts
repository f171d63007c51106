import assert from 'node:assert/strict';
import { FrameComm } from '../../src/frame/frame-comm.ts';

const update = (outputs: string) =>
  ({
    type: 'comm',
    from: 'kernel',
    kind: 'comm_msg',
    id: 'w1',
    data: { method: 'update', state: { outputs } },
    buffers: [],
  }) as const;

describe('the comm of a widget in a frame', () => {
  it('keeps what comes while the widget is still being made', async () => {
    const comm = new FrameComm('w1', () => undefined);
    const heard: unknown[] = [];
    comm.hear(update('x is 10'));
    comm.on_msg(message => heard.push(message));
    assert.deepEqual(heard, [], 'not within the widget’s constructor');
    await Promise.resolve();
    comm.hear(update('x is 11'));
    assert.deepEqual(
      heard.map(message => (message as { content: { data: unknown } }).content.data),
      [update('x is 10').data, update('x is 11').data],
    );
  });
});
