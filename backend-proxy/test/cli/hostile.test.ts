import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { HitchError } from '@hitch/contract';
import { NASTY } from '../../../shared/contract/test/support/nasty-strings.ts';
import { describeFailure } from '../../src/cli/errors.ts';
import { reportFailure } from '../../src/cli/report-failure.ts';
import { Io, type Output } from '../../src/cli/screen/io.ts';
import { LiveLine } from '../../src/cli/screen/live-line.ts';
import { ask } from '../../src/cli/screen/prompt.ts';
import { writeTable } from '../../src/cli/screen/table.ts';

/** A terminal in memory, and what was written to it. */
function terminal(): { readonly io: Io; readonly input: PassThrough; readonly shown: () => string } {
  const chunks: string[] = [];
  const stream: Output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const input = Object.assign(new PassThrough(), { isTTY: true });
  return {
    io: new Io({ stdin: input, stdout: stream, stderr: stream, env: {} }),
    input,
    shown: () => chunks.join(''),
  };
}

/** Our colours, and the line that is rewritten in place. */
const OURS = /\u001b\[[0-9;]*m|\r\u001b\[2K/g;
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const places: Readonly<Record<string, (io: Io, text: string) => void>> = {
  'a line': (io, text) => io.line(`before ${text} after`),
  'a note': (io, text) => io.note(text),
  'a line with a style': (io, text) => io.line(io.style('green', text), ` ${text}`),
  'a note with a style': (io, text) => io.note(io.styleError('dim', text)),
  'a line that is rewritten': (io, text) => new LiveLine(io).show('0:14', text),
  'a table': (io, text) => writeTable(io, [text], [{ title: 'Name', priority: 1, cell: row => row }]),
  JSON: (io, text) => io.json({ text, [text]: [text] }),
  'a line of JSON': (io, text) => io.jsonLine({ text }),
  'a failure': (io, text) => reportFailure(io, new HitchError('CONFLICT', text, { next: text }), false),
  'a defect': (io, text) => reportFailure(io, new TypeError(text), false),
  'a failure in JSON': (io, text) => reportFailure(io, new HitchError('CONFLICT', text), true),
};

describe('hostile text on the terminal of hitch', function suite() {
  // The whole list goes through each place, on a machine that may be busy.
  this.timeout(60_000);

  for (const [place, show] of Object.entries(places)) {
    it(`is shown and does nothing: ${place}`, () => {
      for (const { text, attacks } of NASTY) {
        const { io, shown } = terminal();
        show(io, text);
        assert.doesNotMatch(shown().replace(OURS, '').replaceAll('\n', ''), HIDDEN, attacks);
      }
    });
  }

  it('is one line where one was meant', () => {
    for (const { text, attacks } of NASTY) {
      const { io, shown } = terminal();
      io.line(text);
      assert.equal(shown().split('\n').length, 2, attacks);
    }
  });

  it('asks nothing of the terminal in a question', async () => {
    for (const { text, attacks } of NASTY.filter(({ text }) => text.length < 500)) {
      const { io, input, shown } = terminal();
      const answer = ask(io, `Overwrite ${text}? `);
      input.write('y\n');
      assert.equal(await answer, 'y', attacks);
      // What is left are readline's own moves of the cursor.
      assert.doesNotMatch(shown(), /\u001b[\]P_^Xkc]|\u001b\[\d*t|[\u0005\u0080-\u009f\u202e]/, attacks);
    }
  });

  it('is a sentence where an answer was not what was expected', async () => {
    const { z } = await import('zod');
    const lie = z.object({ a: z.object({ b: z.number() }) }).safeParse({ a: { b: '\u001b]0;x\u0007' } });
    const { envelope } = describeFailure(lie.error);
    assert.match(
      envelope.message,
      /^Something went wrong in Hitch: an answer is not what was expected \(a\.b: /,
    );
    assert.doesNotMatch(envelope.message, /\n/);
  });
});
