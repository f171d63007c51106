import { printingHere } from './printing-here.ts';

describe('a printing cell while what is between it and its page fails', function () {
  this.timeout(300_000);
  printingHere({ frozenMs: 8_000, untilUnreachable: true });
});
