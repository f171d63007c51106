/** As many things as faults need to find a copy under way; ten thousand, again and again, in copies.nightly. */
import { copiesWhileEverythingDies } from './dying-copies.ts';

describe('copies while everything dies', function () {
  this.timeout(900_000);
  copiesWhileEverythingDies({ entries: 1_500, fewEntries: 1_500, twiceEntries: 500, runs: 1 });
});
