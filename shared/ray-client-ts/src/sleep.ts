import { setTimeout as delay } from 'node:timers/promises';

/** Waits. Rejects with the signal's reason when it aborts. Injectable, so that tests run on a clock of their own. */
export type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

/** The wall clock; does not keep a process alive. */
export const realSleep: Sleep = async (ms, signal) => {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
};
