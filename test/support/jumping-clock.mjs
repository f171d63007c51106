// Loaded with --import before a program: its wall clock is off by the milliseconds that the file $HITCH_TEST_CLOCK
// names, and jumps when that changes. What only ever grows (performance.now, timers) stays as it is, as in life.
import { readFileSync } from 'node:fs';

const file = process.env['HITCH_TEST_CLOCK'] ?? '';
const real = Date.now.bind(Date);
const offset = () => Number(readFileSync(file, 'utf8'));

globalThis.Date = class extends Date {
  /** @param {[]} given */
  constructor(...given) {
    super(...(given.length === 0 ? /** @type {any} */ ([real() + offset()]) : given));
  }

  static now() {
    return real() + offset();
  }
};
