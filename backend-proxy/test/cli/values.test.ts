import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseDuration, parseMoment } from '../../src/cli/screen/times.ts';
import { logStep } from '../../src/cli/screen/log-follow.ts';
import { fit, tableLines, visibleWidth } from '../../src/cli/screen/table.ts';
import { outputText } from '@hitch/contract';

describe('durations and moments', () => {
  it('reads what people type', () => {
    assert.equal(parseDuration('90s'), 90_000);
    assert.equal(parseDuration('30m'), 1_800_000);
    assert.equal(parseDuration('1h30m'), 5_400_000);
    assert.equal(parseDuration('1d'), 86_400_000);
  });

  it('refuses a number without a unit, zero, and nonsense', () => {
    for (const text of ['30', '', '0m', '-5m', '1.5h', '400d', 'soon']) {
      assert.throws(() => parseDuration(text), RangeError, text);
    }
  });

  it('says how much of what was typed is not in the sentence', () => {
    assert.throws(
      () => parseDuration('x'.repeat(41)),
      /"x{40}… \(1 more characters\)" is not a length of time/,
    );
    assert.throws(() => parseMoment('x'.repeat(100), 0), /"x{40}… \(60 more characters\)" is not a time/);
  });

  it('takes a time of day that has passed as tomorrow', () => {
    const noon = new Date(2026, 10, 22, 12, 0).getTime();
    assert.equal(parseMoment('18:10', noon), new Date(2026, 10, 22, 18, 10).getTime());
    assert.equal(parseMoment('09:00', noon), new Date(2026, 10, 23, 9, 0).getTime());
    assert.equal(parseMoment('2026-11-22 18:10', noon), new Date(2026, 10, 22, 18, 10).getTime());
    for (const text of ['25:00', 'noon', '2026-11-22', '2020-01-01 10:00', '18', '2027-02-31 10:00']) {
      assert.throws(() => parseMoment(text, noon), RangeError, text);
    }
  });

  it('finds the next time that a clock shows, also on days on which clocks are set', () => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Europe/Berlin';
    try {
      const at = (text: string, now: string): string =>
        new Date(parseMoment(text, Date.parse(now))).toISOString();
      // Clocks went back from 3:00 to 2:00 at 1:00 UTC: half past two comes twice.
      assert.equal(at('02:30', '2026-10-25T00:10Z'), '2026-10-25T00:30:00.000Z');
      assert.equal(at('02:30', '2026-10-25T00:40Z'), '2026-10-25T01:30:00.000Z');
      assert.equal(at('02:30', '2026-10-25T01:40Z'), '2026-10-26T01:30:00.000Z');
      // They go forward from 2:00 to 3:00: there is no half past two that day.
      assert.equal(at('02:30', '2027-03-28T00:10Z'), '2027-03-29T00:30:00.000Z');
    } finally {
      if (zone === undefined) {
        delete process.env['TZ'];
      } else {
        process.env['TZ'] = zone;
      }
    }
  });
});

describe('tables', () => {
  it('never gives a line wider than the terminal, and keeps the most important column', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 })), { maxLength: 8 }),
        fc.integer({ min: 20, max: 100 }),
        (rows, width) => {
          const lines = tableLines(
            rows,
            [
              { title: 'A', priority: 1, cell: ([a]) => a.replace(/[\r\n]/g, ' ') },
              { title: 'B', priority: 2, align: 'right', cell: ([, b]) => b.replace(/[\r\n]/g, ' ') },
            ],
            width,
          );
          assert.equal(lines.length, rows.length + 1);
          assert.ok(lines.every(line => visibleWidth(line) <= width));
          assert.ok(lines[0]?.startsWith('A'));
        },
      ),
    );
  });

  it('cuts with an ellipsis', () => {
    assert.equal(fit('abcdef', 4), 'abc…');
    assert.equal(fit('abc', 4), 'abc');
  });
});

describe('following a log of which only the end can be asked for', () => {
  it('gives every byte once while the window holds what was seen', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z\n]{0,40}$/), { minLength: 1, maxLength: 20 }), pieces => {
        // Numbered lines: a log that repeats itself exactly cannot be told apart.
        let whole = '';
        let seen = '';
        let shown = '';
        for (const [index, piece] of pieces.entries()) {
          whole += `${index} ${piece}\n`;
          const window = whole.slice(-600);
          const { added, gap } = logStep(seen, window);
          assert.equal(gap, false);
          shown += added;
          seen = window;
        }
        assert.equal(shown, whole);
      }),
    );
  });

  it('says when more came than one look can show', () => {
    assert.deepEqual(logStep('old end\n', 'wholly new\n'), { added: 'wholly new\n', gap: true });
  });
});

describe('text from a stranger’s machine', () => {
  it('keeps colours and carriage returns, and nothing that moves, titles or asks the terminal', () => {
    assert.equal(outputText('\u001b[31mred\u001b[0m\r50%\n', true), '\u001b[31mred\u001b[0m\r50%\n');
    assert.equal(outputText('\u001b[31mred\u001b[0m', false), 'red');
    for (const evil of [
      '\u001b]0;title\u0007',
      '\u001b[2J',
      '\u001b[6n',
      '\u001b[1;1H',
      '\u009b2J',
      '\u001bP+q\u001b\\',
      '\u001bc',
      '\u0007',
      '\u001b]52;c;aGk=\u001b\\',
    ]) {
      assert.equal(outputText(`a${evil}b`, true), 'ab', JSON.stringify(evil));
    }
  });

  it('leaves no control but tab, line feed, carriage return and colours, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => {
        const rest = outputText(text, true).replace(/\u001b\[[0-9;:]*m/g, '');
        assert.doesNotMatch(rest, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
      }),
    );
  });
});
