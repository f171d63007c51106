/**
 * What lasts is so long that everybody notices it. An agent that stands still for as long as the daemon waits is in
 * relay.nightly; a way that is down for as long, in relay-over-ssh and own-machines.
 */
import { printingHere } from './printing-here.ts';

describe('a printing cell while what is between it and its page fails', function () {
  this.timeout(300_000);
  printingHere({ frozenMs: 8_000, untilUnreachable: false });
});
