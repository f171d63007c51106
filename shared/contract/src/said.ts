/**
 * Bounds of what a machine may say. A machine is a stranger's: what is read by people is cut and says so, what programs
 * rely on is refused when it is longer than any honest agent's.
 */
import * as z from 'zod';

/** The most of each kind that one answer may hold. An agent keeps far below. */
export const MOST_SAID = {
  /** Characters of a sentence for people. */
  sentence: 1_000,
  /** Characters of a name, an id, a version. */
  name: 300,
  /** Characters of what a client named, such as a cell by its URI. */
  clientName: 8_192,
  kernels: 1_000,
  terminals: 1_000,
  /** Reasons why a node counts as busy. */
  activity: 2_000,
  gpus: 256,
  /** Packages that were installed by hand. */
  packages: 2_000,
  executions: 20_000,
  /** Cells whose last execution is on no list any more. */
  forgottenCells: 5_000,
  /** Outputs of one execution. */
  outputs: 50_000,
} as const;

/** The text, cut where it is longer than `most` characters; what it then ends with says so. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  // Not between the two halves of one character.
  const kept = text.slice(0, most).replace(/[\ud800-\udbff]$/, '');
  return `${kept}… (${(text.length - kept.length).toString()} more characters)`;
}

/** A sentence for people. */
export const saidSentence = z.string().overwrite(text => cutText(text, MOST_SAID.sentence));

/** A name, an id, a version: no control characters, and no longer than {@link MOST_SAID}. */
export const saidName = z
  .string()
  .max(MOST_SAID.name)
  .refine(name => !/\p{Cc}/u.test(name), 'must be without control characters');

/** ms since the epoch that a `Date` can hold. */
export const saidMoment = z.number().min(0).max(8.64e15);

/** A count or an amount of anything. */
export const saidAmount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
