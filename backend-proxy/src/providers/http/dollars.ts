/** Amounts as networks write them, in decimal dollars. */
import { MAX_MICRO_USD, type MicroUsd } from '@hitch/contract';
import * as z from 'zod';

const DECIMAL = /^([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/;

/**
 * Decimal dollars, exactly, in micro-USD; what is left of a micro-dollar counts as a whole one, so that no limit is passed by
 * rounding. A number is taken as the shortest decimal that stands for it, not as its binary value.
 * @throws RangeError for what is no amount, below 0, or above the largest that Hitch takes.
 */
export function microUsdOf(dollars: number | string): MicroUsd {
  const text = typeof dollars === 'number' ? dollars.toString() : dollars.trim();
  const match = DECIMAL.exec(text);
  if (match === null) {
    throw new RangeError(`${JSON.stringify(dollars)} is no amount of dollars.`);
  }
  const [, whole = '', decimals = '', exponent = '0'] = match;
  const digits = BigInt(whole + decimals);
  const power = Number(exponent) - decimals.length + 6;
  if (digits !== 0n && whole.length + Number(exponent) > 12) {
    throw new RangeError(`$${text} is over the largest amount Hitch accepts.`);
  }
  const amount =
    power >= 0 ? digits * 10n ** BigInt(power) : dividedUp(digits, 10n ** BigInt(Math.min(-power, 400)));
  if (amount > MAX_MICRO_USD) {
    throw new RangeError(`$${text} is over the largest amount Hitch accepts.`);
  }
  return amount;
}

const dividedUp = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by;

/** Decimal dollars in an answer, read as micro-USD. */
export const dollarsSchema = z.union([z.number(), z.string()]).transform((value, context): MicroUsd => {
  try {
    return microUsdOf(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});
