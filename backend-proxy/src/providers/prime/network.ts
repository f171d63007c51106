/** Prime Intellect, registered. */
import * as z from 'zod';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { ID } from './offers.ts';
import { PrimeProvider } from './prime-provider.ts';

export const network = defineNetwork({
  id: ID,
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default('https://api.primeintellect.ai'),
  }),
  environment: { HITCH_PRIME_URL: value => ({ url: value }) },
  build: ({ url: base }, { transport, login, clock }) => ({
    provider: new PrimeProvider({ base, transport, login, clock }),
  }),
});
