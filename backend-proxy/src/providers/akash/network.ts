/** Akash, registered. Its catalogue can be read without an account. */
import * as z from 'zod';
import { CatalogueOnly } from '../catalogue-only.ts';
import { NetworkHttp } from '../http/network-http.ts';
import { baseSchema } from '../http/base.ts';
import { defineNetwork } from '../network.ts';
import { pricesSchema, readPrices } from './offers.ts';

const TITLE = 'Akash';

export const network = defineNetwork({
  id: 'akash',
  settings: z.strictObject({
    /** Where the API of its console is asked, such as a simulator of it. */
    url: baseSchema.default('https://console-api.akash.network'),
  }),
  environment: { HITCH_AKASH_URL: value => ({ url: value }) },
  build: ({ url: base }, { clock, transport, login }) => {
    const http = new NetworkHttp({ title: TITLE, base, transport, login, authorize: () => ({}) });
    return {
      provider: new CatalogueOnly({
        id: 'akash',
        title: TITLE,
        notRentable: `Hitch cannot rent from ${TITLE} yet: it shows what GPUs cost there.`,
        // It says nothing of a limit.
        limit: { perMinute: 6 },
        offers: async signal => {
          const { value } = await http.ask(
            { method: 'GET', path: '/v1/gpu-prices', login: 'none', changes: false, answer: pricesSchema },
            signal,
          );
          return readPrices(value, clock.now());
        },
      }),
    };
  },
});
