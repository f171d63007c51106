/** Vast.ai, registered. */
import * as z from 'zod';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { VAST_URL } from './api.ts';
import { VastProvider } from './vast-provider.ts';

export const network = defineNetwork({
  id: 'vast',
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default(VAST_URL),
  }),
  environment: { HITCH_VAST_URL: value => ({ url: value }) },
  build: ({ url: base }, { clock, transport, login }) => ({
    provider: new VastProvider({ base, transport, clock, login }),
  }),
});
