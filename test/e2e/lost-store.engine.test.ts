/** One harm and one table of each kind of way to find it out; all of them are in lost-store.nightly. */
import { lostStore } from './lost-store.ts';

describe('hostile surroundings: a store that is lost', function () {
  this.timeout(300_000);
  lostStore({ whileItRuns: ['written over'], betweenDaemons: ['cut off'], tables: ['attempts'] });
});
