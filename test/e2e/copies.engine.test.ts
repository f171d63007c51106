/** As many things as faults need to find a copy under way; ten thousand, again and again, in copies.nightly. */
import { copiesWhileEverythingDies } from './dying-copies.ts';

describe('copies while everything dies', function () {
  this.timeout(900_000);
  copiesWhileEverythingDies({ entries: 3_000, fewEntries: 2_500, twiceEntries: 1_000, runs: 1 });
});
