/**
 * Money is integers: micro-USD (1 USD = 1,000,000) as `bigint` inside, a plain decimal string such as
 * `"420000"` on the wire. Floats never carry money.
 */
import * as z from 'zod';
import { cutText } from './said.ts';

declare const brand: unique symbol;

/** An amount in micro-USD, 0 … 10^15 (a billion dollars). */
export type MicroUsd = bigint & { readonly [brand]?: 'MicroUsd' };

/** The largest amount accepted anywhere: one billion dollars. A larger one is a mistake, not a price. */
export const MAX_MICRO_USD = 1_000_000_000_000_000n;

const WIRE = /^(0|[1-9][0-9]{0,15})$/;

/** Why `text` is not an amount, as a sentence, or `null` when it is one. */
export function moneyProblem(text: unknown): string | null {
  if (typeof text !== 'string') {
    return `An amount is a string of micro-dollars such as "420000" ($0.42), not a ${typeof text}.`;
  }
  if (!WIRE.test(text)) {
    return `"${cutText(text, 40)}" is not an amount: write whole micro-dollars without sign, point or exponent, such as "420000" for $0.42.`;
  }
  if (BigInt(text) > MAX_MICRO_USD) {
    return `"${text}" micro-dollars is over the largest amount Hitch accepts ($1,000,000,000).`;
  }
  return null;
}

/** An amount on the wire: a decimal string of whole micro-USD. */
export const microUsdSchema = z.string().superRefine((text, context) => {
  const problem = moneyProblem(text);
  if (problem !== null) {
    context.addIssue({ code: 'custom', message: problem });
  }
});

/** Reads an amount from the wire. @throws RangeError with a sentence when it is not one. */
export function parseMicroUsd(text: string): MicroUsd {
  const problem = moneyProblem(text);
  if (problem !== null) {
    throw new RangeError(problem);
  }
  return BigInt(text);
}

/** Writes an amount for the wire. @throws RangeError when it is negative or out of range. */
export function formatMicroUsd(amount: MicroUsd): string {
  if (amount < 0n || amount > MAX_MICRO_USD) {
    throw new RangeError(`${amount.toString()} micro-dollars is out of range.`);
  }
  return amount.toString();
}

/**
 * Reads what a person types: `2`, `2.00`, `$0.42`. At most six decimals.
 * @throws RangeError with a sentence when it is not an amount of dollars.
 */
export function parseDollars(text: string): MicroUsd {
  const match = /^\$?(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,6}))?$/.exec(text.trim());
  const whole = match?.[1];
  if (match === null || whole === undefined) {
    throw new RangeError(`"${cutText(text, 40)}" is not an amount of dollars: write it like 2 or 0.42.`);
  }
  const amount = BigInt(whole) * 1_000_000n + BigInt((match[2] ?? '').padEnd(6, '0'));
  if (amount > MAX_MICRO_USD) {
    throw new RangeError(`$${text} is over the largest amount Hitch accepts ($1,000,000,000).`);
  }
  return amount;
}

/** `2.00`, `0.022`: an amount as a person would type it, exactly; without the sign. */
export function typedDollars(amount: MicroUsd): string {
  const whole = (amount / 1_000_000n).toString();
  const decimals = (amount % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return `${whole}.${decimals.padEnd(2, '0')}`;
}

/** Amounts from here on are shown to the cent. */
const TO_THE_CENT = 100_000n;

/**
 * Shows an amount as people read it: `$0.42`; below ten cents with two digits that count, `$0.022`, so that nothing
 * jumps to a multiple of itself. Rounded up, so that no cost looks smaller than it is.
 */
export function showDollars(amount: MicroUsd): string {
  const unit = amount >= TO_THE_CENT ? 10_000n : 10n ** BigInt(Math.max(0, amount.toString().length - 2));
  return `$${typedDollars(((amount + unit - 1n) / unit) * unit)}`;
}

const MS_PER_HOUR = 3_600_000n;

/** What `ratePerHour` costs over `durationMs` milliseconds, rounded up to the micro-dollar. */
export function costOver(ratePerHour: MicroUsd, durationMs: number): MicroUsd {
  if (durationMs <= 0) {
    return 0n;
  }
  return (ratePerHour * BigInt(Math.ceil(durationMs)) + MS_PER_HOUR - 1n) / MS_PER_HOUR;
}
