/** Prime Intellect, which sells other clouds' machines: pods of one machine. */
import { type Offer, parseMicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { asBearer, loginByKey } from '../http/key-login.ts';
import { type Meaning, NetworkHttp, type Refusal } from '../http/network-http.ts';
import type { Transport } from '../http/transport.ts';
import { checkTerms } from '../plain-terms.ts';
import {
  type AccountKeys,
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
import { goneInstance, instanceOf, pastInstance } from './instances.ts';
import { ID, orderOf, readOffers } from './offers.ts';
import { allPages } from './pages.ts';
import {
  availabilityPageSchema,
  historyPageSchema,
  keyPageSchema,
  keySchema,
  type PastPod,
  podPageSchema,
  podSchema,
  refusalSchema,
  walletSchema,
  whoamiSchema,
} from './shapes.ts';

export interface PrimeOptions {
  readonly base: string;
  readonly transport: Transport;
  readonly login: () => Promise<LoginValues | null>;
  readonly clock: Pick<Clock, 'now'>;
}

/** As many as its own client asks for. */
const PAGE = 100;
/** So far back a machine that came and went is looked for. */
const HISTORY_MS = 31 * 86_400_000;

const LOGIN = loginByKey({
  help: 'Make one for Hitch alone, with the permissions below and no others.',
  url: 'https://app.primeintellect.ai/dashboard/tokens',
  variable: 'PRIME_API_KEY',
  offersNeedIt: true,
  // What each permission is called, `prime whoami` shows; which of them a call needs is not written down.
  scopes: [
    { scope: 'availability: read', why: 'to see what can be rented' },
    { scope: 'instances: read and write', why: 'to list, rent and end machines' },
    { scope: 'ssh keys: read and write', why: 'to let your machines’ key in, and to take it out again' },
    { scope: 'billing: read', why: 'to see the balance' },
  ],
});

const RECORDING: RecordingOf = {
  version: 1,
  catalogue: /\/availability\/(?:gpus|multi-node)$/,
  fields: [
    'status',
    'installationStatus',
    'gpuName',
    'gpuType',
    'socket',
    'providerType',
    'cloudId',
    'environmentType',
    'type',
    'currency',
  ],
};

export class PrimeProvider implements Provider {
  readonly id = ID;
  readonly title = 'Prime Intellect';
  readonly kind = 'network';
  readonly recording = RECORDING;
  readonly verifiedLive = isVerified(ID, RECORDING.version);
  readonly login = LOGIN;
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'account',
    bootSecret: false,
    privateNetwork: false,
    endsBillingAlone: 'never',
    // Assumed: nobody has measured how soon its list shows a purchase.
    visibilityDelayMs: 30_000,
  };
  readonly #http: NetworkHttp;
  readonly #clock: PrimeOptions['clock'];
  #leftOut: string | null = null;

  constructor({ base, transport, login, clock }: PrimeOptions) {
    this.#clock = clock;
    this.#http = new NetworkHttp({
      title: this.title,
      base: `${base}/api/v1`,
      transport,
      login,
      authorize: asBearer,
      words,
      explain,
    });
  }

  /** Its machines let in whoever's key the account has when they are made. */
  readonly accountKeys: AccountKeys = {
    list: (signal, nextPage) =>
      allPages(async offset => {
        const { value } = await this.#read('/ssh_keys', keyPageSchema, signal, { offset, limit: PAGE });
        return { rows: value.data, total: value.totalCount };
      }, byId(nextPage)),
    add: async (name, publicKey, signal) =>
      (
        await this.#http.ask(
          { ...WRITE, method: 'POST', path: '/ssh_keys', body: { name, publicKey }, answer: keySchema },
          signal,
        )
      ).value,
    remove: async (id, signal) => {
      await this.#http.askFor(
        { ...WRITE, method: 'DELETE', path: `/ssh_keys/${encodeURIComponent(id)}`, answer: z.unknown() },
        signal,
      );
    },
  };

  async offers(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Offer[]> {
    const single = await this.#availability('/availability/gpus', signal, nextPage);
    await nextPage?.();
    const together = await this.#availability('/availability/multi-node', signal, nextPage);
    const { offers, leftOut } = readOffers({ single, together }, this.#clock.now());
    this.#leftOut = leftOut;
    return offers;
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    const { offer, terms, maxPricePerHourMicroUsd: most } = request;
    checkTerms(request);
    const more = BigInt(terms.diskGiB - offer.diskGiB) * perGiB(offer);
    if (parseMicroUsd(offer.pricePerHourMicroUsd) + more > most) {
      throw new ProviderError('capacity', 'This offer of Prime Intellect costs more than the limit.');
    }
    const body = orderOf(request);
    const { value } = await this.#http.ask(
      { ...WRITE, method: 'POST', path: '/pods', body, answer: podSchema },
      signal,
    );
    return instanceOf(value);
  }

  async get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    const said = await this.#http.askFor({ ...READ, path: podPath(instanceId), answer: podSchema }, signal);
    return said === null ? goneInstance(instanceId) : instanceOf(said.value);
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const pods = await allPages(async offset => {
      const { value } = await this.#read('/pods', podPageSchema, signal, { offset, limit: PAGE });
      return { rows: value.data, total: value.total_count };
    }, byId(nextPage));
    return pods.map(instanceOf).filter(({ status }) => status !== 'gone');
  }

  async destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    await this.#http.askFor(
      { ...WRITE, method: 'DELETE', path: podPath(instanceId), answer: z.unknown() },
      signal,
    );
  }

  async history(mark: string, signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const past = await this.#past(this.#clock.now() - HISTORY_MS, signal, nextPage);
    return past.filter(({ name }) => name === mark).map(pastInstance);
  }

  /** Only what is over stands in its history, each with all that it cost. */
  async bill(
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    nextPage?: NextPage,
  ): Promise<readonly BillLine[]> {
    return (await this.#past(fromMs, signal, nextPage)).flatMap(
      ({ id, name, createdAt, totalBilledPrice: amount }) =>
        amount === null || (createdAt ?? 0) > toMs
          ? []
          : [{ mark: name, instanceId: id, label: 'Machine', amountMicroUsd: amount }],
    );
  }

  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    const tried = login === undefined ? {} : { tried: login };
    const { value: who } = await this.#http.ask(
      { ...READ, ...tried, path: '/user/whoami', answer: whoamiSchema },
      signal,
    );
    const { value: wallet } = await this.#http.ask(
      { ...READ, ...tried, path: '/billing/wallet', query: { limit: 1, offset: 0 }, answer: walletSchema },
      signal,
    );
    const { id, email, name, scope } = who.data;
    return {
      id,
      name: email ?? name ?? id,
      scopes: scope === null ? null : Object.entries(scope).flatMap(scopeWords),
      balanceMicroUsd: wallet.balance_usd,
      spendLimitPerHourMicroUsd: null,
    };
  }

  async time(signal: AbortSignal): Promise<number> {
    const { atMs } = await this.#read('/user/whoami', z.unknown(), signal);
    if (atMs === null) {
      throw new ProviderError('retryable', 'Prime Intellect did not say what time it is.');
    }
    return atMs;
  }

  #availability(path: string, signal: AbortSignal, nextPage: NextPage | undefined) {
    return allPages(
      async (_offset, page) => {
        const query = { page, page_size: PAGE };
        const { value } = await this.#read(path, availabilityPageSchema, signal, query);
        return { rows: value.items, total: value.totalCount };
      },
      { idOf: null, nextPage },
    );
  }

  /** What ended after that moment. */
  async #past(
    sinceMs: number,
    signal: AbortSignal,
    nextPage: NextPage | undefined,
  ): Promise<readonly PastPod[]> {
    const all = await allPages(async offset => {
      const query = { offset, limit: PAGE, sort_by: 'terminatedAt', sort_order: 'desc' };
      const { value } = await this.#read('/pods/history', historyPageSchema, signal, query);
      const isBefore = ({ terminatedAt }: PastPod): boolean =>
        terminatedAt !== null && terminatedAt < sinceMs;
      // They come by their end, the last first: the rest is older still.
      return { rows: value.data, total: value.total_count, isEnough: value.data.some(isBefore) };
    }, byId(nextPage));
    return all.filter(({ terminatedAt }) => terminatedAt === null || terminatedAt >= sinceMs);
  }

  #read<Schema extends z.ZodType>(
    path: string,
    answer: Schema,
    signal: AbortSignal,
    query: Readonly<Record<string, string | number>> = {},
  ) {
    return this.#http.ask({ ...READ, path, query, answer }, signal);
  }
}

