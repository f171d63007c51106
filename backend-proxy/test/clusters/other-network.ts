/** Another network beside the practice market: a market of its own under another name, with what it answers in other hands. */
import type { Offer } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { SandboxMarket } from '../../src/providers/sandbox/market.ts';
import { memoryStorage } from '../../src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../src/providers/sandbox/null-runtime.ts';
import { SandboxProvider } from '../../src/providers/sandbox/sandbox-provider.ts';
import { wrap } from './faulty.ts';

export const OTHER = 'other';

/** @param answers what it says in the place of what it would. */
export function otherNetwork(clock: Clock, answers: (market: Provider) => Partial<Provider>): Provider {
  const runtime = new NullRuntime({ clock });
  const market = new SandboxProvider(
    new SandboxMarket({ clock, runtime, storage: memoryStorage(), seed: 2, bootDelayMs: 30_000 }),
  );
  const named = (from: string, to: string, offer: Offer): Offer => ({
    ...offer,
    id: `${to}:${offer.id.slice(from.length + 1)}`,
    provider: to,
  });
  const renamed = wrap(market, {
    id: OTHER,
    title: 'Other market',
    offers: async signal => (await market.offers(signal)).map(offer => named(market.id, OTHER, offer)),
    create: (request, signal) =>
      market.create({ ...request, offer: named(OTHER, market.id, request.offer) }, signal),
    extend: (id, endAtMs, signal) => market.extend(id, endAtMs, signal),
  });
  return wrap(renamed, answers(renamed));
}
