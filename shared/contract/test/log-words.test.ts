import assert from 'node:assert/strict';
import { LogText, logText } from '../src/log-words.ts';

const at = new Date(2026, 10, 29, 6, 55, 5);
const entry = (fields: object): string => JSON.stringify({ level: 30, time: at.toISOString(), ...fields });

describe('a log as people read it', () => {
  it('has a line for an entry of JSON, with its fields, and leaves what is no entry as it is', () => {
    const text = [
      entry({ msg: 'The agent serves', port: 8123 }),
      entry({ msg: 'Slow', level: 40 }),
      entry({ msg: 'Broken', level: 50, error: 'no answer' }),
      '[I 06:55 ServerApp] Jupyter runs',
      '{"loss": 0.1}',
      '{"time":"never","msg":"x"}',
      '',
    ].join('\n');
    assert.equal(
      logText(text),
      [
        '2026-11-29 06:55:05 The agent serves (port 8123)',
        '2026-11-29 06:55:05 Warning: Slow',
        '2026-11-29 06:55:05 Error: Broken (error no answer)',
        '[I 06:55 ServerApp] Jupyter runs',
        '{"loss": 0.1}',
        '{"time":"never","msg":"x"}',
        '',
      ].join('\n'),
    );
  });

  it('may come in pieces that are cut anywhere, and loses none of them', () => {
    const text = `${entry({ msg: 'One' })}\n${entry({ msg: 'Two' })}\n 50 %`;
    for (let cut = 0; cut <= text.length; cut++) {
      const log = new LogText();
      const shown = log.write(text.slice(0, cut)) + log.write(text.slice(cut)) + log.end();
      assert.equal(shown, '2026-11-29 06:55:05 One\n2026-11-29 06:55:05 Two\n 50 %');
    }
    assert.equal(new LogText().write(' 50 %'), ' 50 %', 'a progress bar does not wait for its line’s end');
    assert.equal(logText('{"level":30,"ti'), '{"level":30,"ti');
  });
});
