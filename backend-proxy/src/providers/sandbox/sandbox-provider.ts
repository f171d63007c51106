/** The adapter of the practice market: turns its words and refusals into the provider contract's. */
import type { Offer } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import {
  type AccountSaid,
  type BillLine,
  type CreateRequest,
  type Instance,
  type InstanceStatus,
  type LoginNeeds,
  type LoginValues,
  type Member,
  type Price,
  type Provider,
  ProviderError,
  type Terms,
  type Traits,
} from '../provider.ts';
import type { Scope } from './account.ts';
import type { SandboxMarket } from './market.ts';
import { manifestMark } from './marks.ts';
import { MarketRefusal, type RefusalCode } from './market-refusal.ts';
import type { RentalView } from './rental-view.ts';
import type { MarketPrice } from './shelf.ts';

const STATUS: Readonly<Record<string, InstanceStatus>> = {
  ordered: 'ordered',
  provisioning: 'booting',
  running: 'running',
  halted: 'stopped',
  terminating: 'stopped',
  terminated: 'gone',
};

const KIND: Readonly<Record<RefusalCode, ProviderError['kind']>> = {
  sold_out: 'capacity',
  too_dear: 'capacity',
  conflict: 'permanent',
  unauthorized: 'auth',
  no_funds: 'auth',
  not_ready: 'retryable',
  rate_limited: 'retryable',
  unavailable: 'retryable',
  server_error: 'unknownOutcome',
  lost: 'unknownOutcome',
};

export interface SandboxOptions {
  /** The login that a person gave; left out: nobody is logged in. */
  readonly login?: () => Promise<LoginValues | null>;
}

const keyIn = (login: LoginValues | null): string | null => login?.['apiKey'] ?? null;

const loginOf = (offersNeedKey: boolean): LoginNeeds => ({
  fields: [
    {
      name: 'apiKey',
      label: 'API key',
      secret: true,
      help: 'One of the keys in the variable HITCH_SANDBOX_ACCOUNT that the daemon was started with.',
      url: null,
    },
  ],
  variables: { apiKey: 'HITCH_SANDBOX_KEY' },
  needed: { offers: offersNeedKey, rent: true },
  scopes: [
    { scope: 'read', why: 'to list what is rented, the balance and the bill' },
    { scope: 'rent', why: 'to rent machines and to end them' },
  ],
});

export class SandboxProvider implements Provider {
  readonly id = 'sandbox';
  readonly title = 'Practice market';
  readonly kind = 'practice';
  readonly verifiedLive = true;
  readonly capabilities: Traits;
  /** Only where its machines are processes. */
  readonly host?: NonNullable<Provider['host']>;
  readonly dial?: NonNullable<Provider['dial']>;
  readonly login: LoginNeeds | null;
  /** Where anybody may rent there are no accounts. */
  readonly account?: (signal: AbortSignal, login?: LoginValues) => Promise<AccountSaid>;
  /** Where its list says what everything costs nobody need ask. */
  readonly price?: NonNullable<Provider['price']>;
  readonly #market: SandboxMarket;
  readonly #login: () => Promise<LoginValues | null>;

  constructor(market: SandboxMarket, { login = () => Promise.resolve(null) }: SandboxOptions = {}) {
    this.#market = market;
    this.#login = login;
    const { account } = market.door;
    this.login = account === null ? null : loginOf(account.offersNeedKey);
    if (account !== null) {
      this.account = (signal, tried) =>
        asking(signal, async () => {
          const key = keyIn(tried ?? (await login()));
          return market.asked('account', signal, () => market.books.account(key));
        });
    }
    if (market.pricesApart) {
      this.price = (offer, terms, signal) =>
        this.#asking(null, signal, async () =>
          priceOf(await market.price(entryOf(offer), marketTerms(terms), signal)),
        );
    }
    if (market.hasHosts) {
      this.host = (instance, rank, signal) => asking(signal, () => market.host(instance.id, rank, signal));
      this.dial = (id, rank, _address, signal) => asking(signal, () => market.machine(id, rank));
    }
    this.capabilities = {
      refVia: 'label',
      sshKeys: market.hasHosts ? 'none' : 'perInstance',
      bootSecret: !market.hasHosts,
      privateNetwork: true,
      endsBillingAlone: 'offer',
      visibilityDelayMs: market.visibilityDelayMs,
      ...(market.limits === null ? {} : { limits: market.limits }),
    };
  }

  offers(signal: AbortSignal) {
    const needsKey = this.login?.needed.offers === true;
    return this.#asking(needsKey ? 'read' : null, signal, () => this.#market.offers(signal));
  }

  bill(fromMs: number, toMs: number, signal: AbortSignal): Promise<readonly BillLine[]> {
    return this.#asking('read', signal, () =>
      this.#market.asked('bill', signal, () => this.#market.books.bill(fromMs, toMs)),
    );
  }

  /** What is sold by bids has no label: the market knows it by its order. */
  markOf(request: CreateRequest): string {
    return request.offer.refundable === 'deposit' ? manifestMark(orderOf(request)) : request.ref;
  }

  /** Agrees to the cheapest bid inside the limit, if there is one. */
  advance(instance: Instance, request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return this.#asking('rent', signal, async () => {
      const said = await this.#market.bids(instance.id, signal);
      if (said === null) {
        return gone(instance.id);
      }
      const [cheapest] = said.bids
        .filter(({ pricePerHourMicroUsd }) => pricePerHourMicroUsd <= request.maxPricePerHourMicroUsd)
        .toSorted((a, b) => (a.pricePerHourMicroUsd < b.pricePerHourMicroUsd ? -1 : 1));
      if (cheapest === undefined) {
        return instanceOf(said.order);
      }
      try {
        return instanceOf(await this.#market.lease(instance.id, cheapest.id, signal));
      } catch (error) {
        if (error instanceof MarketRefusal && error.code === 'sold_out') {
          // Withdrawn in that moment: the order stands, for the next bid.
          return instanceOf(said.order);
        }
        throw error;
      }
    });
  }

  create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return this.#asking('rent', signal, async () => {
      return instanceOf(await this.#market.rent(orderOf(request), signal));
    });
  }

  get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    return this.#asking('read', signal, async () => {
      const view = await this.#market.show(instanceId, signal);
      return view === null ? gone(instanceId) : instanceOf(view);
    });
  }

  list(signal: AbortSignal): Promise<readonly Instance[]> {
    return this.#asking('read', signal, async () => {
      const { rows, complete } = await this.#market.list(signal);
      if (!complete) {
        throw new ProviderError('retryable', 'The practice market sent only a part of its list.');
      }
      return rows.map(instanceOf);
    });
  }

  history(mark: string, signal: AbortSignal): Promise<readonly Instance[]> {
    return this.#asking('read', signal, async () => {
      return (await this.#market.history(mark, signal)).map(instanceOf);
    });
  }

  destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    return this.#asking('rent', signal, () => this.#market.end(instanceId, signal));
  }

  extend(instanceId: string, endAtMs: number, signal: AbortSignal): Promise<void> {
    return this.#asking('rent', signal, () => this.#market.extend(instanceId, endAtMs, signal));
  }

  buyTime(instanceId: string, ms: number, signal: AbortSignal): Promise<Instance> {
    return this.#asking('rent', signal, async () =>
      instanceOf(await this.#market.buyTime(instanceId, ms, signal)),
    );
  }

  /** @param scope what a key is needed for, where the market wants one; null: nothing. */
  #asking<T>(scope: Scope | null, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    return this.login === null || scope === null
      ? asking(signal, ask)
      : asking(signal, async () => {
          this.#market.door.admit(keyIn(await this.#login()), scope);
          return ask();
        });
  }
}

