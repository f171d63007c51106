import assert from 'node:assert/strict';
import { decodeMessage, encodeMessage, MAX_KERNEL_MESSAGE_BYTES } from '../src/index.ts';
import { opened } from './support/kernel-socket-world.ts';

describe('the kernel socket and what is too long for it', () => {
  it('hostile: a message above the bound is not sent, and answered here with the reason', () => {
    const { socket, last, received, fire } = opened();
    last().hello(4);
    const over = encodeMessage({
      channel: 'shell',
      header: { msg_id: 'big', msg_type: 'execute_request', session: 's1' },
      parentHeader: {},
      metadata: {},
      content: {},
      buffers: [new Uint8Array(MAX_KERNEL_MESSAGE_BYTES)],
    });
    const before = last().sent.length;
    socket.send(over);
    assert.equal(last().sent.length, before);
    assert.deepEqual(received, [], 'the user hears nothing before its call is over');
    while (received.length === 0) {
      fire();
    }
    const answers = received.map(data => decodeMessage(new Uint8Array(data)));
    assert.deepEqual(
      answers.map(({ header, parentHeader }) => [header.msg_type, parentHeader.msg_id]),
      [
        ['stream', 'big'],
        ['execute_reply', 'big'],
        ['status', 'big'],
      ],
    );
    assert.match(String(answers[0]?.content['text']), /^\[Hitch\] This was not sent: it has 268\.\d MB/);
    last().end(1012);
    fire();
    last().hello(9, { resumed: true });
    assert.deepEqual(last().messagesSent, [], 'nor is it sent when the way is back');
    // A message of a quarter of a gigabyte takes a busy machine its time.
  }).timeout(120_000);
});
