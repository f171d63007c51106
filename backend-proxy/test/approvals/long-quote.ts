import type { Quote } from '@hitch/contract';
import { quote } from '../store/records.ts';

/** A quote that is good for longer than any test lasts. */
export const longQuote = (): Quote => ({
  ...quote().quote,
  lines: ['Rent 1× RTX 4090 on Practice?', 'A <b>line</b>'],
  expiresAtMs: Date.UTC(2100, 0),
});
