/** The networks that differ most, of a mark that is chosen and one that is a hash; all of them are in live-check.nightly. */
import { liveChecks } from './live-checks.ts';

describe('a live check', function () {
  this.timeout(900_000);
  liveChecks({ checked: ['vast', 'akash'], lookedThrough: ['runpod'] });
});
