/** One network list, shared by all who wait for one: a thousand machines need one call, not a thousand. */
import type { Offer, ProviderId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import type { RateLimiter } from './rate-limiter.ts';

export interface ProviderList {
  /** What the list shows was so at this moment or later. */
  readonly askedAtMs: number;
  readonly byId: ReadonlyMap<string, Instance>;
  readonly byMark: ReadonlyMap<string, Instance>;
}

interface Asking {
  /** Null while the call waits for its turn. */
  startedAtMs: number | null;
  readonly answer: Promise<ProviderList>;
}

export class Lists {
  readonly #clock: Clock;
  readonly #calls: RateLimiter;
  readonly #asking = new Map<ProviderId, Asking>();

  constructor(clock: Clock, calls: RateLimiter) {
    this.#clock = clock;
    this.#calls = calls;
  }

  /**
   * A list whose call starts from now on; of a network of places, those that answer, so that absence from it proves
   * nothing there. @throws ProviderError when it fails; the last known list is of no use here.
   */
  ask(provider: Provider): Promise<ProviderList> {
    const under = this.#asking.get(provider.id);
    if (under !== undefined && under.startedAtMs === null) {
      return under.answer;
    }
    const answer = this.#ask(provider, () => asking).finally(() => {
      // One that was refused before its call began is not waited for by those who ask later.
      if (this.#asking.get(provider.id) === asking) {
        this.#asking.delete(provider.id);
      }
    });
    const asking: Asking = { startedAtMs: null, answer };
    this.#asking.set(provider.id, asking);
    return asking.answer;
  }

  /** A complete one, of the place where `offer` is, where the network has places; else of all of it. @throws ProviderError */
  async askNear(provider: Provider, offer: Offer): Promise<ProviderList> {
    const near = provider.listNear?.bind(provider);
    if (near === undefined) {
      return this.ask(provider);
    }
    let askedAtMs = this.#clock.now();
    const instances = await this.#calls.provider(
      provider,
      'list',
      (signal, nextPage) => near(offer, signal, nextPage),
      async () => {
        askedAtMs = this.#clock.now();
      },
    );
    return listOf(askedAtMs, instances);
  }

  async #ask(provider: Provider, self: () => Asking): Promise<ProviderList> {
    // The turn is taken a moment later, so that all who ask in the same moment share one call.
    await this.#clock.sleep(0);
    let askedAtMs = this.#clock.now();
    const instances = await this.#calls.provider(
      provider,
      'list',
      (signal, nextPage) => provider.list(signal, nextPage),
      () => {
        askedAtMs = this.#clock.now();
        self().startedAtMs = askedAtMs;
        return Promise.resolve();
      },
    );
    return listOf(askedAtMs, instances);
  }
}

function listOf(askedAtMs: number, instances: readonly Instance[]): ProviderList {
  return {
    askedAtMs,
    byId: new Map(instances.map(instance => [instance.id, instance])),
    byMark: new Map(
      instances.flatMap(instance => (instance.mark === null ? [] : [[instance.mark, instance]])),
    ),
  };
}
