/** The networks whose catalogues are read without an account and where nothing can be rented yet. */
import assert from 'node:assert/strict';
import type { Offer } from '@hitch/contract';
import * as z from 'zod';
import { network as nosana } from '../../backend-proxy/src/providers/nosana/network.ts';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { NOSANA_MARKETS } from '../simulators/nosana/markets.ts';
import { NOSANA_KEY, NosanaSimulator } from '../simulators/nosana/simulator.ts';
import { describeCatalogue } from './catalogue-suite.ts';
import { signal } from './provider-rig.ts';

const words = (offers: readonly Offer[]) =>
  offers.map(
    ({ gpuCount, gpuModel, vramMiB, pricePerHourMicroUsd, basis, stock }) =>
      `${gpuCount.toString()}× ${gpuModel ?? ''} ${(vramMiB / 1024).toString()} GB ${pricePerHourMicroUsd} ${basis ?? ''} (${stock.toString()})`,
  );

const leftOut = async (provider: Provider): Promise<string | null> => {
  await provider.offers(signal);
  return provider.offersLeftOut?.() ?? null;
};

describeCatalogue({
  name: 'Nosana',
  network: nosana,
  simulator: clock => new NosanaSimulator({ clock }),
  login: { apiKey: NOSANA_KEY },
  own: open => {
    it('adds the network’s fee to each market’s price, and says which have no price or no GPU', async () => {
      const { provider, simulator } = open();
      assert.deepEqual(words(await provider.offers(signal)), [
        // $0.218175 and 10 %, rounded up once.
        '1× RTX 4090 24 GB 239993 most (1)',
        '1× RTX 3090 24 GB 195360 most (1)',
        '1× A100-SXM4-80GB 80 GB 990000 most (1)',
        '8× RTX A5000 24 GB 2640000 most (1)',
      ]);
      assert.equal(
        await leftOut(provider),
        'Of Nosana’s markets are left out: 1 of which it says no price, 1 of which it says no GPU.',
      );
      const [market] = NOSANA_MARKETS;
      simulator.markets = [{ ...market, network_fee_percentage: 12.5 }, 'soon'];
      assert.deepEqual(
        (await provider.offers(signal)).map(({ priceParts }) => priceParts),
        [
          [
            { label: 'GPU', perHourMicroUsd: '218175' },
            { label: 'network fee', perHourMicroUsd: '27272' },
          ],
        ],
      );
      assert.equal(await leftOut(provider), 'Of Nosana’s markets are left out: 1 that could not be read.');
    });

    it('shows what stands on the account with its market’s price, over several pages, and what is left', async () => {
      const { provider, simulator } = open();
      const ids = [];
      for (let number = 0; number < 103; number++) {
        ids.push(await deployed(simulator, `made-${number.toString()}`));
      }
      // A draft holds no machine.
      assert.deepEqual(await provider.list(signal), []);
      for (const id of [ids[0], ids[102]]) {
        await toNosana(simulator, 'POST', `/api/deployments/${id ?? ''}/start`);
      }
      const pages: string[] = [];
      const listed = await provider.list(signal, () => Promise.resolve(void pages.push('next')));
      assert.deepEqual(
        listed.map(({ id, mark, status, rates: [rate] }) => [id, mark, status, rate?.perHourMicroUsd]),
        [
          [ids[102], 'made-102', 'booting', 479_986n],
          [ids[0], 'made-0', 'booting', 479_986n],
        ],
      );
      assert.equal(pages.length, 2, 'a second page, and the markets');
      assert.equal((await provider.account?.(signal))?.balanceMicroUsd, 100_000_000n);
      assert.deepEqual(simulator.complaints, []);
    });
  },
});

async function toNosana(simulator: NosanaSimulator, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${NOSANA_KEY}`, 'user-agent': 'somebody' };
  const answer = await simulator.handle({ method, path, query: new URLSearchParams(), headers, body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function deployed(simulator: NosanaSimulator, name: string): Promise<string> {
  const body = await toNosana(simulator, 'POST', '/api/deployments/create', {
    name,
    market: NOSANA_MARKETS[0]?.address,
    replicas: 2,
    timeout: 60,
    strategy: 'SIMPLE-EXTEND',
    job_definition: { version: '0.1', type: 'container', ops: [{ id: 'one' }] },
  });
  return z.looseObject({ id: z.string() }).parse(body).id;
}
