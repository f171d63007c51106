/** Nosana: one container on one host of a market, paid with credits, reached by a web address alone. */
import { type MicroUsd, type Offer, parseMicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { asBearer, loginByKey } from '../http/key-login.ts';
import { type Meaning, NetworkHttp, type Refusal } from '../http/network-http.ts';
import type { Transport } from '../http/transport.ts';
import { checkTerms } from '../plain-terms.ts';
import {
  type AccountSaid,
  type CreateRequest,
  type Instance,
  type LoginValues,
  type NextPage,
  type Provider,
  ProviderError,
  type Traits,
} from '../provider.ts';
import { goneInstance, holdsMachines, instanceOf } from './instances.ts';
import { KnownJobs } from './known-jobs.ts';
import { ID, marketsSchema, pricesIn, readMarkets, TITLE } from './offers.ts';
import { orderOf } from './order.ts';
import {
  balanceSchema,
  type Deployment,
  deploymentSchema,
  deploymentsSchema,
  type Job,
  jobsSchema,
  refusalSchema,
} from './shapes.ts';

export interface NosanaOptions {
  readonly base: string;
  readonly transport: Transport;
  readonly login: () => Promise<LoginValues | null>;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

/** The most that a page of its lists has. */
const PAGE = 100;
/** What a market costs is asked again after this. */
const PRICES_LAST_MS = 10 * 60_000;
/** Those that hold a machine, or may. */
const STANDING = 'STARTING,RUNNING,STOPPING,ERROR,INSUFFICIENT_FUNDS';

const LOGIN = loginByKey({
  help: 'Make one for Hitch alone. What it rents is paid with the account’s credits.',
  url: 'https://deploy.nosana.com/account/',
  variable: 'NOSANA_API_KEY',
  offersNeedIt: false,
  scopes: [
    { scope: 'deployments:read', why: 'to list machines' },
    { scope: 'deployments:write', why: 'to rent and end machines' },
    { scope: 'credits:read', why: 'to show what is left' },
  ],
});

export class NosanaProvider implements Provider {
  readonly id = ID;
  readonly title = TITLE;
  readonly kind = 'network';
  readonly verifiedLive = false;
  readonly login = LOGIN;
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'perInstance',
    bootSecret: true,
    privateNetwork: false,
    // A job is made longer by itself until somebody stops its deployment.
    endsBillingAlone: 'never',
    // Assumed: nobody has measured how soon its list shows a purchase.
    visibilityDelayMs: 60_000,
    // It says nothing of a limit.
    limits: { offers: { perMinute: 6 }, account: { perMinute: 12 } },
    // A job waits for a host, which pulls an image of several GB, and gets sshd by apt.
    phaseLimitsMs: { booting: 40 * 60_000 },
  };
  readonly #http: NetworkHttp;
  readonly #clock: NosanaOptions['clock'];
  readonly #known: KnownJobs;
  #prices: { readonly byMarket: ReadonlyMap<string, MicroUsd>; readonly atMs: number } | null = null;
  #leftOut: string | null = null;

  constructor({ base, transport, login, clock }: NosanaOptions) {
    this.#clock = clock;
    this.#known = new KnownJobs(clock);
    this.#http = new NetworkHttp({
      title: TITLE,
      base,
      transport,
      login,
      authorize: asBearer,
      words: body => refusalSchema.safeParse(body).data?.error ?? null,
      explain,
    });
  }

  async offers(signal: AbortSignal): Promise<readonly Offer[]> {
    const { offers, leftOut } = readMarkets(await this.#markets(signal), this.#clock.now());
    this.#leftOut = leftOut;
    return offers;
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    checkTerms(request);
    const body = orderOf(request);
    const price = parseMicroUsd(request.offer.pricePerHourMicroUsd);
    if (price > request.maxPricePerHourMicroUsd) {
      throw new ProviderError('capacity', `This offer of ${TITLE} costs more than the limit.`);
    }
    const { value } = await this.#http.ask(
      {
        ...WRITE,
        method: 'POST',
        path: '/api/deployments/create',
        body,
        answer: deploymentSchema,
      },
      signal,
    );
    if (value.status === 'DRAFT') {
      throw new ProviderError(
        'permanent',
        `${TITLE} keeps ${value.id} as a draft and did not start it, as an older one does; a draft costs nothing.`,
      );
    }
    return instanceOf(value, [], price);
  }

  async get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    const found = await this.#deployment(instanceId, signal);
    return found === null ? goneInstance(instanceId) : this.#shown(found, signal);
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const answered = await this.#deployments({ status: STANDING }, signal, nextPage);
    const standing = answered.filter(holdsMachines);
    this.#known.keepOnly(standing);
    return this.#allShown(standing, signal, nextPage);
  }

  /** What is over stays among its deployments until a person deletes it. */
  async history(mark: string, signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const named = await this.#deployments({ name: mark }, signal, nextPage);
    const same = named.filter(({ name, status }) => name === mark && status !== 'DRAFT');
    return this.#allShown(same, signal, nextPage);
  }

  /** It ends a while after it is told to, and costs until then; its description stays, as STOPPED. */
  async destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    const found = await this.#deployment(instanceId, signal);
    if (found === null || !holdsMachines(found) || found.status === 'STOPPING') {
      return;
    }
    await this.#http.askFor(
      { ...WRITE, method: 'POST', path: `${pathOf(instanceId)}/stop`, answer: z.unknown() },
      signal,
    );
  }

  /** A credit is a dollar. What is reserved for jobs that run is not there to be spent. */
  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    const { value } = await this.#balance(signal, login);
    const { assignedCredits: assigned, reservedCredits: reserved, settledCredits: settled } = value;
    return {
      id: null,
      name: '',
      scopes: null,
      balanceMicroUsd: assigned - reserved - settled,
      spendLimitPerHourMicroUsd: null,
    };
  }

  async time(signal: AbortSignal): Promise<number> {
    const { atMs } = await this.#balance(signal);
    if (atMs === null) {
      throw new ProviderError('retryable', `${TITLE} does not say what time it is.`);
    }
    return atMs;
  }

  #balance(signal: AbortSignal, login?: LoginValues) {
    const tried = login === undefined ? {} : { tried: login };
    return this.#http.ask({ ...READ, ...tried, path: '/api/credits/balance', answer: balanceSchema }, signal);
  }

  async #markets(signal: AbortSignal): Promise<readonly unknown[]> {
    const { value } = await this.#http.ask(
      { method: 'GET', path: '/api/markets/', login: 'none', changes: false, answer: marketsSchema },
      signal,
    );
    this.#prices = { byMarket: pricesIn(value), atMs: this.#clock.monotonic() };
    return value;
  }

  async #priceOf({ market }: Deployment, signal: AbortSignal): Promise<MicroUsd | null> {
    const known = this.#prices;
    if (known === null || this.#clock.monotonic() - known.atMs > PRICES_LAST_MS) {
      await this.#markets(signal);
    }
    return this.#prices?.byMarket.get(market) ?? null;
  }

  async #deployment(id: string, signal: AbortSignal): Promise<Deployment | null> {
    const said = await this.#http.askFor({ ...READ, path: pathOf(id), answer: deploymentSchema }, signal);
    return said?.value ?? null;
  }

  async #shown(deployment: Deployment, signal: AbortSignal): Promise<Instance> {
    const jobs = deployment.status === 'DRAFT' ? [] : await this.#jobs(deployment, signal);
    return this.#instance(deployment, jobs, signal);
  }

  async #instance(deployment: Deployment, jobs: readonly Job[], signal: AbortSignal): Promise<Instance> {
    return instanceOf(deployment, jobs, await this.#priceOf(deployment, signal));
  }

  async #allShown(
    deployments: readonly Deployment[],
    signal: AbortSignal,
    nextPage: NextPage | undefined,
  ): Promise<readonly Instance[]> {
    const shown: Instance[] = [];
    for (const deployment of deployments) {
      const known = this.#known.of(deployment);
      if (known !== null) {
        shown.push(await this.#instance(deployment, known, signal));
        continue;
      }
      await nextPage?.();
      shown.push(await this.#shown(deployment, signal));
    }
    return shown;
  }

  /** The last of them: of what Hitch rents there is one. */
  async #jobs(deployment: Deployment, signal: AbortSignal): Promise<readonly Job[]> {
    const said = await this.#http.askFor(
      { ...READ, path: `${pathOf(deployment.id)}/jobs`, query: { limit: PAGE }, answer: jobsSchema },
      signal,
    );
    const jobs = said?.value.jobs ?? [];
    this.#known.keep(deployment, jobs);
    return jobs;
  }

  async #deployments(
    filter: Readonly<Record<string, string>>,
    signal: AbortSignal,
    nextPage: NextPage | undefined,
  ): Promise<readonly Deployment[]> {
    const all: Deployment[] = [];
    const read = new Set<string>();
    for (let cursor: string | undefined; ;) {
      const { value } = await this.#http.ask(
        {
          ...READ,
          path: '/api/deployments',
          query: { ...filter, limit: PAGE, cursor },
          answer: deploymentsSchema,
        },
        signal,
      );
      all.push(...value.deployments);
      cursor = value.pagination.cursor_next ?? undefined;
      if (cursor === undefined) {
        return all;
      }
      if (read.has(cursor)) {
        throw new ProviderError('retryable', `${TITLE}'s list leads back to a page that was read before.`);
      }
      read.add(cursor);
      await nextPage?.();
    }
  }
}

const READ = { method: 'GET', login: 'needed', changes: false } as const;
const WRITE = { login: 'needed', changes: true } as const;

const pathOf = (id: string): string => `/api/deployments/${encodeURIComponent(id)}`;

/** What is being started cannot be stopped yet (`deploymentStop.ts`), which it says with 500: nothing was done. */
const NOT_YET = /incorrect state/i;

function explain({ method, path, body, text }: Refusal): Meaning | null {
  const words = refusalSchema.safeParse(body).data?.error ?? text;
  return method === 'POST' && path.endsWith('/stop') && NOT_YET.test(words) ? { kind: 'retryable' } : null;
}
