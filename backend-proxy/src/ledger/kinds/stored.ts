/** What fields of several kinds are read with. */
import { offerSchema } from '@hitch/contract';
import * as z from 'zod';

export const milliseconds = z.number();
export const money = z
  .union([z.bigint(), z.string().regex(/^\d{1,18}$/)])
  .transform(amount => BigInt(amount));

/** Fields that offers may not have had when they were stored. */
export const storedOffer = z.preprocess(
  offer =>
    typeof offer === 'object' && offer !== null
      ? { supplier: null, connectivity: null, security: 'standard', readyInMs: null, ...offer }
      : offer,
  offerSchema,
);
