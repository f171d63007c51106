/** The networks whose catalogues are read without an account and where nothing can be rented yet. */
import assert from 'node:assert/strict';
import type { Offer } from '@hitch/contract';
import { network as akash } from '../../backend-proxy/src/providers/akash/network.ts';
import { network as nosana } from '../../backend-proxy/src/providers/nosana/network.ts';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { AKASH_MODELS, AkashSimulator } from '../simulators/akash/simulator.ts';
import { NOSANA_MARKETS, NosanaSimulator } from '../simulators/nosana/simulator.ts';
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
  name: 'Akash',
  network: akash,
  simulator: () => new AkashSimulator(),
  own: open => {
    it('has a row for each model that is free, at an estimate, and says which have no price', async () => {
      const { provider, simulator } = open();
      assert.deepEqual(words(await provider.offers(signal)), [
        '1× RTX 4090 24 GB 452371 estimate (11)',
        '1× H100 SXM 80 GB 1631200 estimate (3)',
        '1× A100 SXM 80 GB 790000 estimate (8)',
        '1× A100 40 GB 710000 estimate (2)',
        '1× GTX 1070 Ti 8 GB 60000 estimate (1)',
        '1× AMD MI100 32 GB 300000 estimate (1)',
      ]);
      assert.equal(await leftOut(provider), 'Of Akash’s models are left out: 1 of which it says no price.');
      simulator.models = [...AKASH_MODELS.slice(0, 1), { model: 7 }];
      assert.equal(await leftOut(provider), 'Of Akash’s models are left out: 1 that could not be read.');
    });
  },
});

describeCatalogue({
  name: 'Nosana',
  network: nosana,
  simulator: () => new NosanaSimulator(),
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
  },
});
