import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  contentBytes,
  cursorSchema,
  decodeHitchFrame,
  decodeMessage,
  encodeControl,
  encodeMessage,
  formatCursor,
  framePart,
  KernelFrameError,
  noticeFrame,
  peekFrame,
  writeUint64,
  withParent,
} from '../src/index.ts';
import type { KernelMessage } from '../src/index.ts';

const json = fc.dictionary(fc.string(), fc.jsonValue()).map(value => {
  // What survives JSON: -0 does not, and `__proto__` is not a key that JSON.parse and a literal agree on.
  const clean: unknown = JSON.parse(JSON.stringify(value));
  return Object.fromEntries(Object.entries(clean as object).filter(([key]) => key !== '__proto__'));
});
const message: fc.Arbitrary<KernelMessage> = fc.record({
  channel: fc.constantFrom('shell', 'control', 'stdin', 'iopub'),
  header: fc.record(
    {
      msg_id: fc.string({ minLength: 1 }),
      msg_type: fc.string(),
      session: fc.string(),
      date: fc.string(),
    },
    { noNullPrototype: true },
  ),
  parentHeader: fc.oneof(
    fc.constant({}),
    fc.record(
      { msg_id: fc.string(), msg_type: fc.string(), session: fc.string() },
      { noNullPrototype: true },
    ),
  ),
  metadata: json,
  content: json,
  buffers: fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 3 }),
});
const plain = ({ buffers, ...rest }: KernelMessage): unknown => ({
  ...rest,
  buffers: buffers.map(buffer => [...buffer]),
});

describe('v1 kernel frames', () => {
  it('come back from their bytes as they went in', () => {
    fc.assert(
      fc.property(message, original => {
        assert.deepEqual(plain(decodeMessage(encodeMessage(original))), plain(original));
      }),
    );
  });

  it('get another parent and stay as they are otherwise', () => {
    fc.assert(
      fc.property(message, fc.string(), (original, id) => {
        const parentHeader = { msg_id: id, msg_type: 'execute_request', session: 's' };
        const moved = withParent(encodeMessage(original), parentHeader);
        assert.deepEqual(plain(decodeMessage(moved)), plain({ ...original, parentHeader }));
      }),
    );
  });

  it('tell by a peek what routing needs', () => {
    fc.assert(
      fc.property(message, original => {
        const frame = encodeMessage(original);
        const peek = peekFrame(frame);
        assert.equal(peek.channel, original.channel);
        assert.equal(peek.messageId, original.header.msg_id);
        assert.equal(peek.type, original.header.msg_type);
        assert.equal(peek.session, original.header.session);
        assert.equal(peek.parentId, original.parentHeader.msg_id ?? '');
        assert.equal(peek.parentSession, original.parentHeader.session ?? '');
        assert.deepEqual(framePart(frame, 'content'), original.content);
        assert.deepEqual(framePart(frame, 'metadata'), original.metadata);
        assert.equal(contentBytes(frame), Buffer.byteLength(JSON.stringify(original.content)));
      }),
    );
  });

  it('are laid out as Jupyter Server writes them', () => {
    const frame = encodeMessage({
      channel: 'iopub',
      header: { msg_id: 'a', msg_type: 't', session: '' },
      parentHeader: {},
      metadata: {},
      content: {},
      buffers: [Uint8Array.of(7, 8)],
    });
    const offsets = Array.from({ length: 8 }, (_, index) =>
      Number(Buffer.from(frame).readBigUInt64LE(index * 8)),
    );
    const header = '{"msg_id":"a","msg_type":"t","session":""}';
    const start = 64;
    assert.deepEqual(offsets, [
      7,
      start,
      start + 5,
      start + 5 + header.length,
      start + 7 + header.length,
      start + 9 + header.length,
      start + 11 + header.length,
      start + 13 + header.length,
    ]);
    assert.equal(Buffer.from(frame.subarray(start)).toString('latin1'), `iopub${header}{}{}{}\x07\x08`);
  });

  it('that are cut short, or changed anywhere, are refused with a typed error or read, never a crash', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(), fc.nat(255), (original, cut, at, value) => {
        const frame = encodeMessage(original);
        const short = frame.subarray(0, cut % frame.length);
        const changed = frame.slice();
        changed[at % frame.length] = value;
        for (const bytes of [short, changed]) {
          for (const read of [decodeMessage, peekFrame, contentBytes]) {
            try {
              read(bytes);
            } catch (error) {
              assert.ok(error instanceof KernelFrameError, String(error));
            }
          }
        }
      }),
    );
  });

  it('with a huge offset count are refused without reserving memory for it', () => {
    const frame = new Uint8Array(64);
    writeUint64(new DataView(frame.buffer), 0, 2 ** 40, true);
    assert.throws(() => peekFrame(frame), KernelFrameError);
    frame.fill(0xff);
    assert.throws(() => peekFrame(frame), KernelFrameError);
  });
});

describe('frames of the cursor protocol', () => {
  it('carry a sequence number up to 2^53 before the plain frame', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat().filter(seq => seq > 0),
        fc.uint8Array(),
        (seq, frame) => {
          const bytes = new Uint8Array(8 + frame.length);
          writeUint64(new DataView(bytes.buffer), 0, seq, false);
          bytes.set(frame, 8);
          const read = decodeHitchFrame(bytes);
          assert.ok('frame' in read);
          assert.equal(read.seq, seq);
          assert.deepEqual([...read.frame], [...frame]);
        },
      ),
    );
  });

  it('carry control frames under number 0, and pass over those of a later version', () => {
    const hello = { type: 'hello', epoch: 'e', firstSeq: 1, lastSeq: 5, resumed: false } as const;
    assert.deepEqual(decodeHitchFrame(encodeControl(hello)), { seq: 0, control: hello });
    const later = Buffer.concat([Buffer.alloc(8), Buffer.from('{"type":"tomorrow"}')]);
    assert.deepEqual(decodeHitchFrame(later), { seq: 0, control: null });
    assert.throws(() => decodeHitchFrame(Buffer.alloc(7)), KernelFrameError);
    assert.throws(() => decodeHitchFrame(Buffer.alloc(9, 0)), KernelFrameError);
  });

  it('name a place by a cursor that reads back, and by nothing else', () => {
    const cursor = { epoch: 'id-1_A', seq: 2 ** 40 };
    assert.deepEqual(cursorSchema.parse(formatCursor(cursor)), cursor);
    for (const bad of ['', 'e', 'e:', 'e:-1', 'e:1.5', ':3', 'a b:3', `e:${'9'.repeat(16)}`, '../x:1']) {
      assert.ok(!cursorSchema.safeParse(bad).success, bad);
    }
  });

  it('say what the machinery has to say as a stream message in the cell', () => {
    const read = decodeMessage(
      noticeFrame({ text: 'x', messageId: 'n', parentId: 'p', parentSession: 's', date: '' }),
    );
    assert.equal(read.header.msg_type, 'stream');
    assert.equal(read.parentHeader.msg_id, 'p');
    assert.deepEqual(read.content, { name: 'stderr', text: 'x' });
  });
});
