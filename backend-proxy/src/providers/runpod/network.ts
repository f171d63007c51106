/** RunPod, registered. */
import * as z from 'zod';
import { defineNetwork } from '../network.ts';
import { ID } from './offers.ts';
import { RunpodProvider } from './runpod-provider.ts';

export const network = defineNetwork({
  id: ID,
  settings: z.strictObject({ base: z.string().default('https://api.runpod.io') }),
  environment: { HITCH_RUNPOD_URL: value => ({ base: value.replace(/\/+$/, '') }) },
  build: ({ base }, { transport, login, clock }) => ({
    provider: new RunpodProvider({ base, transport, login, clock }),
  }),
});
