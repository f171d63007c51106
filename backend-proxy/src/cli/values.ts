/** Values as people type them on the command line, each refused with a sentence. */
import {
  clusterIdSchema,
  clusterNameSchema,
  cutText,
  formatMicroUsd,
  parseDollars,
  wishesSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { parseDuration } from './screen/times.ts';

/** A schema from a parser that throws RangeError with a sentence. */
function typed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

/** Dollars as typed (`2`, `$0.42`), micro-USD on the wire. */
export const dollars = typed(text => formatMicroUsd(parseDollars(text)));

export const duration = typed(parseDuration);

/** What an image is called, where it is rented with one. */
export const imageName = z.string().refine(text => wishesSchema.shape.image.safeParse(text).success, {
  error: issue => `"${cutText(String(issue.input), 60)}" is not the name of an image.`,
});

/** The same, or `none`, which is null. */
export const orNone = <T>(schema: z.ZodType<T, string>) =>
  z.string().transform((text, context): T | null => {
    if (text === 'none') {
      return null;
    }
    const { data, error } = schema.safeParse(text);
    // A union would say of both only that neither fits.
    error?.issues.forEach(({ message }) => context.addIssue({ code: 'custom', message }));
    return data ?? z.NEVER;
  });

/** A length of time, or `never`, which is null. */
export const durationOrNever = typed(text =>
  text.trim().toLowerCase() === 'never' ? null : parseDuration(text),
);

export function wholeNumber(low: number, high: number) {
  return typed(text => {
    const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high)) {
      throw new RangeError(
        `"${cutText(text, 40)}" is not a whole number from ${low} to ${high.toLocaleString('en-US')}.`,
      );
    }
    return value;
  });
}

/** Hours that are paid at once: a year at most. */
export const hours = wholeNumber(1, 8_784);

/** `98` or `98%` as a share of one. */
export const percent = typed(text => {
  const match = /^(\d{1,3}(?:\.\d+)?)\s*%?$/.exec(text.trim());
  const value = match === null ? Number.NaN : Number(match[1]);
  if (!(value >= 0 && value <= 100)) {
    throw new RangeError(`"${cutText(text, 40)}" is not a percentage from 0 to 100.`);
  }
  return value / 100;
});

/** A cluster by the name people gave it or by its id. */
export const clusterRef = z
  .string()
  .refine(text => clusterNameSchema.safeParse(text).success || clusterIdSchema.safeParse(text).success, {
    error: issue =>
      `"${cutText(String(issue.input), 60)}" is not a cluster's name or id; hitch ls shows them.`,
  });

export function oneOf<const Value extends string>(values: readonly Value[]) {
  return z.string().refine((text): text is Value => values.some(value => value === text), {
    error: issue => `"${cutText(String(issue.input), 40)}" is not one of ${values.join(', ')}.`,
  });
}
