/** Environments on far machines, made and changed; the rest of what may become of them is in far-environments.nightly. */
import { farEnvironments } from './far-environments.ts';

describe('environments on machines that ssh leads to', function suite() {
  this.timeout(1_200_000);
  farEnvironments({ isWhole: false });
});
