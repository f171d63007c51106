/** The part of the contract about what there is to rent, and what a person usually rents. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { offerPageSchema, offerQuerySchema, providerIdSchema } from './offers.ts';
import { presetListSchema } from './presets.ts';

const LONGEST_PRESETS = 64 * 1024;

export const offers = {
  query: oc
    .route({ method: 'POST', path: '/offers/query', summary: 'Search, filter, sort and page offers' })
    .input(offerQuerySchema)
    .output(offerPageSchema),
  refresh: oc
    .route({ method: 'POST', path: '/offers/refresh', summary: 'Ask the networks again' })
    .input(z.object({ provider: providerIdSchema.optional() }))
    .output(z.object({})),
  presets: oc
    .route({
      method: 'GET',
      path: '/presets',
      summary: 'What is usually rented, as the person wrote it down',
    })
    .output(presetListSchema),
  /** @throws BAD_INPUT with every mistake of the text; the file stays as it was. */
  keepPresets: oc
    .route({ method: 'PUT', path: '/presets', summary: 'Write the file of presets anew' })
    // Null: as Hitch brings it.
    .input(z.object({ text: z.string().max(LONGEST_PRESETS).nullable() }))
    .output(presetListSchema),
};
