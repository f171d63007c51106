/** A person who rents, repeats, stops, removes, extends and starts again, at random. */
import { type Cluster, type ClusterId, quoteRequestSchema, type QuoteId } from '@hitch/contract';
import type { ClusterService } from '../../backend-proxy/src/clusters/service.ts';
import type { Wish } from './networks/network.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { pick, type Random, randomInt } from '@hitch/platform/src/random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export class Person {
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #onTwoForOne: () => void;
  readonly #wish: () => Wish;
  readonly #quotes: QuoteId[] = [];

  /** @param wish what to ask for this time @param onTwoForOne hears of one yes that made two clusters */
  constructor(random: Random, clock: Clock, wish: () => Wish, onTwoForOne: () => void) {
    this.#random = random;
    this.#clock = clock;
    this.#wish = wish;
    this.#onTwoForOne = onTwoForOne;
  }

  /** The next thing to do, not done yet. */
  next(service: ClusterService): () => Promise<unknown> {
    const clusters = service.list();
    if (clusters.length === 0) {
      return () => this.#rent(service);
    }
    const some = pick(this.#random, clusters);
    const what = this.#random.next();
    if (what < 0.35) {
      return () => this.#rent(service);
    }
    if (what < 0.45) {
      return () => this.#repeat(service);
    }
    if (what < 0.7) {
      return () => service.stop(some.id, { skipSave: this.#random.next() < 0.5 });
    }
    if (what < 0.8) {
      return () => service.remove(some.id);
    }
    if (what < 0.9) {
      const stopAtMs = this.#clock.now() + randomInt(this.#random, MINUTE, HOUR);
      return () => service.extend(some.id, { stopAtMs });
    }
    return () => this.#again(service, some);
  }

  async #quote(service: ClusterService): Promise<QuoteId> {
    const { nodes, filter } = this.#wish();
    const request = quoteRequestSchema.parse({
      nodes,
      filter,
      capMicroUsd: pick(this.#random, ['300000', '2000000', '20000000']),
      stopAtMs:
        this.#random.next() < 0.5 ? null : this.#clock.now() + randomInt(this.#random, 2 * MINUTE, HOUR),
      idleMs: pick(this.#random, [0, 600_000, 1_800_000]),
      save: { paths: this.#random.next() < 0.5 ? [] : ['out'], toFolder: null },
    });
    const { id } = await service.quote(request);
    this.#quotes.push(id);
    return id;
  }

  /** For the lost nodes of one that runs. */
  async #quoteAgain(service: ClusterService, clusterId: ClusterId): Promise<QuoteId> {
    const { id } = await service.quoteAgain(clusterId, { skipTried: this.#random.next() < 0.5 });
    this.#quotes.push(id);
    return id;
  }

  async #rent(service: ClusterService): Promise<void> {
    const quoteId = await this.#quote(service);
    await service.create({ quoteId });
    if (this.#random.next() < 0.3) {
      await service.create({ quoteId });
    }
  }

  /** The same yes once more, as a client does that got no answer: never another cluster. */
  async #repeat(service: ClusterService): Promise<void> {
    if (this.#quotes.length === 0) {
      return;
    }
    const quoteId = pick(this.#random, this.#quotes);
    const before = await service.create({ quoteId });
    const after = await service.create({ quoteId });
    if (before.id !== after.id) {
      this.#onTwoForOne();
    }
  }

  async #again(service: ClusterService, { id, phase }: Cluster): Promise<void> {
    const quoteId = phase === 'degraded' ? await this.#quoteAgain(service, id) : await this.#quote(service);
    await service.startAgain(id, quoteId);
  }
}
