/** `npm run simulators` as a person has it: what it prints leads there, and it ends when it is asked to. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from '../support/waiting.ts';
import { SIMULATORS, urlVariable } from './all.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

describe('the program of simulators', function () {
  this.timeout(120_000);

  it('prints where each network is and how Hitch is led there, answers, and ends', async () => {
    const child = spawn(process.execPath, [MAIN, '--seed', '3'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise(resolve => child.once('exit', resolve));
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    try {
      await until('it has said everything', () => said.includes('own clients') && said.endsWith('\n\n'));
      assert.match(said, /alias hitch='".*hitch"'\n/);
      for (const { id, title, key, ownClients } of SIMULATORS) {
        const url = new RegExp(`${urlVariable(id)}=(http://127\\.0\\.0\\.1:[0-9]+)`).exec(said)?.[1];
        assert.ok(url !== undefined, said);
        assert.ok(said.includes(title) && said.includes(key ?? 'no login'));
        ownClients(url).forEach(line => {
          assert.ok(said.includes(line), line);
        });
        const { status } = await fetch(url);
        assert.ok(status >= 400 && status < 500, status.toString());
      }
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  });

  it('refuses a seed that is no number with a sentence', async () => {
    const child = spawn(process.execPath, [MAIN, '--seed', 'x'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const code = await new Promise(resolve => child.once('close', resolve));
    assert.deepEqual([code, said], [2, '--seed takes a whole number, not "x".\n']);
  });
});
