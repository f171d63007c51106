/** Ten thousand runs of kills over all networks that chaos runs know; what `npm test` has room for is a tenth of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const RUNS = 10_000;
const main = fileURLToPath(new URL('main.ts', import.meta.url));

describe('chaos, a night long', function () {
  this.timeout(0);

  it(`holds in ${RUNS.toLocaleString('en')} runs over all networks`, async () => {
    // What the command prints is its log; its exit code says whether every run held.
    const args = ['--disable-warning=ExperimentalWarning', main, '--runs', RUNS.toString()];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    await once(child, 'exit');
    assert.equal(child.exitCode, 0);
  });
});
