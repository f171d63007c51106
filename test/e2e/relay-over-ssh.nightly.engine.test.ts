import { LONGER_THAN_JUPYTER_WAITS } from '../support/printing-cells.ts';
import { printingBehindABadLine } from './bad-line.ts';

for (const cutMs of [60_000, 98_000]) {
  describe(`a printing cell on a machine behind a line that is cut for ${(cutMs / 1000).toString()} s`, function () {
    this.timeout(900_000);
    printingBehindABadLine(LONGER_THAN_JUPYTER_WAITS, cutMs);
  });
}
