/** RunPod, registered. */
import * as z from 'zod';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { ID } from './offers.ts';
import { RunpodProvider } from './runpod-provider.ts';

export const network = defineNetwork({
  id: ID,
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default('https://api.runpod.io'),
  }),
  environment: { HITCH_RUNPOD_URL: value => ({ url: value }) },
  build: ({ url: base }, { transport, login, clock }) => ({
    provider: new RunpodProvider({ base, transport, login, clock }),
  }),
});
