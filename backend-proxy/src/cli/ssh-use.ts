/**
 * Whether somebody is at work over a connection, told from how much went over it. What counts, over half a minute: a few
 * dozen keys, or a file that comes back. An editor that is only open sends less than half of the first to be told that
 * its machine is still there.
 */
export const LOOK_EVERY_MS = 30_000;
const USED_UP_BYTES = 2_048;
const USED_DOWN_BYTES = 256 * 1024;

/** Bytes since the connection began. */
export interface Carried {
  readonly up: number;
  readonly down: number;
}

export const wasUsed = (before: Carried, now: Carried): boolean =>
  now.up - before.up >= USED_UP_BYTES || now.down - before.down >= USED_DOWN_BYTES;
