/** The adapter of Vast.ai. */
import type { Offer } from '@hitch/contract';
import type * as z from 'zod';
import { loginByKey } from '../http/key-login.ts';
import type { NetworkHttp } from '../http/network-http.ts';
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
import { meaningOfFailure, vastHttp, type VastApiOptions, wordsOf } from './api.ts';
import { instanceIdOf, linesOf, markOf, pastInstance } from './charges.ts';
import { goneInstance, instanceOf } from './instances.ts';
import { askOf, readOffers, SEARCH } from './offers.ts';
import { orderOf } from './order.ts';
import { allPages } from './pages.ts';
import {
  type Charge,
  chargePageSchema,
  createdSchema,
  doneSchema,
  instancePageSchema,
  instanceSchema,
  offersSchema,
  userSchema,
} from './shapes.ts';

/** Of instances, the most that one answer holds. Source: `GET /api/v1/instances/` in the API reference. */
const PAGE = 25;
/** Of charges, as many as the network's own client asks for (`vastai` 1.9.1, `api/billing.py`, `show_invoices_v1`). */
const CHARGES_PAGE = 100;
const DAY_S = 86_400;
/** So far back a machine that came and went is looked for: its purchase is unclear for minutes, or until this computer is on again. */
const HISTORY_S = 31 * DAY_S;

const LOGIN = loginByKey({
  help: 'Make one for Hitch alone, with the permissions below and no others.',
  url: 'https://cloud.vast.ai/manage-keys/',
  variable: 'VAST_API_KEY',
  offersNeedIt: false,
  // Source: https://docs.vast.ai/api-reference/permissions
  scopes: [
    { scope: 'instance_read', why: 'to see what is rented' },
    { scope: 'instance_write', why: 'to rent machines, to let your key in and to end them' },
    { scope: 'user_read', why: 'to see the balance' },
    { scope: 'billing_read', why: 'to hold the bill against what was counted' },
  ],
});

/**
 * Calls of each kind are counted by themselves. Source: `x-rate-limit` of each route in the API reference; of those that
 * have none there, the pause that most others have.
 */
const LIMITS: NonNullable<Traits['limits']> = {
  create: { everyMs: 4_500 },
  letIn: { everyMs: 1_000 },
  get: { everyMs: 2_000 },
  list: { everyMs: 1_000 },
  destroy: { everyMs: 3_000 },
  offers: { perMinute: 10 },
  bill: { everyMs: 1_000 },
  account: { everyMs: 1_000 },
};

/** What a check of it for real may keep of its answers. */
const RECORDING: RecordingOf = {
  version: 1,
  catalogue: /^\/api\/v0\/bundles\/$/,
  fields: [
    'actual_status',
    'cur_state',
    'intended_status',
    'next_state',
    'gpu_name',
    'error',
    'type',
    'col',
    'dir',
  ],
};

export class VastProvider implements Provider {
  readonly id = 'vast';
  readonly title = 'Vast.ai';
  readonly kind = 'network';
  readonly recording = RECORDING;
  readonly verifiedLive = isVerified('vast', RECORDING.version);
  readonly login = LOGIN;
  readonly capabilities: Traits = {
    refVia: 'label',
    sshKeys: 'perInstance',
    bootSecret: true,
    privateNetwork: false,
    endsBillingAlone: 'never',
    visibilityDelayMs: 30_000,
    // A host pulls the image over a line of its own, of several GB as a rule. Assumed: nobody has rented there with Hitch yet.
    phaseLimitsMs: { booting: 25 * 60_000 },
    limits: LIMITS,
    routes: { time: 'account' },
  };
  readonly #http: NetworkHttp;
  readonly #clock: VastApiOptions['clock'];
  #leftOut: string | null = null;

  constructor(options: VastApiOptions) {
    this.#http = vastHttp(options);
    this.#clock = options.clock;
  }

