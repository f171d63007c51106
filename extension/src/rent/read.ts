/** Amounts and times as people type them. */
import { parseDollars } from '@hitch/contract/src/money.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Reads `2` or `$2.50`; a sentence when it is not an amount above nothing. */
export function readDollars(text: string): { readonly amount: bigint } | { readonly problem: string } {
  try {
    const amount = parseDollars(text);
    return amount === 0n ? { problem: 'The spending limit is $0.00: enter at least 0.01.' } : { amount };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const UNITS: Readonly<Record<string, number>> = { m: MINUTE_MS, min: MINUTE_MS, h: HOUR_MS, d: 24 * HOUR_MS };

/** Reads `30 min`, `2h`, `1 d`; `never`, `none` or nothing is 0. */
export function readDuration(text: string): { readonly ms: number } | { readonly problem: string } {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '' || trimmed === '0' || trimmed === 'never' || trimmed === 'none') {
    return { ms: 0 };
  }
  const match = /^(\d+(?:\.\d+)?)\s*(m|min|h|d)$/.exec(trimmed);
  const unit = UNITS[match?.[2] ?? ''];
  const ms = unit === undefined ? Number.NaN : Math.round(Number(match?.[1]) * unit);
  return ms >= MINUTE_MS && ms <= 30 * 24 * HOUR_MS
    ? { ms }
    : { problem: 'Enter a time from 1 min to 30 d, such as 30 min, 2 h or 1 d; or “never”.' };
}
