/**
 * Akash, by the API of its console: an order with a deposit, bids of providers, and a lease of the best of them. An order is
 * found by the hash of what it asks for, which the chain keeps.
 */
import type { Offer } from '@hitch/contract';
import { parseMicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { loginByKey } from '../http/key-login.ts';
import type { Transport } from '../http/transport.ts';
import {
  type AccountSaid,
  type BillLine,
  type CreateRequest,
  type Instance,
  type LoginValues,
  type NextPage,
  type Provider,
  ProviderError,
  type RecordingOf,
  type Traits,
} from '../provider.ts';
import { isVerified } from '../recorded.ts';
import { AkashApi } from './akash-api.ts';
import { type Choice, inOrder } from './bids.ts';
import { costOf, instanceOf, LABEL, leaseWithoutWork, orderedAt } from './instances.ts';
import { checkOrder, isMadeFor, limitOf, workloadOf } from './machine.ts';
import { DEPOSIT, ID, readPrices, TITLE } from './offers.ts';
import type { Deployment, Place } from './shapes.ts';
import { hashIn, hashOf, manifestOf, sdlOf } from './workload.ts';

export interface AkashOptions {
  readonly base: string;
  readonly transport: Transport;
  readonly login: () => Promise<LoginValues | null>;
  readonly clock: Clock;
  /** Who comes in by ssh; left out: who does in its containers. */
  readonly sshUser?: string;
}

/** So many bids are tried in one step. */
const MOST_TRIED = 3;

/** It says nothing of a limit: an assumption, that many of one client. A bill takes a call for each deployment. */
const CALLS = { perMinute: 120 };

const RECORDING: RecordingOf = {
  version: 1,
  catalogue: /\/v1\/gpu-prices$/,
  fields: ['state', 'denom', 'reason', 'error', 'code', 'type'],
};

export class AkashProvider implements Provider {
  readonly id = ID;
  readonly title = TITLE;
  readonly kind = 'network';
  readonly recording = RECORDING;
  readonly verifiedLive = isVerified(ID, RECORDING.version);
  readonly capabilities: Traits = {
    refVia: 'contentHash',
    sshKeys: 'perInstance',
    bootSecret: true,
    privateNetwork: false,
    endsBillingAlone: 'never',
    // The answer to an order comes after its block; the list is the chain's, and a lost answer may be some blocks early.
    visibilityDelayMs: 60_000,
    limits: { offers: { perMinute: 6 }, calls: CALLS },
    routes: Object.fromEntries(
      ['create', 'advance', 'get', 'list', 'destroy', 'account', 'bill', 'time'].map(name => [name, 'calls']),
    ),
  };
  readonly login = loginByKey({
    help: 'Made in Akash Console under your user’s API keys.',
    url: 'https://console.akash.network/user/api-keys',
    variable: 'AKASH_API_KEY',
    offersNeedIt: false,
    scopes: [{ scope: 'all', why: 'to order, lease and close deployments; its keys know no less' }],
  });
  readonly #api: AkashApi;
  readonly #clock: Clock;
  readonly #sshUser: { readonly sshUser?: string };
  #leftOut: string | null = null;

  constructor({ clock, sshUser, ...api }: AkashOptions) {
    this.#api = new AkashApi(api);
    this.#clock = clock;
    this.#sshUser = sshUser === undefined ? {} : { sshUser };
  }

  async offers(signal: AbortSignal): Promise<readonly Offer[]> {
    const { offers, leftOut } = readPrices(await this.#api.prices(signal), this.#clock.now());
    this.#leftOut = leftOut;
    return offers;
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  markOf(request: CreateRequest): string {
    return hashOf(manifestOf(workloadOf(request)));
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    checkOrder(request);
    const workload = workloadOf(request);
    const mark = hashOf(manifestOf(workload));
    const { dseq, manifest, signTx } = await this.#api.order(sdlOf(workload, limitOf(request)), signal);
    if (signTx.code !== 0) {
      throw new ProviderError('permanent', `${TITLE}’s chain refused the order: ${signTx.rawLog}.`);
    }
    // Of another order's answer the id would have that one closed. Ours, if there is one, is found by its mark.
    if (!isMadeFor(manifest, request.ref)) {
      throw new ProviderError(
        'unknownOutcome',
        `${TITLE} answered with the order ${dseq}, which is not the one that was asked for.`,
      );
    }
    const expected = parseMicroUsd(request.offer.pricePerHourMicroUsd);
    return {
      id: dseq,
      // Of another manifest than is reckoned here the order is never found by its mark: it is ours by its id, and `advance` has it closed.
      mark: hashOf(manifest) === mark ? mark : null,
      status: 'ordered',
      members: [],
      rates: [{ label: LABEL, perHourMicroUsd: expected, fromMs: null, isAhead: true }],
      paidMicroUsd: DEPOSIT,
      message: `${TITLE} took the order.`,
    };
  }

  /** Takes the best bid. Where it was withdrawn meanwhile the order stands, and the next look takes the next. */
  async advance(instance: Instance, request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    const found = await this.#api.deployment(instance.id, signal);
    const now = found === null ? gone(instance.id) : this.#read(found);
    if (found === null || now.status !== 'ordered') {
      return now;
    }
    const manifest = manifestOf(workloadOf(request));
    if (now.mark !== hashOf(manifest)) {
      throw new ProviderError(
        'permanent',
        `${TITLE} made another manifest of the order ${now.id} than Hitch does.`,
      );
    }
    const standing = leaseWithoutWork(found);
    if (standing !== null) {
      return (await this.#lease(now, standing, manifest, signal)) ?? now;
    }
    const choice = inOrder(await this.#api.bids(now.id, signal), request.maxPricePerHourMicroUsd);
    const best = await this.#best(choice, signal);
    if (best === null) {
      return { ...now, message: choice.sentence };
    }
    // Of one that cannot be reached nothing was leased: the next is asked at once.
    for (const bid of [best, ...choice.bids.filter(other => other !== best)].slice(0, MOST_TRIED)) {
      const next = await this.#lease(now, bid.id, manifest, signal);
      if (next !== null) {
        return next;
      }
    }
    return { ...now, message: `${TITLE} cannot reach who made the best bids for the order.` };
  }

  async get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    const found = await this.#api.deployment(instanceId, signal);
    return found === null ? gone(instanceId) : this.#read(found);
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const all = await this.#api.deployments(signal, nextPage);
    return all.map(each => this.#read(each)).filter(({ status }) => status !== 'gone');
  }

  async destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    await this.#api.close(instanceId, signal);
  }

  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    const { id, username, email } = await this.#api.user(signal, login);
    const { balance } = (await this.#api.balances(signal, login)).value;
    return {
      id,
      name: email ?? username ?? id,
      scopes: null,
      // What is owed is as good as nothing left.
      balanceMicroUsd: balance < 0n ? 0n : balance,
      spendLimitPerHourMicroUsd: null,
    };
  }

  /** What each deployment of that time cost, what is over too: the chain keeps it. */
  async bill(
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    nextPage?: NextPage,
  ): Promise<readonly BillLine[]> {
    const isDue = (dseq: string): boolean => {
      const atMs = orderedAt(dseq);
      return atMs !== null && atMs >= fromMs && atMs <= toMs;
    };
    const standing = await this.#api.deployments(signal, nextPage);
    await nextPage?.();
    const over = await this.#api.closed(signal, dseq => (orderedAt(dseq) ?? Infinity) >= fromMs, nextPage);
    const closed: Deployment[] = [];
    for (const dseq of over.filter(isDue)) {
      await nextPage?.();
      const found = await this.#api.deployment(dseq, signal);
      if (found !== null) {
        closed.push(found);
      }
    }
    const due = [...standing.filter(({ deployment }) => isDue(deployment.id.dseq)), ...closed];
    return due.flatMap(deployment => lineOf(deployment, Math.min(toMs, this.#clock.now())));
  }

  async time(signal: AbortSignal): Promise<number> {
    const { atMs } = await this.#api.balances(signal);
    if (atMs === null) {
      throw new ProviderError('retryable', `${TITLE} does not say what time it is.`);
    }
    return atMs;
  }

  /** Takes a bid, or has a lease's manifest sent again; null: its provider cannot be reached, and nothing was leased. */
  async #lease(now: Instance, place: Place, manifest: string, signal: AbortSignal): Promise<Instance | null> {
    const leased = await this.#api.lease(place, manifest, signal);
    switch (leased.is) {
      case 'leased': {
        const next = this.#read(leased.deployment);
        // It was told what to run: that its provider says nothing of it yet is no reason to tell it again.
        return next.status === 'ordered' ? { ...next, status: 'booting' } : next;
      }
      case 'closed':
        return { ...now, message: `${TITLE}’s best bid was withdrawn before it could be taken.` };
      case 'undelivered':
        return { ...(await this.get(now.id, signal)), status: 'ordered', message: leased.why };
      case 'unreachable':
        return null;
    }
  }

  /** Of several at one price, who is audited, and then who was there most of the time. */
  async #best({ cheapest, bids }: Choice, signal: AbortSignal): Promise<Choice['bids'][number] | null> {
    const [first] = bids;
    if (first === undefined || cheapest.length < 2) {
      return first ?? null;
    }
    const known = await Promise.all(
      cheapest.map(async bid => ({ bid, ...(await this.#api.host(bid.id.provider, signal)) })),
    );
    const [best] = known.toSorted(
      (a, b) =>
        Number(b.isAudited === true) - Number(a.isAudited === true) || (b.uptime7d ?? 0) - (a.uptime7d ?? 0),
    );
    return best?.bid ?? first;
  }

  #read(deployment: Deployment): Instance {
    return instanceOf(deployment, this.#sshUser);
  }
}

const gone = (id: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message: `${TITLE} does not know it.`,
});

function lineOf(deployment: Deployment, untilMs: number): readonly BillLine[] {
  const amountMicroUsd = costOf(deployment, untilMs);
  return amountMicroUsd === null || amountMicroUsd === 0n
    ? []
    : [
        {
          mark: hashIn(deployment.deployment.hash),
          instanceId: deployment.deployment.id.dseq,
          label: LABEL,
          amountMicroUsd,
        },
      ];
}