  /** Asked without the login: what is shown is the same for everybody, and no key is needed to look. */
  async offers(signal: AbortSignal): Promise<readonly Offer[]> {
    const { value } = await this.#http.ask(
      {
        method: 'POST',
        path: '/api/v0/bundles/',
        body: SEARCH,
        login: 'none',
        changes: false,
        answer: offersSchema,
      },
      signal,
    );
    const { offers, leftOut } = readOffers(value.offers, this.#clock.now());
    this.#leftOut = leftOut;
    return offers;
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    const { value } = await this.#http.ask(
      {
        method: 'PUT',
        path: `/api/v0/asks/${encodeURIComponent(askOf(request.offer.id))}/`,
        body: orderOf(request),
        login: 'needed',
        changes: true,
        answer: createdSchema,
      },
      signal,
    );
    const { success, new_contract: id } = value;
    if (success === false || id === null || id === undefined) {
      throw failure(value);
    }
    return {
      id,
      mark: request.ref,
      status: 'booting',
      members: [{ id, rank: 0, status: 'booting', ssh: null, privateAddress: null }],
      rates: [],
      message: 'Vast.ai rented it.',
    };
  }

  /**
   * Attaches a key to one machine, which keeps it; those that stand in a start-up alone are taken out after hours. One that
   * is attached already stays.
   */
  async letIn(instanceId: string, publicKey: string, signal: AbortSignal): Promise<void> {
    const { value } = await this.#http.ask(
      {
        method: 'POST',
        path: `${instancePath(instanceId)}ssh/`,
        body: { ssh_key: publicKey },
        login: 'needed',
        changes: true,
        answer: doneSchema,
      },
      signal,
    );
    if (value.success === false && !/already/i.test(wordsOf(value) ?? '')) {
      throw failure(value);
    }
  }

  async get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    const said = await this.#http.askFor(
      {
        ...READ,
        path: instancePath(instanceId),
        query: { owner: 'me' },
        answer: instanceSchema,
      },
      signal,
    );
    const row = said?.value.instances ?? null;
    return row === null ? goneInstance(instanceId) : instanceOf(row);
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const rows = await allPages(async token => {
      const { value } = await this.#http.ask(
        {
          ...READ,
          path: '/api/v1/instances/',
          query: {
            limit: PAGE,
            order_by: JSON.stringify([{ col: 'id', dir: 'asc' }]),
            select_filters: '{}',
            ...after(token),
          },
          answer: instancePageSchema,
        },
        signal,
      );
      const { instances, total_instances: total, next_token: next, success } = value;
      return { rows: instances, total, next, isRefused: success === false };
    }, nextPage);
    return rows.map(instanceOf);
  }

  async destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    const said = await this.#http.askFor(
      {
        method: 'DELETE',
        path: instancePath(instanceId),
        body: {},
        login: 'needed',
        changes: true,
        answer: doneSchema,
      },
      signal,
    );
    if (said?.value.success === false && !isGone(said.value)) {
      throw failure(said.value);
    }
  }

  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    const { value } = await this.#user(signal, login);
    const { id, email, username, credit, balance } = value;
    return {
      id,
      name: email ?? username ?? id,
      scopes: null,
      balanceMicroUsd: credit ?? balance ?? null,
      spendLimitPerHourMicroUsd: null,
    };
  }

  async time(signal: AbortSignal): Promise<number> {
    const { atMs } = await this.#user(signal);
    if (atMs === null) {
      throw new ProviderError('retryable', 'Vast.ai did not say what time it is.');
    }
    return atMs;
  }

  async bill(
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    nextPage?: NextPage,
  ): Promise<readonly BillLine[]> {
    const range = { fromS: Math.floor(fromMs / 1000), toS: Math.ceil(toMs / 1000) };
    return (await this.#charges(range, signal, nextPage)).flatMap(linesOf);
  }

  /** What is charged is asked for once more by its id: it may be there still. */
  async history(mark: string, signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const nowS = Math.ceil(this.#clock.now() / 1000);
    const charges = await this.#charges({ fromS: nowS - HISTORY_S, toS: nowS }, signal, nextPage);
    const found = new Map<string, Charge>();
    for (const charge of charges.filter(each => markOf(each) === mark)) {
      const id = instanceIdOf(charge);
      if (id !== null) {
        found.set(id, charge);
      }
    }
    const instances: Instance[] = [];
    for (const [id, charge] of found) {
      await nextPage?.();
      const now = await this.get(id, signal);
      instances.push(now.status === 'gone' ? pastInstance(id, charge) : now);
    }
    return instances;
  }

  #user(signal: AbortSignal, tried?: LoginValues) {
    return this.#http.ask(
      {
        ...READ,
        path: '/api/v0/users/current/',
        ...(tried === undefined ? {} : { tried }),
        answer: userSchema,
      },
      signal,
    );
  }

  /** By whole days, as they are counted there: whatever was charged on a day of the time comes along. */
  #charges(
    { fromS, toS }: { readonly fromS: number; readonly toS: number },
    signal: AbortSignal,
    nextPage: NextPage | undefined,
  ): Promise<readonly Charge[]> {
    const filters = {
      day: { gte: fromS - (fromS % DAY_S), lte: toS },
      type: { in: ['instance'] },
    };
    return allPages(async token => {
      const { value } = await this.#http.ask(
        {
          ...READ,
          path: '/api/v0/charges/',
          query: {
            select_filters: JSON.stringify(filters),
            format: 'table',
            latest_first: false,
            limit: CHARGES_PAGE,
            ...after(token),
          },
          answer: chargePageSchema,
        },
        signal,
      );
      const { results, total, next_token: next, success } = value;
      return { rows: results, total, next, isRefused: success === false };
    }, nextPage);
  }
}

/** Of every call that only looks. */
const READ = { method: 'GET', login: 'needed', changes: false } as const;

const after = (token: string | null) => (token === null ? {} : { after_token: token });

const instancePath = (id: string): string => `/api/v0/instances/${encodeURIComponent(id)}/`;

const isGone = ({ error }: z.output<typeof doneSchema>): boolean =>
  error === 'no_such_instance' || error === 'not_found';

/** An answer that has the status of a success and says that it is none. */
function failure(body: Readonly<Record<string, unknown>>): ProviderError {
  const { kind, instanceId, lacks } = meaningOfFailure(body);
  const words = wordsOf(body) ?? 'nothing of what came of it';
  return new ProviderError(kind, `Vast.ai says: ${words.replace(/\.$/, '')}.`, {
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(lacks === undefined ? {} : { lacks }),
  });
}
