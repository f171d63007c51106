/** A network whose offers can be looked at, and where nothing can be rented with Hitch yet. */
import type { Offer, ProviderId, RouteLimit } from '@hitch/contract';
import {
  type AccountSaid,
  type Instance,
  type LoginNeeds,
  type LoginValues,
  type NextPage,
  type Provider,
  ProviderError,
} from './provider.ts';

export interface Catalogue {
  readonly id: ProviderId;
  readonly title: string;
  /** Why nothing can be rented there, a sentence. */
  readonly notRentable: string;
  /** How often it may be asked. */
  readonly limit: RouteLimit;
  offers(signal: AbortSignal, nextPage?: NextPage): Promise<CatalogueAnswer>;
  /** Left out: an account there is not looked at either. */
  readonly account?: CatalogueAccount;
}

/** An account on which Hitch does nothing but show what stands there and what is left. */
export interface CatalogueAccount {
  readonly login: LoginNeeds;
  /** How often each may be asked. */
  readonly limit: RouteLimit;
  said(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid>;
  list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]>;
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
  readonly login: LoginNeeds | null;
  readonly capabilities: Provider['capabilities'];
  readonly account?: NonNullable<Provider['account']>;
  readonly #catalogue: Catalogue;
  #leftOut: string | null = null;

  constructor(catalogue: Catalogue) {
    const { id, title, notRentable, limit, account } = catalogue;
    this.id = id;
    this.title = title;
    this.notRentable = notRentable;
    this.login = account?.login ?? null;
    if (account !== undefined) {
      this.account = (signal, login) => account.said(signal, login);
    }
    this.capabilities = {
      // With 'none' no list is asked for.
      refVia: account === undefined ? 'none' : 'name',
      sshKeys: 'none',
      bootSecret: false,
      privateNetwork: false,
      endsBillingAlone: 'never',
      visibilityDelayMs: 0,
      limits: { offers: limit, ...(account === undefined ? {} : { account: account.limit }) },
      ...(account === undefined ? {} : { routes: { list: 'account' } }),
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

  /** Nothing of it is Hitch's. */
  list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    return this.#catalogue.account?.list(signal, nextPage) ?? Promise.resolve([]);
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }
}
