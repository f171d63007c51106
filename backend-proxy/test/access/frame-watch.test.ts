import assert from 'node:assert/strict';
import fc from 'fast-check';
import { closeFrame, FrameWatch } from '../../src/access/frame-watch.ts';

const frameArb = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 9, 10),
  length: fc.constantFrom(0, 1, 125, 126, 127, 1_000, 65_535, 65_536, 70_000),
  masked: fc.boolean(),
});

function encode({ opcode, length, masked }: { opcode: number; length: number; masked: boolean }): Buffer {
  const mask = masked ? 0x80 : 0;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head.writeUInt8(0x80 | opcode, 0);
  if (length < 126) {
    head.writeUInt8(mask | length, 1);
  } else if (length < 65_536) {
    head.writeUInt8(mask | 126, 1);
    head.writeUInt16BE(length, 2);
  } else {
    head.writeUInt8(mask | 127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  // A payload that looks like close frames.
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 0x88), Buffer.alloc(length, 0x88)]);
}

describe('A stream of WebSocket frames', () => {
  it('is followed to the end of each frame, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frameArb, { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 }),
        (frames, sizes) => {
          const encoded = frames.map(encode);
          const ends = new Set(encoded.map((_, index) => Buffer.concat(encoded.slice(0, index + 1)).length));
          const all = Buffer.concat(encoded);
          const watch = new FrameWatch();
          for (let at = 0, cut = 0; at < all.length; cut++) {
            const size = sizes[cut % sizes.length] ?? 1;
            watch.see(all.subarray(at, at + size));
            at = Math.min(all.length, at + size);
            assert.equal(watch.isBetween, ends.has(at), `after ${at.toString()} bytes`);
          }
          assert.equal(watch.isClosing, false);
        },
      ),
    );
  });

  it('is over with a close frame', () => {
    const watch = new FrameWatch();
    const frame = closeFrame(1012, 'come back');
    for (const byte of frame) {
      assert.equal(watch.isClosing, false);
      watch.see(Buffer.of(byte));
      if (watch.isClosing) break;
    }
    assert.equal(watch.isClosing, true);
    assert.deepEqual([...frame.subarray(0, 4)], [0x88, 11, 1012 >>> 8, 1012 & 0xff]);
    assert.equal(frame.subarray(4).toString(), 'come back');
  });
});
