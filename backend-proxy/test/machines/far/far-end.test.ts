/** The end of a far machine whose folder does not answer. */
import assert from 'node:assert/strict';
import type { FarShell } from '../../../src/access/tunnel/far-shell.ts';
import { endFar } from '../../../src/machines/far/far-end.ts';
import { END, LOOK } from '../../../src/machines/far/program-texts.ts';
import { LOOK_TEXT } from './looks.ts';

const { signal } = new AbortController();

/** A machine that says this of itself, and ends whatever it is asked to. */
function aShell(look: string): { shell: FarShell; asked: readonly string[] } {
  const asked: string[] = [];
  const never = () => assert.fail('Nobody asks for this.');
  const shell: FarShell = {
    name: 'gpu-box',
    run: program => {
      asked.push(program);
      return Promise.resolve({ code: 0, stdout: program === LOOK ? look : '::ended\n', stderr: '' });
    },
    follow: never,
    put: never,
    forward: never,
    closed: signal,
    close: () => Promise.resolve(),
  };
  return { shell, asked };
}

describe('the end of a far machine', () => {
  it('is not said of one whose folder may be in a place that does not answer', async () => {
    const { shell, asked } = aShell(`silent /data\n${LOOK_TEXT}`);
    await assert.rejects(endFar(shell, 'hitch-a', signal), {
      message: 'What Hitch left on gpu-box could not be looked for: /data does not answer there.',
      fatal: false,
    });
    assert.deepEqual(asked, [LOOK, END], 'what runs was ended all the same');
  });

  it('does not wait for a place that has nothing to do with it', async () => {
    const used = LOOK_TEXT.replace('place free 40960000', 'place used 40960000');
    await endFar(aShell(`silent /data\n${used}`).shell, 'hitch-a', signal);
    await endFar(aShell(LOOK_TEXT).shell, 'hitch-a', signal);
  });
});
