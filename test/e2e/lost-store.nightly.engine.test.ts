/** As lost-store.engine, with every harm and every table. */
import { HARM, lostStore, TABLES } from './lost-store.ts';

describe('hostile surroundings: a store that is lost in any way', function () {
  this.timeout(300_000);
  const every = Object.keys(HARM).filter((name): name is keyof typeof HARM => name in HARM);
  lostStore({ whileItRuns: every, betweenDaemons: every, tables: TABLES });
});
