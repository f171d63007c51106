import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TailPosition } from '../src/tail-position.ts';

/** Text with many line ends, and characters of one and two UTF-16 units. */
const logArbitrary = fc
  .array(fc.constantFrom('a', 'b', '\n', '\n', ' ', 'é', '😀'), { maxLength: 60 })
  .map(chars => chars.join(''));

function solid(text: string): string {
  return text.replaceAll('\n', '');
}

describe('the position in a followed log', () => {
  it('continues any number of readings that start at the first byte, exactly', () => {
    fc.assert(
      fc.property(
        logArbitrary,
        fc.array(fc.tuple(fc.nat(70), fc.integer({ min: 1, max: 9 }))),
        (log, readings) => {
          const position = new TailPosition();
          let got = '';
          for (const [until, step] of [...readings, [log.length, 5] as const]) {
            const reading = position.replay();
            const seen = log.slice(0, until);
            for (let at = 0; at < seen.length; at += step) got += reading.take(seen.slice(at, at + step));
          }
          assert.equal(got, log);
        },
      ),
    );
  });

  it('loses and repeats nothing but line ends when readings disagree on how many there are', () => {
    const doubled = fc.func(fc.boolean());
    fc.assert(
      fc.property(logArbitrary, fc.array(fc.tuple(fc.nat(70), doubled)), doubled, (log, readings, last) => {
        const position = new TailPosition();
        let got = '';
        for (const [until, twice] of [...readings, [log.length, last] as const]) {
          const seen = log.slice(0, until).replaceAll('\n', (lineEnd, at) => (twice(at) ? '\n\n' : lineEnd));
          got += position.replay().take(seen);
        }
        assert.equal(solid(got), solid(log));
      }),
    );
  });

  it('drops the second line end of a carriage return and line feed that were read apart', () => {
    const position = new TailPosition();
    assert.equal(position.replay().take('10%\n\nsaved'), '10%\n\nsaved');
    assert.equal(position.replay().take('10%\nsaved\ndone\n'), '\ndone\n');
  });
});
