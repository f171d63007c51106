/** What is tried besides the first choice needs money at its own network, and is left out where there is none. */
import assert from 'node:assert/strict';
import { quoteRequestSchema } from '@hitch/contract';
import { OTHER, otherNetwork } from './other-network.ts';
import { Practice } from './practice.ts';

const withBalance = (balanceMicroUsd: bigint) =>
  new Practice({
    others: clock => [
      otherNetwork(clock, () => ({
        account: () =>
          Promise.resolve({
            id: null,
            name: 'me',
            scopes: null,
            balanceMicroUsd,
            spendLimitPerHourMicroUsd: null,
          }),
      })),
    ],
  }).open();

/** A quote for one machine of the market, with one like it at the other network. */
async function quoteBeside(balanceMicroUsd: bigint) {
  const practice = await withBalance(balanceMicroUsd);
  const [offer] = practice.book.query({
    filter: { providers: ['sandbox'], gpuModels: ['RTX 4090'], markets: ['on_demand'] },
    sort: { key: 'pricePerHour', descending: false },
    offset: 0,
    limit: 1,
  }).offers;
  assert.ok(offer !== undefined);
  practice.book.replace(OTHER, [{ ...offer, id: `${OTHER}:1`, provider: OTHER }], practice.clock.now());
  const request = quoteRequestSchema.parse({ offerIds: [offer.id] });
  const { candidates, lines } = await practice.pass(practice.service.quote(request));
  practice.close();
  return { networks: new Set(candidates.map(({ provider }) => provider)), lines };
}

describe('candidates of another network', () => {
  it('are tried where the account there carries them', async () => {
    const { networks, lines } = await quoteBeside(50_000_000n);
    assert.deepEqual([...networks].sort(), [OTHER, 'sandbox']);
    assert.ok(!lines.some(line => line.startsWith('Left out')));
  });

  it('are left out where it does not, with how much is there, and the rest is quoted', async () => {
    const { networks, lines } = await quoteBeside(0n);
    assert.deepEqual([...networks], ['sandbox']);
    assert.match(
      lines.find(line => line.startsWith('Left out')) ?? '',
      /^Left out: what Other market offers\. Your balance at Other market is \$0\.00; this needs \$[\d.]+ at once\.$/,
    );
  });
});
