/** Waiting for what real processes do. */
import { setTimeout as delay } from 'node:timers/promises';
export { delay };
/**
 * Looks until `check` answers something else than false, null or undefined. Real servers on a busy machine need
 * generous limits: a test that waits in vain fails with what it waited for,
 * and with what it saw last where that is given.
 */
export declare function until<T>(what: string, check: () => T | false | null | undefined | Promise<T | false | null | undefined>, withinMs?: number, saw?: () => string): Promise<T>;
