/** Nosana, registered. Its markets can be read without an account. */
import * as z from 'zod';
import { CatalogueOnly } from '../catalogue-only.ts';
import { baseSchema } from '../http/base.ts';
import { NetworkHttp } from '../http/network-http.ts';
import { defineNetwork } from '../network.ts';
import { marketsSchema, readMarkets } from './offers.ts';

const TITLE = 'Nosana';

export const network = defineNetwork({
  id: 'nosana',
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default('https://api.nosana.com'),
  }),
  environment: { HITCH_NOSANA_URL: value => ({ url: value }) },
  build: ({ url: base }, { clock, transport, login }) => {
    const http = new NetworkHttp({ title: TITLE, base, transport, login, authorize: () => ({}) });
    return {
      provider: new CatalogueOnly({
        id: 'nosana',
        title: TITLE,
        notRentable: `Hitch cannot rent from ${TITLE} yet: its machines are reached by web addresses only, there is no SSH.`,
        // It says nothing of a limit.
        limit: { perMinute: 6 },
        offers: async signal => {
          const { value } = await http.ask(
            { method: 'GET', path: '/api/markets/', login: 'none', changes: false, answer: marketsSchema },
            signal,
          );
          return readMarkets(value, clock.now());
        },
      }),
    };
  },
});
