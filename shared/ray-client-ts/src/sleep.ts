import { setTimeout as delay } from 'node:timers/promises';

/** Waits; rejects when the signal aborts. Injectable, so that tests run on a clock of their own. */
export type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

/** The wall clock. */
export const realSleep: Sleep = async (ms, signal) => {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
};

/** Waits, and rejects with the signal's own reason however `sleep` words it. */
export async function pause(sleep: Sleep, ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
