/** Ten thousand runs of kills on each network that chaos runs know; what `npm test` has room for is a tenth of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const RUNS = 10_000;
const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** What a run of the command prints is its log; its exit code says whether every run held. */
async function chaosOn(network: string): Promise<number | null> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    main,
    '--runs',
    RUNS.toString(),
    '--network',
    network,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  await once(child, 'exit');
  return child.exitCode;
}

describe('chaos, a night long', function () {
  this.timeout(0);

  for (const network of ['sandbox', 'vast']) {
    it(`holds in ${RUNS.toLocaleString('en')} runs on ${network}`, async () => {
      assert.equal(await chaosOn(network), 0);
    });
  }
});
