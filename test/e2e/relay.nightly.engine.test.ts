/** As relay.engine, with a daemon that stands still for longer than Jupyter waits. */
import { LONGER_THAN_JUPYTER_WAITS } from '../support/printing-cells.ts';
import { printingHere } from './printing-here.ts';

describe('a printing cell while what is between it and its page stands still for long', function () {
  this.timeout(300_000);
  printingHere(LONGER_THAN_JUPYTER_WAITS);
});
