/** io.net's virtual machines, registered. */
import * as z from 'zod';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { IONET_URL } from './ionet-api.ts';
import { IonetProvider } from './ionet-provider.ts';

export const network = defineNetwork({
  id: 'ionet',
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default(IONET_URL),
  }),
  environment: { HITCH_IONET_URL: value => ({ url: value }) },
  build: ({ url: base }, { clock, transport, login }) => ({
    provider: new IonetProvider({ base, transport, clock, login }),
  }),
});
