/** As far-environments.engine, and back again, cancelled, and for two clusters at once. */
import { farEnvironments } from './far-environments.ts';

describe('environments on machines that ssh leads to, until two clusters want one', function suite() {
  this.timeout(1_200_000);
  farEnvironments({ isWhole: true });
});
