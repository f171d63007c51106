/** A network whose offers can be looked at, and where nothing can be rented with Hitch yet. */
import type { Offer, ProviderId, RouteLimit } from '@hitch/contract';
import { type Instance, type NextPage, type Provider, ProviderError } from './provider.ts';

export interface Catalogue {
  readonly id: ProviderId;
  readonly title: string;
  /** Why nothing can be rented there, a sentence. */
  readonly notRentable: string;
  /** How often it may be asked. */
  readonly limit: RouteLimit;
  offers(signal: AbortSignal, nextPage?: NextPage): Promise<CatalogueAnswer>;
}

export interface CatalogueAnswer {
  readonly offers: readonly Offer[];
  /** What was left out, and why, a sentence; null: nothing. */
  readonly leftOut: string | null;
}

export class CatalogueOnly implements Provider {
  readonly id: ProviderId;
  readonly title: string;
  readonly kind = 'network';
  readonly verifiedLive = false;
  readonly notRentable: string;
  readonly login = null;
  readonly capabilities: Provider['capabilities'];
  readonly #catalogue: Catalogue;
  #leftOut: string | null = null;

  constructor(catalogue: Catalogue) {
    const { id, title, notRentable, limit } = catalogue;
    this.id = id;
    this.title = title;
    this.notRentable = notRentable;
    this.capabilities = {
      refVia: 'none',
      sshKeys: 'none',
      bootSecret: false,
      privateNetwork: false,
      endsBillingAlone: 'never',
      visibilityDelayMs: 0,
      limits: { offers: limit },
    };
    this.#catalogue = catalogue;
  }

  async offers(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Offer[]> {
    const { offers, leftOut } = await this.#catalogue.offers(signal, nextPage);
    this.#leftOut = leftOut;
    return offers.map(offer => ({ ...offer, notRentable: this.notRentable }));
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  create(): Promise<Instance> {
    return Promise.reject(new ProviderError('permanent', this.notRentable));
  }

  /** Nothing was ever rented there. */
  get(id: string): Promise<Instance> {
    return Promise.resolve({
      id,
      mark: null,
      status: 'gone',
      members: [],
      rates: [],
      message: `Nothing was rented from ${this.title}.`,
    });
  }

  list(): Promise<readonly Instance[]> {
    return Promise.resolve([]);
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }
}
