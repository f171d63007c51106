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
import { type Alone, eachAlone, type Missing } from './each-alone.ts';
import { CONTAINERS, MACHINES, type SoldAs } from './products.ts';

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

interface Greeting {
  readonly sold: SoldAs;
  /** The network's own time, where it says it. */
  readonly atMs: number | null;
}

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
  /** The products whose list was not there in the last answers. */
  #offersMissing: readonly Missing[] = [];
  #listMissing: readonly Missing[] = [];

  constructor({ clock, ...api }: IonetOptions) {
    this.#api = new IonetApi('vmaas', api);
    this.#containerApi = new IonetApi('caas', api);
    this.#machines = new IonetDeployments(MACHINES, this.#api, clock);
    this.#containers = new IonetDeployments(CONTAINERS, this.#containerApi, clock);
    this.#clock = clock;
  }

  /** Of each product that answers. @throws ProviderError where none does */
  async offers(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Offer[]> {
    const found = await eachAlone<ReadOffers>(
      [
        [MACHINES, async () => readOffers(await this.#api.hardware(signal), this.#clock.now())],
        [
          CONTAINERS,
          async () => readContainers(await this.#containerApi.hardware(signal), this.#clock.now()),
        ],
      ],
      signal,
      nextPage,
    );
    this.#offersMissing = found.missing;
    const left = [
      ...found.answers.map(({ leftOut }) => leftOut).filter(sentence => sentence !== null),
      ...found.missing.map(({ sold, why }) => `${sold.title} of ${TITLE} are not up to date: ${why}`),
    ];
    this.#leftOut = left.length === 0 ? null : left.join(' ');
    return found.answers.flatMap(({ offers }) => offers);
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  offerStays(offer: Offer): boolean {
    const seller = isContainer(offer.id) ? CONTAINERS : MACHINES;
    return this.#offersMissing.some(({ sold }) => sold === seller);
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

  /** Of each product that answers: a key may be allowed to read one of them only. @throws ProviderError where none does */
  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const { answers, missing } = await eachAlone(
      [
        [MACHINES, next => this.#machines.list(signal, next)],
        [CONTAINERS, next => this.#containers.list(signal, next)],
      ],
      signal,
      nextPage,
    );
    this.#listMissing = missing;
    return answers.flat();
  }

  listLeftOut(): string | null {
    return this.#listMissing.length === 0
      ? null
      : this.#listMissing
          .map(({ sold, why }) => `${sold.title} of ${TITLE} cannot be listed: ${why}`)
          .join(' ');
  }

  async listNear(offer: Offer, signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    return this.#sellerOf(offer).list(signal, nextPage);
  }

  async history(
    mark: string,
    signal: AbortSignal,
    nextPage?: NextPage,
    offer?: Offer,
  ): Promise<readonly Instance[]> {
    if (offer !== undefined) {
      return this.#sellerOf(offer).history(mark, signal, nextPage);
    }
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

  /** No call says whose a key is, nor what is left: that a key is accepted for one product at least is all that can be seen. */
  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    const { answers, missing } = await this.#greet(signal, login);
    const scopes =
      missing.length === 0 ? null : answers.map(({ sold }) => `rent ${sold.title.toLowerCase()}`);
    return { id: null, name: '', scopes, balanceMicroUsd: null, spendLimitPerHourMicroUsd: null };
  }

  async time(signal: AbortSignal): Promise<number> {
    const { answers } = await this.#greet(signal);
    const [atMs] = answers.flatMap(({ atMs }) => (atMs === null ? [] : [atMs]));
    if (atMs === undefined) {
      throw new ProviderError('retryable', `${TITLE} does not say what time it is.`);
    }
    return atMs;
  }

  /** Containers are asked only where a key opens nothing of the others. */
  async #greet(signal: AbortSignal, login?: LoginValues): Promise<Alone<Greeting>> {
    const greet = async (sold: SoldAs, api: IonetApi): Promise<Greeting> => {
      const { atMs } = await api.greet(signal, login);
      return { sold, atMs };
    };
    try {
      return { answers: [await greet(MACHINES, this.#api)], missing: [] };
    } catch (error) {
      if (!(error instanceof ProviderError) || error.kind !== 'auth') {
        throw error;
      }
      const why = errorText(error);
      const answers = [await greet(CONTAINERS, this.#containerApi)];
      return { answers, missing: [{ sold: MACHINES, why }] };
    }
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
