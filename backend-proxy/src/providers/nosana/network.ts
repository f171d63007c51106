/** Nosana, registered. Its markets can be read without an account; of an account it is only shown what stands there. */
import * as z from 'zod';
import { type CatalogueAccount, CatalogueOnly } from '../catalogue-only.ts';
import { baseSchema } from '../http/base.ts';
import { asBearer, loginByKey } from '../http/key-login.ts';
import { NetworkHttp } from '../http/network-http.ts';
import { defineNetwork } from '../network.ts';
import { type Instance, ProviderError } from '../provider.ts';
import { accountOf, balanceSchema, deploymentsSchema, holdsMachines, instanceOf } from './account.ts';
import { marketsSchema, pricesIn, readMarkets } from './offers.ts';

const TITLE = 'Nosana';
/** The most that a page of its lists has. */
const PAGE = 100;

const LOGIN = loginByKey({
  help: 'Nothing is rented with it: Hitch shows what stands on the account, and what is left.',
  url: 'https://deploy.nosana.com/account/',
  variable: 'NOSANA_API_KEY',
  offersNeedIt: false,
  scopes: [
    { scope: 'deployments:read', why: 'to show what stands on the account' },
    { scope: 'credits:read', why: 'to show what is left' },
  ],
});

export const network = defineNetwork({
  id: 'nosana',
  settings: z.strictObject({
    /** Where its API is asked, such as a simulator of it. */
    url: baseSchema.default('https://api.nosana.com'),
  }),
  environment: { HITCH_NOSANA_URL: value => ({ url: value }) },
  build: ({ url: base }, { clock, transport, login }) => {
    const http = new NetworkHttp({ title: TITLE, base, transport, login, authorize: asBearer });
    return {
      provider: new CatalogueOnly({
        id: 'nosana',
        title: TITLE,
        notRentable: `Hitch cannot rent from ${TITLE} yet: its machines are reached by web addresses only, there is no SSH.`,
        // It says nothing of a limit.
        limit: { perMinute: 6 },
        offers: async signal => readMarkets(await markets(http, signal), clock.now()),
        account: accountAt(http),
      }),
    };
  },
});

async function markets(http: NetworkHttp, signal: AbortSignal): Promise<readonly unknown[]> {
  const { value } = await http.ask(
    { method: 'GET', path: '/api/markets/', login: 'none', changes: false, answer: marketsSchema },
    signal,
  );
  return value;
}

const accountAt = (http: NetworkHttp): CatalogueAccount => ({
  login: LOGIN,
  // The same.
  limit: { perMinute: 12 },
  said: async (signal, tried) => {
    const { value } = await http.ask(
      {
        method: 'GET',
        path: '/api/credits/balance',
        login: 'needed',
        ...(tried === undefined ? {} : { tried }),
        changes: false,
        answer: balanceSchema,
      },
      signal,
    );
    return accountOf(value);
  },
  list: async (signal, nextPage) => {
    const standing = [];
    const read = new Set<string>();
    for (let cursor: string | undefined; ;) {
      const { value } = await http.ask(
        {
          method: 'GET',
          path: '/api/deployments',
          query: { limit: PAGE, cursor },
          login: 'needed',
          changes: false,
          answer: deploymentsSchema,
        },
        signal,
      );
      standing.push(...value.deployments.filter(holdsMachines));
      cursor = value.pagination.cursor_next ?? undefined;
      if (cursor === undefined) {
        break;
      }
      if (read.has(cursor)) {
        throw new ProviderError('retryable', `${TITLE}'s list leads back to a page that was read before.`);
      }
      read.add(cursor);
      await nextPage?.();
    }
    if (standing.length === 0) {
      return [];
    }
    await nextPage?.();
    const prices = pricesIn(await markets(http, signal));
    return standing.map((deployment): Instance => instanceOf(deployment, prices));
  },
});
