import { copiesWhileEverythingDies } from './dying-copies.ts';

describe('copies of ten thousand things while everything dies, five times over', function () {
  this.timeout(900_000);
  copiesWhileEverythingDies({ entries: 10_000, fewEntries: 2_500, twiceEntries: 2_500, runs: 5 });
});
