/** What it costs the daemon to read the offers of six networks anew, 20,000 rows together. */
import { crowdedNetworks } from '../crowded-networks.ts';
import { processorSeconds } from '../daemon-under-test.ts';
import { type Benchmark, figure, median } from '../figure.ts';
import { startWith } from '../simulated-networks.ts';

const ROUNDS = 3;
const OFFERS = 20_000;
/** Of Vast.ai a search answers at most 3,000 rows, each an offer on demand and one by bids; of the others far more than they have. */
const ROWS = { vast: 900, ionet: 4_000, prime: 10_000, akash: 100, nosana: 100, runpod: 60 };

export const networksRefresh: Benchmark = {
  names: ['networks_refresh_cpu_s'],
  async run(report) {
    const networks = await startWith(crowdedNetworks(ROWS));
    const { daemon } = networks;
    try {
      const { total } = await daemon.client.api.offers.query({ filter: {}, limit: 1 });
      report(`${total.toString()} offers; asking all networks again`);
      if (total < OFFERS) {
        throw new Error(`There are ${total.toString()} offers: this figure is of ${OFFERS.toString()}.`);
      }
      const spent: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const before = processorSeconds(daemon.pid);
        await daemon.client.api.offers.refresh({});
        spent.push(processorSeconds(daemon.pid) - before);
      }
      return [
        figure({
          name: 'networks_refresh_cpu_s',
          value: median(spent),
          unit: 's of processor time',
          target: { atMost: 2 },
          note: `${total.toString()} offers of six networks; ${spent.map(seconds => seconds.toFixed(2)).join(', ')} in turn`,
        }),
      ];
    } finally {
      await networks.end();
    }
  },
};
