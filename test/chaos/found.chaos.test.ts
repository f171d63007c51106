/** Runs that did not hold once, each with what was wrong then. */
import assert from 'node:assert/strict';
import { failuresOf } from './report.ts';
import { chaosRun } from './run.ts';

const FOUND = [
  {
    seed: 8,
    network: 'ionet',
    was: 'a minimum charge that was the offer’s, where a list said a dearer price first',
  },
  { seed: 16, network: 'ionet', was: 'a machine that came and went unseen, counted until it was found' },
  { seed: 49, network: 'ionet', was: 'the same at the offer’s price, where another was charged' },
  {
    seed: 15,
    network: 'vast',
    was: 'a purchase by a clock that was days ahead, not confirmed gone for days',
  },
  { seed: 31, network: 'vast', was: 'the same' },
] as const;

describe('what chaos found', function () {
  this.timeout(300_000);

  for (const { seed, network, was } of FOUND) {
    it(`is mended in run ${seed.toString()} on ${network}: ${was}`, async () => {
      assert.deepEqual(failuresOf(await chaosRun({ seed, networks: [network] })), []);
    });
  }
});