const entryOf = ({ id }: Offer): string => id.slice('sandbox:'.length);

const marketTerms = ({ termMs, diskGiB, image, bidPerHourMicroUsd }: Terms) => ({
  termMs,
  diskGiB,
  image,
  bidPerHourMicroUsd,
});

function orderOf({ ref, offer, terms, maxPricePerHourMicroUsd, endAtMs, members, letIn }: CreateRequest) {
  return {
    ref,
    entryId: entryOf(offer),
    maxPricePerHourMicroUsd,
    endAtMs,
    ...marketTerms(terms),
    members,
    letIn,
  };
}

const priceOf = ({ parts, feeMicroUsd, ...price }: MarketPrice): Price => ({
  ...price,
  perHour: parts,
  nonRefundableMicroUsd: feeMicroUsd,
});

/** Asked through a function: the compiler takes the property for a constant across an await. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Asks the market; every failure leaves as a ProviderError. */
async function asking<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  if (isAborted(signal)) {
    throw new ProviderError('retryable', 'The call was given up before the practice market was asked.', {
      cause: signal.reason,
    });
  }
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof ProviderError) {
      throw cause;
    }
    if (cause instanceof MarketRefusal) {
      throw new ProviderError(KIND[cause.code], cause.message, {
        ...(cause.rentalId === null ? {} : { instanceId: cause.rentalId }),
        ...(cause.retryAfterMs === null ? {} : { retryAfterMs: cause.retryAfterMs }),
        ...(cause.code === 'no_funds' ? { lacks: 'funds' } : {}),
        cause,
      });
    }
    const why = isAborted(signal) ? 'the call was given up while it was awaited' : errorText(cause);
    throw new ProviderError('unknownOutcome', `The practice market gave no answer: ${why}.`, { cause });
  }
}

function instanceOf(view: RentalView): Instance {
  return {
    id: view.id,
    mark: view.label,
    status: STATUS[view.state] ?? 'unknown',
    members: membersOf(view),
    rates: view.rates.map(({ label, perHourMicroUsd, fromMs }) => ({
      label,
      perHourMicroUsd,
      fromMs,
      ...(fromMs === null ? { isAhead: true } : {}),
    })),
    floorMicroUsd: view.floorMicroUsd,
    ...(view.paidMicroUsd === null ? {} : { paidMicroUsd: view.paidMicroUsd }),
    message: `The practice market says: ${view.state}.`,
    ...(view.got === null ? {} : { got: view.got }),
    ...(view.endsAtMs === null ? {} : { endsAtMs: view.endsAtMs }),
    ...(view.billedUntilMs === null ? {} : { billedUntilMs: view.billedUntilMs }),
  };
}

const membersOf = ({ id, state, members }: RentalView): readonly Member[] =>
  STATUS[state] === 'gone' || STATUS[state] === 'ordered'
    ? []
    : members.map(member => ({
        id: members.length === 1 ? id : `${id}.${member.rank.toString()}`,
        rank: member.rank,
        status: STATUS[member.state] ?? 'unknown',
        ssh: member.ssh,
        privateAddress: null,
      }));

function gone(id: string): Instance {
  return {
    id,
    mark: null,
    status: 'gone',
    members: [],
    rates: [],
    message: `The practice market knows no ${id}.`,
  };
}
