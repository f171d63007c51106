/**
 * The adapter of io.net: virtual machines and containers, sold by the hour, paid ahead, found by the name that they were given.
 */
import type { Offer } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { loginByKey } from '../http/key-login.ts';
import {
  type AccountSaid,
  type CreateRequest,
  type Instance,
  type LoginValues,
  type NextPage,
  type Price,
  type Provider,
  ProviderError,
  type RecordingOf,
  type Terms,
  type Traits,
} from '../provider.ts';
import { isVerified } from '../recorded.ts';
import { isContainer, readContainers } from './container-offers.ts';
import { IonetDeployments } from './deployments.ts';
import { IonetApi, type IonetApiOptions, TITLE } from './ionet-api.ts';
import { type ReadOffers, readOffers } from './offers.ts';
import { CONTAINERS, MACHINES } from './products.ts';

export interface IonetOptions extends IonetApiOptions {
  readonly clock: Clock;
}

/** Calls with one key: a look at a machine takes two of the 300 requests a minute, a purchase four. */
const KEY = { perMinute: 120 };

/** What a check of it for real may keep of its answers. */
const RECORDING: RecordingOf = {
  version: 2,
  catalogue: /\/(?:vmaas|caas)\/(?:hardware|price)$/,
  fields: [
    'status',
    'hardware_name',
    'ssh_access',
    'vm_image_type',
    'currency',
    'payment_source',
    'on_incomplete_booking',
  ],
};

export class IonetProvider implements Provider {
  readonly id = 'ionet';
  readonly title = TITLE;
  readonly kind = 'network';
  readonly recording = RECORDING;
  readonly verifiedLive = isVerified('ionet', RECORDING.version);
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'perInstance',
    // Containers are bought with one, as whatever a web address leads to is.
    bootSecret: false,
    privateNetwork: false,
    endsBillingAlone: 'always',
    visibilityDelayMs: 120_000,
    // A VM is installed before it boots, and its first hour is paid in any case. Assumed: nobody has rented there with Hitch yet.
    phaseLimitsMs: { booting: 30 * 60_000 },
    limits: { key: KEY, offers: { perMinute: 10 } },
    routes: Object.fromEntries(
      ['create', 'price', 'get', 'list', 'destroy', 'buyTime', 'account', 'time'].map(name => [name, 'key']),
    ),
  };
  readonly login = loginByKey({
    help: 'A key that was made for the project “IO Cloud”; keys for io intelligence open nothing here.',
    url: 'https://ai.io.net/ai/api-keys',
    variable: 'IOCLOUD_API_KEY',
    offersNeedIt: false,
    scopes: [{ scope: 'IO Cloud', why: 'to rent machines, to see them and to end them; keys know no less' }],
  });
  readonly #api: IonetApi;
  readonly #containerApi: IonetApi;
  readonly #machines: IonetDeployments;
  readonly #containers: IonetDeployments;
  readonly #clock: Clock;
  #leftOut: string | null = null;

  constructor({ clock, ...api }: IonetOptions) {
    this.#api = new IonetApi('vmaas', api);
    this.#containerApi = new IonetApi('caas', api);
    this.#machines = new IonetDeployments(MACHINES, this.#api, clock);
    this.#containers = new IonetDeployments(CONTAINERS, this.#containerApi, clock);
    this.#clock = clock;
  }

  /** Its containers too: where they cannot be had, the machines are offered all the same. */
  async offers(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Offer[]> {
    const { offers, leftOut } = readOffers(await this.#api.hardware(signal), this.#clock.now());
    await nextPage?.();
    const containers = await this.#containerOffers(signal);
    const left = [leftOut, containers.leftOut].filter(sentence => sentence !== null);
    this.#leftOut = left.length === 0 ? null : left.join(' ');
    return [...offers, ...containers.offers];
  }

  async #containerOffers(signal: AbortSignal): Promise<ReadOffers> {
    try {
      return readContainers(await this.#containerApi.hardware(signal), this.#clock.now());
    } catch (error) {
      signal.throwIfAborted();
      return { offers: [], leftOut: `Containers of io.net are left out: ${errorText(error)}` };
    }
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  async price(offer: Offer, terms: Terms, signal: AbortSignal): Promise<Price> {
    return this.#sellerOf(offer).price(offer, terms, signal);
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return this.#sellerOf(request.offer).create(request, signal);
  }

  async get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    const { of, id } = this.#holderOf(instanceId);
    return of.get(id, signal);
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const machines = await this.#machines.list(signal, nextPage);
    await nextPage?.();
    return [...machines, ...(await this.#containers.list(signal, nextPage))];
  }

  async history(mark: string, signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const machines = await this.#machines.history(mark, signal, nextPage);
    await nextPage?.();
    return [...machines, ...(await this.#containers.history(mark, signal, nextPage))];
  }

  async destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    const { of, id } = this.#holderOf(instanceId);
    await of.destroy(id, signal);
  }

  async buyTime(instanceId: string, ms: number, signal: AbortSignal): Promise<Instance> {
    const { of, id } = this.#holderOf(instanceId);
    return of.buyTime(id, ms, signal);
  }

  /** No call says whose a key is, nor what is left: that a key is accepted is all that can be seen. */
  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    await this.#api.greet(signal, login);
    return { id: null, name: '', scopes: null, balanceMicroUsd: null, spendLimitPerHourMicroUsd: null };
  }

  async time(signal: AbortSignal): Promise<number> {
    const { atMs } = await this.#api.greet(signal);
    if (atMs === null) {
      throw new ProviderError('retryable', `${TITLE} does not say what time it is.`);
    }
    return atMs;
  }

  #sellerOf({ id }: Pick<Offer, 'id'>): IonetDeployments {
    return isContainer(id) ? this.#containers : this.#machines;
  }

  /** Whose an instance is, and the network's own id of it. */
  #holderOf(instanceId: string): { readonly of: IonetDeployments; readonly id: string } {
    const { prefix } = CONTAINERS;
    return instanceId.startsWith(prefix)
      ? { of: this.#containers, id: instanceId.slice(prefix.length) }
      : { of: this.#machines, id: instanceId };
  }
}
