/** As live-check.engine, at every network. */
import { liveChecks, NETWORKS } from './live-checks.ts';

describe('a live check of every network', function () {
  this.timeout(900_000);
  liveChecks({ checked: NETWORKS.map(({ id }) => id), lookedThrough: ['ionet', 'runpod', 'prime'] });
});
