/** The adapter of the practice market: turns its words and refusals into the provider contract's. */
import { errorText } from '@hitch/platform/src/log.ts';
import {
  type CreateRequest,
  type Instance,
  type InstanceStatus,
  type Member,
  type Provider,
  ProviderError,
  type Traits,
} from '../provider.ts';
import type { SandboxMarket } from './market.ts';
import { isManifestMark, manifestMark } from './marks.ts';
import { MarketRefusal, type RefusalCode } from './market-refusal.ts';
import type { RentalView } from './rental-view.ts';

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
  not_ready: 'retryable',
  rate_limited: 'retryable',
  unavailable: 'retryable',
  server_error: 'unknownOutcome',
  lost: 'unknownOutcome',
};

export class SandboxProvider implements Provider {
  readonly id = 'sandbox';
  readonly title = 'Practice market';
  readonly kind = 'practice';
  readonly verifiedLive = true;
  readonly capabilities: Traits;
  /** Only where its machines are processes. */
  readonly host?: NonNullable<Provider['host']>;
  readonly dial?: NonNullable<Provider['dial']>;
  readonly #market: SandboxMarket;

  constructor(market: SandboxMarket) {
    this.#market = market;
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
    };
  }

  credentials() {
    return 'not_needed' as const;
  }

  offers(signal: AbortSignal) {
    return asking(signal, () => this.#market.offers(signal));
  }

  /** What is sold by bids has no label: the market knows it by its order. */
  markOf(request: CreateRequest): string {
    return request.offer.refundable === 'deposit' ? manifestMark(orderOf(request)) : request.ref;
  }

  /** Agrees to the cheapest bid inside the limit, if there is one. */
  advance(instance: Instance, request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return asking(signal, async () => {
      const bids = (await this.#market.bids(instance.id, signal))
        .filter(({ pricePerHourMicroUsd }) => pricePerHourMicroUsd <= request.maxPricePerHourMicroUsd)
        .toSorted((a, b) => (a.pricePerHourMicroUsd < b.pricePerHourMicroUsd ? -1 : 1));
      const [cheapest] = bids;
      if (cheapest !== undefined) {
        try {
          return instanceOf(await this.#market.lease(instance.id, cheapest.id, signal));
        } catch (error) {
          if (!(error instanceof MarketRefusal && error.code === 'sold_out')) {
            throw error;
          }
          // Withdrawn in that moment: the order stands, for the next bid.
        }
      }
      const view = await this.#market.show(instance.id, signal);
      return view === null ? gone(instance.id) : instanceOf(view);
    });
  }

  create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return asking(signal, async () => {
      return instanceOf(await this.#market.rent(orderOf(request), signal));
    });
  }

  get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    return asking(signal, async () => {
      const view = await this.#market.show(instanceId, signal);
      return view === null ? gone(instanceId) : instanceOf(view);
    });
  }

  list(signal: AbortSignal): Promise<readonly Instance[]> {
    return asking(signal, async () => {
      const { rows, complete } = await this.#market.list(signal);
      if (!complete) {
        throw new ProviderError('retryable', 'The practice market sent only a part of its list.');
      }
      return rows.filter(({ label }) => isOfHitch(label ?? '')).map(instanceOf);
    });
  }

  history(mark: string, signal: AbortSignal): Promise<readonly Instance[]> {
    return asking(signal, async () => {
      return (await this.#market.history(mark, signal)).map(instanceOf);
    });
  }

  destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    return asking(signal, () => this.#market.end(instanceId, signal));
  }

  extend(instanceId: string, endAtMs: number, signal: AbortSignal): Promise<void> {
    return asking(signal, () => this.#market.extend(instanceId, endAtMs, signal));
  }

  buyTime(instanceId: string, ms: number, signal: AbortSignal): Promise<Instance> {
    return asking(signal, async () => instanceOf(await this.#market.buyTime(instanceId, ms, signal)));
  }
}

const isOfHitch = (label: string): boolean => label.startsWith('hitch-') || isManifestMark(label);

function orderOf({ ref, offer, terms, maxPricePerHourMicroUsd, endAtMs, members, letIn }: CreateRequest) {
  return {
    ref,
    entryId: offer.id.slice('sandbox:'.length),
    maxPricePerHourMicroUsd,
    endAtMs,
    termMs: terms.termMs,
    diskGiB: terms.diskGiB,
    image: terms.image,
    bidPerHourMicroUsd: terms.bidPerHourMicroUsd,
    members,
    letIn,
  };
}

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
