/** Akash, registered. Its catalogue can be read without an account. */
import * as z from 'zod';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { AkashProvider } from './akash-provider.ts';
import { ID } from './offers.ts';

export const network = defineNetwork({
  id: ID,
  settings: z.strictObject({
    /** Where the API of its console is asked, such as a simulator of it. */
    url: baseSchema.default('https://console-api.akash.network'),
  }),
  environment: { HITCH_AKASH_URL: value => ({ url: value }) },
  build: ({ url: base }, { clock, transport, login }) => ({
    provider: new AkashProvider({ base, transport, login, clock }),
  }),
});
