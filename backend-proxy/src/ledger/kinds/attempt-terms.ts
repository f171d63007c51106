/** On what terms a machine is bought: frozen in the quote, kept with the purchase. */
import { marketSchema, type MicroUsd, type Offer } from '@hitch/contract';
import * as z from 'zod';
import { milliseconds, money } from './stored.ts';

/** What was agreed to beside the offer: frozen in the quote, sent to the network as it is. */
export interface Terms {
  /** How long is bought, where the offer is sold by terms: a multiple of its `termMs`; null: it costs what it is used. */
  readonly termMs: number | null;
  readonly diskGiB: number;
  readonly market: Offer['market'];
  /** The most that a spot machine may cost an hour; null: what it costs is not bid for. */
  readonly bidPerHourMicroUsd: MicroUsd | null;
  /** A container image, or the network's own name of a VM image; null: the network's default. */
  readonly image: string | null;
}

export const termsSchema = z.object({
  termMs: milliseconds.nullable(),
  diskGiB: z.number().int(),
  market: marketSchema,
  bidPerHourMicroUsd: money.nullable(),
  image: z.string().nullable(),
}) satisfies z.ZodType<Terms>;
