/**
 * Buffers lie outside of V8's heap: it sees a few bytes of each, and lets tens of megabytes of dead ones pile up before it
 * looks. So they are collected after every few megabytes that pass, which takes a millisecond for the young ones.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** The young ones are collected so often. */
const EVERY_BYTES = 3 * 1024 * 1024;
/** In a thread of our own, where nobody waits for the milliseconds it takes, all of them: every so many times. */
const ALL_EVERY = 6;

const isCollector = (value: unknown): value is NodeJS.GCFunction => typeof value === 'function';

let collect: NodeJS.GCFunction | null = null;

/** Null where it cannot be had at this moment: the flag is the whole process's, and another thread may turn it off. */
function collector(): NodeJS.GCFunction | null {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('globalThis.gc');
    collect = isCollector(found) ? found : null;
  }
  return collect;
}

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
  collector()?.({ type: all ? 'major' : 'minor', execution: 'sync' });
}
