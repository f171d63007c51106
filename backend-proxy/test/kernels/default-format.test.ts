import assert from 'node:assert/strict';
import { decodeMessage, encodeMessage, KernelFrameError, type KernelMessage } from '@hitch/contract';
import fc from 'fast-check';
import { fromDefaultFormat, toDefaultFormat } from '../../src/agent/kernels/default-format.ts';

const message: KernelMessage = {
  channel: 'iopub',
  header: {
    msg_id: 'm1',
    msg_type: 'stream',
    session: 's',
    username: 'u',
    date: '2026-01-01',
    version: '5.3',
  },
  parentHeader: { msg_id: 'p1', msg_type: 'execute_request', session: 'c' },
  metadata: { a: 1 },
  content: { name: 'stdout', text: 'grüße\n' },
  buffers: [],
};
const bytesOf = (data: string | Buffer): Buffer => (typeof data === 'string' ? Buffer.from(data) : data);

describe('Jupyter’s first format of a kernel’s socket', () => {
  it('is a text with the fields that Jupyter Server writes, where a message has no buffers', () => {
    const text = toDefaultFormat(encodeMessage(message));
    assert.equal(typeof text, 'string');
    assert.deepEqual(JSON.parse(String(text)), {
      header: message.header,
      msg_id: 'm1',
      msg_type: 'stream',
      parent_header: message.parentHeader,
      metadata: { a: 1 },
      content: message.content,
      buffers: [],
      channel: 'iopub',
    });
  });

  it('has the number of parts and where each begins before a message with buffers, most significant byte first', () => {
    const data = toDefaultFormat(encodeMessage({ ...message, buffers: [Buffer.of(1, 2), Buffer.of(3)] }));
    assert.ok(Buffer.isBuffer(data));
    const [count, json, first, second] = [0, 4, 8, 12].map(at => data.readUInt32BE(at));
    assert.deepEqual([count, json], [3, 16]);
    assert.deepEqual([...data.subarray(first, second)], [1, 2]);
    assert.deepEqual([...data.subarray(second)], [3]);
  });

  it('gives the same message back, whatever its buffers', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 }), buffers => {
        const data = toDefaultFormat(encodeMessage({ ...message, channel: 'shell', buffers }));
        const again = decodeMessage(fromDefaultFormat(bytesOf(data), typeof data !== 'string'));
        assert.deepEqual(
          { ...again, buffers: again.buffers.map(buffer => [...buffer]) },
          { ...message, channel: 'shell', buffers: buffers.map(buffer => [...buffer]) },
        );
      }),
    );
  });

  it('takes a message without a channel for one to the shell, and what a client left out for nothing', () => {
    const said = JSON.stringify({ header: { msg_id: 'm', msg_type: 'kernel_info_request' }, content: {} });
    const { channel, parentHeader, metadata } = decodeMessage(fromDefaultFormat(Buffer.from(said), false));
    assert.deepEqual(
      { channel, parentHeader, metadata },
      { channel: 'shell', parentHeader: {}, metadata: {} },
    );
  });

  it('is refused where it is no message', () => {
    const wrong: readonly (readonly [Buffer, boolean])[] = [
      [Buffer.from('nonsense'), false],
      [Buffer.from('{"channel":"nowhere","header":{"msg_id":"m","msg_type":"t"},"content":{}}'), false],
      [Buffer.from('{"header":{},"content":{}}'), false],
      [Buffer.alloc(0), true],
      [Buffer.of(0, 0, 0, 0), true],
      [Buffer.of(255, 255, 255, 255, 0), true],
      [Buffer.of(0, 0, 0, 1, 0, 0, 0, 200, 1), true],
      [Buffer.of(0, 0, 0, 2, 0, 0, 0, 14, 0, 0, 0, 12, 1, 2, 3), true],
    ];
    for (const [data, isBinary] of wrong) {
      assert.throws(() => fromDefaultFormat(data, isBinary), KernelFrameError);
    }
  });
});