const byId = (nextPage: NextPage | undefined) => ({
  idOf: ({ id }: { readonly id: string }): string => id,
  nextPage,
});

const READ = { method: 'GET', login: 'needed', changes: false } as const;
const WRITE = { login: 'needed', changes: true } as const;

const podPath = (id: string): string => `/pods/${encodeURIComponent(id)}`;

const perGiB = ({ takes }: Offer): bigint => parseMicroUsd(takes?.disk?.perGiBHourMicroUsd ?? '0');

function scopeWords([name, may]: readonly [
  string,
  { readonly read: boolean | null; readonly write: boolean | null } | null,
]): string[] {
  const words = [...(may?.read === true ? ['read'] : []), ...(may?.write === true ? ['write'] : [])];
  return words.length === 0 ? [] : [`${name}: ${words.join(' and ')}`];
}

function words(body: unknown): string | null {
  const { detail, message, error } = refusalSchema.safeParse(body).data ?? {};
  const said = typeof detail === 'string' ? detail : detail?.map(({ msg }) => msg ?? '').join(' ');
  return said ?? message ?? error ?? null;
}

/** That there is none left is said in words alone (SkyPilot, `provision/primeintellect/utils.py`, `_parse_api_error`). */
const NONE_LEFT = /\b(?:no )?capacity\b|unavailable|out of stock|not available|no longer available/i;

function explain({ method, path, status, body, text }: Refusal): Meaning | null {
  const buys = method === 'POST' && path === '/pods';
  const isRefused = status >= 400 && status < 500 && status !== 401 && status !== 402 && status !== 429;
  return buys && isRefused && NONE_LEFT.test(words(body) ?? text) ? { kind: 'capacity' } : null;
}
