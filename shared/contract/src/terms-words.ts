/** What is asked for beside what an offer says, and how it is said. */
import * as z from 'zod';
import { dollars } from './format.ts';
import { microUsdSchema } from './money.ts';
import { shownName } from './shown/text.ts';

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
};

/** Null: as it is offered. Only offers that are sold so come into question (`takes`). */
export const wishesSchema = z.object({
  diskGiB: wishes.diskGiB.default(null),
  image: wishes.image.default(null),
  bidPerHourMicroUsd: wishes.bidPerHourMicroUsd.default(null),
});
export type Wishes = z.infer<typeof wishesSchema>;

/** Left out: as it was ordered. */
export const wishChangeSchema = z.object({
  diskGiB: wishes.diskGiB.optional(),
  image: wishes.image.optional(),
  bidPerHourMicroUsd: wishes.bidPerHourMicroUsd.optional(),
});
export type WishChange = z.infer<typeof wishChangeSchema>;

/** What is given of it. */
export const wishesIn = ({ diskGiB, image, bidPerHourMicroUsd }: WishChange): Partial<Wishes> => ({
  ...(diskGiB === undefined ? {} : { diskGiB }),
  ...(image === undefined ? {} : { image }),
  ...(bidPerHourMicroUsd === undefined ? {} : { bidPerHourMicroUsd }),
});

/** `a disk of 200 GB, the image x and a bid of $0.30/h`; '' where nothing is asked for. */
export function wishWords({ diskGiB, image, bidPerHourMicroUsd }: Wishes): string {
  const words = [
    ...(diskGiB === null ? [] : [`a disk of ${diskGiB.toString()} GB`]),
    ...(image === null ? [] : [`the image ${shownName(image)}`]),
    ...(bidPerHourMicroUsd === null ? [] : [`a bid of ${dollars(bidPerHourMicroUsd)}/h`]),
  ];
  const last = words.pop() ?? '';
  return words.length === 0 ? last : `${words.join(', ')} and ${last}`;
}
