/** Amounts as networks write them, in decimal dollars. */
import { MAX_MICRO_USD, type MicroUsd } from '@hitch/contract';
import * as z from 'zod';

const DECIMAL = /^([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/;

/**
 * Decimal dollars, exactly, in micro-USD; what is left of a micro-dollar counts as a whole one, so that no limit is passed by
 * rounding. A number is taken as the shortest decimal that stands for it, not as its binary value.
 * @param share the part of it that is wanted, such as `{ times: 50n, over: 720n }` of dollars a month for an hour of 50 GB
 * @throws RangeError for what is no amount, below 0, or above the largest that Hitch takes.
 */
export function microUsdOf(dollars: number | string, share: Share = WHOLE): MicroUsd {
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
  const amount = dividedUp(
    digits * share.times * 10n ** BigInt(Math.max(power, 0)),
    share.over * 10n ** BigInt(Math.min(Math.max(-power, 0), 400)),
  );
  if (amount > MAX_MICRO_USD) {
    throw new RangeError(`$${text} is over the largest amount Hitch accepts.`);
  }
  return amount;
}

export interface Share {
  readonly times: bigint;
  /** Above 0. */
  readonly over: bigint;
}
const WHOLE: Share = { times: 1n, over: 1n };

const dividedUp = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by;

const dollarsAs = (read: (dollars: number | string) => MicroUsd) =>
  z.union([z.number(), z.string()]).transform((value, context): MicroUsd => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });

/** Decimal dollars in an answer, read as micro-USD. */
export const dollarsSchema = dollarsAs(dollars => microUsdOf(dollars));

/** The same for what may be below 0, such as a balance or a credit, which are rounded away from 0. */
export const signedDollarsSchema = dollarsAs(dollars => {
  const text = String(dollars).trim();
  return text.startsWith('-') ? 0n - microUsdOf(text.slice(1)) : microUsdOf(text);
});
