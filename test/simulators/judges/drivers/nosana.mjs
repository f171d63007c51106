// Nosana's own client, asked by JSON-RPC, a line each way. `NOSANA_URL` and `NOSANA_API_KEY` lead it; `NOSANA_CLIENT` says
// where it lies.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { createNosanaApi } = await import(pathToFileURL(process.env.NOSANA_CLIENT ?? '').href);
const { markets, credits, deployments } = createNosanaApi('mainnet', process.env.NOSANA_API_KEY, {
  backend_url: process.env.NOSANA_URL,
});

/** Each takes its parameters by their names. What the client gives has methods beside what it read: only that is told. */
const calls = {
  markets: () => markets.list(),
  balance: () => credits.balance(),
  create: ({ order }) => deployments.create(order),
  get: ({ id }) => deployments.get(id),
  list: async () => {
    const all = [];
    for (
      let page = await deployments.list({ limit: 10 });
      page !== null;
      page = (await page.nextPage?.()) ?? null
    ) {
      all.push(...page.deployments);
    }
    return all;
  },
  start: async ({ id }) => (await deployments.get(id)).start(),
  stop: async ({ id }) => (await deployments.get(id)).stop(),
  delete: async ({ id }) => (await deployments.get(id)).delete(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  const said = await calls[method](params).then(
    result => ({ result: result ?? null }),
    error => ({ error: { message: String(error) } }),
  );
  process.stdout.write(`${JSON.stringify({ id, ...said })}\n`);
}
