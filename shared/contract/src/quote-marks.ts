/** What lines of a confirm dialog begin or end with, by which clients see how much they weigh. */
export const LAPTOP_WARNING = '⚠ ';
export const NOTHING_SAVED = 'Nothing is saved: ';
export const CHANGED = 'Changed: ';
export const PRACTICE = 'Practice: ';
export const PRACTICE_LINE = `${PRACTICE}nobody is charged; the machines are processes on this computer, without CUDA`;
export const SPOT = 'Spot: ';
export const COMMUNITY = 'Community host: ';
export const TOGETHER = 'Rented together: ';
export const LEFT_OUT = 'Left out: ';
export const UNVERIFIED = ': support for it is not yet verified live';
