/** As fuzz.engine, many times as long and with other seeds. */
import assert from 'node:assert/strict';
import { needsRealNodes } from '../support/processes.ts';
import { fuzzRun } from './run.ts';
import { Target } from './target.ts';

const CASES = 20_000;
const SEEDS = [2, 3, 4];

describe('hostile fuzz, a night long', function () {
  this.timeout(0);
  const target = new Target(true);

  before(async function () {
    needsRealNodes(this);
    await target.start();
  });

  after(() => target.dispose());

  for (const seed of SEEDS) {
    it(`does no harm in ${CASES.toLocaleString('en')} cases of seed ${seed.toString()}`, async () => {
      const report = await fuzzRun(target, seed, cases => cases < CASES);
      assert.deepEqual(report.faults, [], JSON.stringify(report.faults, null, 2));
      assert.equal(report.cases, CASES);
    });
  }
});
