/** What lasts is so long that everybody notices it; for longer, it is in relay-over-ssh.nightly. */
import { printingBehindABadLine } from './bad-line.ts';

describe('a printing cell on a machine behind a bad line', function () {
  this.timeout(600_000);
  printingBehindABadLine({ frozenMs: 8_000, untilUnreachable: false }, 0);
});
