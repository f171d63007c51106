/** Nosana, registered. Its markets can be read without an account. */
import * as z from 'zod';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { NosanaProvider } from './nosana-provider.ts';
import { ID } from './offers.ts';

export const network = defineNetwork({
  id: ID,
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default('https://api.nosana.com'),
  }),
  environment: { HITCH_NOSANA_URL: value => ({ url: value }) },
  build: ({ url: base }, { clock, transport, login }) => ({
    provider: new NosanaProvider({ base, transport, login, clock }),
  }),
});
