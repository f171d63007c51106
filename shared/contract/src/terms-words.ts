/** What is asked for beside what an offer says, and how it is said. */
import * as z from 'zod';
import { dollars } from './format.ts';
import { microUsdSchema } from './money.ts';
import { termWords } from './offer-words.ts';
import { shownName } from './shown/text.ts';

/** A year: nobody sells more at once. */
const MOST_TERM_MS = 366 * 24 * 3_600_000;

const wishes = {
  /** Each machine has a disk of so much at least: of just so much where its size is chosen. */
  diskGiB: z.number().int().min(1).max(1_000_000).nullable(),
  /** A container image, or the network's own name of a VM image. */
  image: z
    .string()
    .max(500)
    .regex(/^[!-~]+$/, 'is not the name of an image')
    .nullable(),
  /** The most that one spot machine may cost an hour, everything included: it is taken back once somebody pays more. */
  bidPerHourMicroUsd: microUsdSchema.nullable(),
  /** So long is paid at once where time is sold ahead, down to whole terms; never longer than until the stop time. */
  termMs: z.number().int().min(60_000).max(MOST_TERM_MS).nullable(),
};

/**
 * Null: as it is offered; of time that is sold ahead, until the stop time, as far as the spending limit goes. Only offers that
 * are sold so come into question (`takes`, `termMs`).
 */
export const wishesSchema = z.object({
  diskGiB: wishes.diskGiB.default(null),
  image: wishes.image.default(null),
  bidPerHourMicroUsd: wishes.bidPerHourMicroUsd.default(null),
  termMs: wishes.termMs.default(null),
});
export type Wishes = z.infer<typeof wishesSchema>;

/** Left out: as it was ordered. */
export const wishChangeSchema = z.object({
  diskGiB: wishes.diskGiB.optional(),
  image: wishes.image.optional(),
  bidPerHourMicroUsd: wishes.bidPerHourMicroUsd.optional(),
  termMs: wishes.termMs.optional(),
});
export type WishChange = z.infer<typeof wishChangeSchema>;

/** What is given of it. */
export const wishesIn = ({ diskGiB, image, bidPerHourMicroUsd, termMs }: WishChange): Partial<Wishes> => ({
  ...(diskGiB === undefined ? {} : { diskGiB }),
  ...(image === undefined ? {} : { image }),
  ...(bidPerHourMicroUsd === undefined ? {} : { bidPerHourMicroUsd }),
  ...(termMs === undefined ? {} : { termMs }),
});

/** `a disk of 200 GB, the image x and a bid of $0.30/h`; '' where nothing is asked for. */
export function wishWords({ diskGiB, image, bidPerHourMicroUsd, termMs }: Wishes): string {
  const words = [
    ...(diskGiB === null ? [] : [`a disk of ${diskGiB.toString()} GB`]),
    ...(image === null ? [] : [`the image ${shownName(image)}`]),
    ...(bidPerHourMicroUsd === null ? [] : [`a bid of ${dollars(bidPerHourMicroUsd)}/h`]),
    ...(termMs === null ? [] : [`${termWords(termMs)} paid at once`]),
  ];
  const last = words.pop() ?? '';
  return words.length === 0 ? last : `${words.join(', ')} and ${last}`;
}
