import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RayProtocolError } from '../src/index.ts';
import { logText } from '../src/log-text.ts';
import { universalNewlines } from '../src/universal-newlines.ts';
import { collect, pythonJson } from './fake-head.ts';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

async function joined(parts: AsyncIterable<string>): Promise<string> {
  return (await collect(parts)).join('');
}

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', '\\', '\n', '\t', '/', '\u0000'),
    fc.constantFrom('é', '😀', 'a'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});

describe('the log inside its JSON answer', () => {
  for (const [name, write] of [
    ['Python', pythonJson],
    ['JSON.stringify', JSON.stringify],
  ] as const) {
    it(`is the same text however the bytes are cut, as ${name} writes it`, async () => {
      await fc.assert(
        fc.asyncProperty(anyText, fc.integer({ min: 1, max: 11 }), async (logs, size) => {
          fc.pre(logs.isWellFormed());
          const body = Buffer.from(write({ logs, later: 'field' }));
          const parts = await collect(logText(inPieces(body, size)));
          assert.equal(parts.join(''), logs);
          assert.ok(
            parts.every(part => part.isWellFormed()),
            'no piece ends inside a character',
          );
        }),
      );
    });
  }

  it('is refused when it ends in the middle, with what came before handed out', async () => {
    const parts: string[] = [];
    const reading = async () => {
      for await (const part of logText(inPieces(Buffer.from('{"logs": "one\\ntw'), 4))) parts.push(part);
    };
    await assert.rejects(reading(), (error: unknown) => error instanceof RayProtocolError && error.retryable);
    assert.equal(parts.join(''), 'one\ntw');
  });

  it('is refused when the answer is something else', async () => {
    for (const body of ['{"error": 1}'.padEnd(400), '{"logs": "\\x"}', '{"logs": "\\u12g4"}', '']) {
      await assert.rejects(joined(logText(inPieces(Buffer.from(body), 50))), RayProtocolError);
    }
  });
});

describe('raw log bytes', () => {
  it('read as Ray reads them, with U+FFFD for what is not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('a\r\nb\rc\n\r😀\r'), Buffer.from([0xff]), Buffer.from('z\r')]);
    for (const size of [1, 2, 3, 100]) {
      assert.equal(await joined(universalNewlines(inPieces(bytes, size))), 'a\nb\nc\n\n😀\n\ufffdz\n');
    }
  });
});
