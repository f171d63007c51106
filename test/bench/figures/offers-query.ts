/** How long the offer book takes over 100,000 offers, for the queries that people make. */
import type { OfferQuery } from '@hitch/contract';
import { offerQuerySchema } from '@hitch/contract';
import { OfferBook } from '../../../backend-proxy/src/offers/offer-book.ts';
import { manyOffers } from '../../support/many-offers.ts';
import { figure, percentile, timed, type Benchmark } from '../figure.ts';

const OFFERS = 100_000;
const ROUNDS = 60;

const queries: readonly OfferQuery[] = [
  {},
  {
    filter: { trusts: ['verified', 'data_center'], minReliability: 0.98, minVramMiB: 24_576, minGpuCount: 1 },
  },
  { filter: { gpuModels: ['RTX 4090'], markets: ['spot'] }, sort: { key: 'pricePerGpuHour' } },
  { filter: { text: 'h100 de' }, sort: { key: 'reliability', descending: true } },
  {
    filter: { maxPricePerHourMicroUsd: '1500000', multiNode: true },
    sort: { key: 'ram', descending: true },
    offset: 500,
  },
].map(query => offerQuerySchema.parse(query));

export const offersQuery: Benchmark = {
  names: ['offers_query_p95_ms'],
  async run(report) {
    const offers = manyOffers(OFFERS);
    const book = new OfferBook();
    book.replace('sandbox', offers, 0);
    for (const query of queries) {
      book.query(query);
    }
    report(`${ROUNDS.toString()} rounds of ${queries.length.toString()} queries`);
    const times: number[] = [];
    const plain: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const query of queries) {
        times.push(await timed(async () => book.query(query)));
      }
      plain.push(
        await timed(async () => offers.filter(({ gpuModel }) => gpuModel === 'RTX 4090').sort(byPrice)),
      );
    }
    return [
      figure({
        name: 'offers_query_p95_ms',
        value: percentile(times, 95),
        unit: 'ms',
        baseline: percentile(plain, 95),
        target: { atMost: 5 },
        note: `filter, sort and page over ${OFFERS.toString()} offers; baseline: Array.filter and sort of one GPU model`,
      }),
    ];
  },
};

function byPrice(a: { pricePerHourMicroUsd: string }, b: { pricePerHourMicroUsd: string }): number {
  return Number(a.pricePerHourMicroUsd) - Number(b.pricePerHourMicroUsd);
}
