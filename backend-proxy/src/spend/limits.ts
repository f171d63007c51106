/** The times that money is reckoned with. */

const MINUTE = 60_000;

export const QUOTE_VALID_MS = 10 * MINUTE;
/** So many others of a quote are rented, one after the other, in the place of a machine that does not start. */
export const OTHERS_IF_NOT_UP = 2;
/** A purchase must leave room for at least this much use. */
export const USEFUL_MS = 5 * MINUTE;
/** Kept back inside the cap for saving and destroying. */
export const SAVE_RESERVE_MS = 10 * MINUTE;
export const DESTROY_RESERVE_MS = 2 * MINUTE;
export { TERM_SLACK_MS } from '@hitch/contract';
