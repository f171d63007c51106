/** Waiting for what real processes do. */
import { setTimeout as delay } from 'node:timers/promises';

export { delay };

const LOOK_AGAIN_MS = 50;

/**
 * Looks until `check` answers something else than false, null or undefined. Real servers on a busy machine need
 * generous limits: a test that waits in vain fails with what it waited for,
 * and with what it saw last where that is given.
 */
export async function until<T>(
  what: string,
  check: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  withinMs = 120_000,
  saw?: () => string,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await check();
    if (found !== false && found !== null && found !== undefined) {
      return found;
    }
    if (performance.now() > deadline) {
      throw new Error(
        `Waited ${Math.round(withinMs / 1000).toString()} s in vain: ${what}${saw === undefined ? '' : `; it saw ${saw()}`}`,
      );
    }
    await delay(LOOK_AGAIN_MS);
  }
}
