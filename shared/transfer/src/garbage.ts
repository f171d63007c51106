/**
 * Buffers lie outside of V8's heap: it sees a few bytes of each, and lets tens of megabytes of dead ones pile up before it
 * looks. So they are collected after every few megabytes that pass, which takes a millisecond for the young ones, where
 * the process was started with a collector to call (`--expose-gc`).
 */
import { isMainThread } from 'node:worker_threads';

/** The young ones are collected so often. */
const EVERY_BYTES = 3 * 1024 * 1024;
/** In a thread of our own, where nobody waits for the milliseconds it takes, all of them: every so many times. */
const ALL_EVERY = 6;

let sinceBytes = 0;
let times = 0;

/** Says that so many bytes have passed through buffers that nobody needs any more. */
export function passed(bytes: number): void {
  sinceBytes += bytes;
  if (sinceBytes < EVERY_BYTES) {
    return;
  }
  sinceBytes = 0;
  times += 1;
  const all = !isMainThread && times % ALL_EVERY === 0;
  globalThis.gc?.({ type: all ? 'major' : 'minor', execution: 'sync' });
}
