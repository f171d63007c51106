/** Machines of other people in the same account, and of another Hitch with other records: never to be touched. */
import { parseMicroUsd } from '@hitch/contract';
import type { VirtualClock } from '@hitch/platform/src/clock.ts';
import { createIds, pick, type Random, seededRandom } from '@hitch/platform/src/random.ts';
import type { Instance } from '../../backend-proxy/src/providers/provider.ts';
import type { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import type { Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { labelOf } from '../../backend-proxy/src/providers/sandbox/rental-view.ts';
import { turn } from '../../backend-proxy/test/clusters/turn.ts';

export class Strangers {
  readonly #clock: VirtualClock;
  readonly #market: SandboxMarket;
  readonly #refs: readonly string[];

  constructor(clock: VirtualClock, market: SandboxMarket, seed: number) {
    this.#clock = clock;
    this.#market = market;
    const ids = createIds(clock, seededRandom(seed + 0xf0e));
    this.#refs = [ids.ref(), ids.ref(), 'somebody-else', ids.ref()];
  }

  has(ref: string): boolean {
    return this.#refs.includes(ref);
  }

  /** Rents them, as far as the market lets them. */
  async settle(random: Random): Promise<void> {
    for (const ref of this.#refs) {
      for (let tries = 0; tries < 50 && this.#market.rentals(ref).length === 0; tries++) {
        const { signal } = new AbortController();
        const offers = await inTime(this.#clock, this.#market.offers(signal)).catch(() => []);
        const entryId = offers.length === 0 ? '' : pick(random, offers).id.slice('sandbox:'.length);
        const order = { ref, entryId, maxPricePerHourMicroUsd: 1_000_000_000n, endAtMs: null };
        await inTime(this.#clock, this.#market.rent(order, signal)).catch(() => undefined);
      }
    }
  }

  /** As their network shows them. */
  shown(): readonly Instance[] {
    return this.#rentals().map(rental => ({
      id: rental.id,
      mark: labelOf(rental),
      status: 'running',
      members: [{ id: rental.id, rank: 0, status: 'running', ssh: null, privateAddress: null }],
      rates: [
        {
          label: 'GPU',
          perHourMicroUsd: parseMicroUsd(rental.pricePerHourMicroUsd),
          fromMs: rental.boughtAtMs,
        },
      ],
      message: '',
    }));
  }

  /** How many of them somebody asked to end. */
  destroyed(): number {
    return this.#rentals().filter(({ destroyTries }) => destroyTries > 0).length;
  }

  #rentals(): readonly Rental[] {
    return this.#market.rentals().filter(({ ref }) => this.has(ref));
  }
}

/** Waits for a promise of the market's own, letting time pass. */
export async function inTime<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let over = false;
  const done = promise.finally(() => {
    over = true;
  });
  done.catch(() => undefined);
  for (let steps = 0; !over && steps < 10_000; steps++) {
    await turn();
    if (!over && !clock.step()) {
      clock.jump(1_000);
    }
  }
  return done;
}
