/**
 * Building blocks of the answer schemas.
 *
 * Two hazards live here. Protobuf int64 values arrive as strings in some columns and as JSON numbers in others,
 * and "not set" is spelt 0, -1 or 2^64-1. And Ray grows: unknown fields pass through, unknown enum values too.
 */
import * as z from 'zod';

/** The values known to Ray 2.58, and whatever a later one adds. Compare with strings, end with a default branch. */
export type OpenEnum<Known extends string> = Known | (string & Record<never, never>);

/** A string on the wire, typed with its known values. */
export function openEnum<Known extends string>(): z.ZodType<OpenEnum<Known>, OpenEnum<Known>> {
  return z.custom<OpenEnum<Known>>(value => typeof value === 'string', { message: 'expected a string' });
}

const INTEGER = /^-?\d+$/;

/** A count: a number or an int64 string on the wire; a number here (exact up to 2^53). */
export const int64 = z.union([z.number(), z.string().regex(INTEGER).transform(Number)]);

/** Unix milliseconds, a number or an int64 string on the wire; null where Ray wrote 0, -1 or 2^64-1 for "not set". */
export const timestampMs = z
  .union([z.number(), z.string().regex(INTEGER).transform(Number)])
  .nullable()
  .transform(value => (value === null || value <= 0 || value >= 2 ** 63 ? null : value));

/** An integer beyond 2^53 (nanoseconds): a decimal string, so that no digit is lost and JSON can carry it. */
export const int64String = z.union([z.string().regex(INTEGER), z.number().int().transform(String)]);

/** Amounts by resource name, such as `{ CPU: 2, memory: 22834433536 }`; memory in bytes. */
export const resources = z.record(z.string(), z.number());

/** Free-form text by name. */
export const stringMap = z.record(z.string(), z.string());

/** `{ result, msg, data }`, around everything but jobs, version and activities. */
export function envelope<Data extends z.ZodType>(data: Data) {
  return z.looseObject({ result: z.boolean(), msg: z.string(), data });
}
