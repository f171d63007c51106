/** The calls to the API of Akash's console, and what its refusals mean. */
import type { Transport } from '../http/transport.ts';
import { type Meaning, NetworkHttp, type Refusal, type Said } from '../http/network-http.ts';
import { type LoginValues, type NextPage, ProviderError } from '../provider.ts';
import * as z from 'zod';
import { DEPOSIT_DOLLARS, pricesSchema, TITLE } from './offers.ts';
import {
  balancesAnswer,
  type Bid,
  bidsAnswer,
  createdAnswer,
  type Deployment,
  deploymentAnswer,
  deploymentsAnswer,
  historyAnswer,
  hostAnswer,
  type Place,
  refusalSchema,
  userAnswer,
  walletsAnswer,
} from './shapes.ts';

export interface AkashApiOptions {
  readonly base: string;
  readonly transport: Transport;
  readonly login: () => Promise<LoginValues | null>;
}

/**
 * What came of taking a bid. `closed`: the bid, or the order, is not open any more · `unreachable`: the bid's provider does not
 * answer, and nothing was leased · `undelivered`: the lease stands and is paid, and its provider did not take the manifest, so
 * that nothing runs before it is sent again.
 */
export type Leased =
  | { readonly is: 'leased'; readonly deployment: Deployment }
  | { readonly is: 'closed' | 'unreachable' }
  | { readonly is: 'undelivered'; readonly why: string };

/** Rows of a page of the list, and of what is over: more of these are refused. */
const PAGE = 100;

export class AkashApi {
  readonly #http: NetworkHttp;

  constructor(options: AkashApiOptions) {
    this.#http = new NetworkHttp({
      ...options,
      title: TITLE,
      authorize: ({ apiKey = '' }) => ({ 'x-api-key': apiKey }),
      words: body => refusalSchema.safeParse(body).data?.message ?? null,
      explain,
    });
  }

  async prices(signal: AbortSignal): Promise<z.output<typeof pricesSchema>> {
    const { value } = await this.#http.ask(
      { method: 'GET', path: '/v1/gpu-prices', login: 'none', changes: false, answer: pricesSchema },
      signal,
    );
    return value;
  }

  /** The one request that costs: the deposit leaves with it. */
  async order(sdl: string, signal: AbortSignal): Promise<z.output<typeof createdAnswer>> {
    const { value } = await this.#http.ask(
      {
        method: 'POST',
        path: '/v1/deployments',
        body: { data: { sdl, deposit: DEPOSIT_DOLLARS } },
        login: 'needed',
        changes: true,
        answer: createdAnswer,
      },
      signal,
    );
    return value;
  }

  async bids(dseq: string, signal: AbortSignal): Promise<readonly Bid[]> {
    return (await this.#read('/v1/bids', bidsAnswer, signal, { dseq })).value;
  }

  /**
   * Takes a bid, and has its provider run the manifest; where there is a lease already it does the second alone
   * (`LeaseService.createLeasesAndSendManifest`).
   */
  async lease(place: Place, manifest: string, signal: AbortSignal): Promise<Leased> {
    const { dseq, gseq, oseq, provider } = place;
    try {
      const { value } = await this.#http.ask(
        {
          method: 'POST',
          path: '/v1/leases',
          body: { manifest, leases: [{ dseq, gseq, oseq, provider }] },
          login: 'needed',
          changes: true,
          answer: deploymentAnswer,
        },
        signal,
      );
      return { is: 'leased', deployment: value };
    } catch (error) {
      if (!(error instanceof ProviderError)) {
        throw error;
      }
      switch (error.code) {
        case UNREACHABLE:
          return { is: 'unreachable' };
        case UNDELIVERED:
          return { is: 'undelivered', why: error.message };
        default:
      }
      if (error.kind === 'capacity') {
        return { is: 'closed' };
      }
      throw error;
    }
  }

  /** Null: the chain does not know it. */
  async deployment(dseq: string, signal: AbortSignal): Promise<Deployment | null> {
    if (!DSEQ.test(dseq)) {
      return null;
    }
    const said = await this.#http.askFor(
      {
        method: 'GET',
        path: `/v1/deployments/${dseq}`,
        login: 'needed',
        changes: false,
        answer: deploymentAnswer,
      },
      signal,
    );
    return said === null ? null : said.value;
  }

  /**
   * All that stand, each with its own leases. The console asks for the leases of the rows of a page at once, and puts the answers
   * into the rows as they come, those that fail in none (`DeploymentReaderService.list`): they are put right by their ids, and a
   * row that has none then is asked for by itself. @throws ProviderError for a part of them
   */
  async deployments(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Deployment[]> {
    const rows = await this.#rows(signal, nextPage);
    const leases = rows.flatMap(row => row.leases);
    const found: Deployment[] = [];
    for (const row of rows) {
      const { dseq } = row.deployment.id;
      const own = leases.filter(({ id }) => id.dseq === dseq);
      if (own.length > 0) {
        found.push({ ...row, leases: own });
        continue;
      }
      await nextPage?.();
      const alone = await this.deployment(dseq, signal);
      found.push(...(alone === null ? [] : [alone]));
    }
    return found;
  }

  async #rows(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Deployment[]> {
    const found = new Map<string, Deployment>();
    for (let skip = 0; ; skip += PAGE) {
      if (skip > 0) {
        await nextPage?.();
      }
      const query = { skip, limit: PAGE };
      const { value } = await this.#read('/v1/deployments', deploymentsAnswer, signal, query);
      const before = found.size;
      value.deployments.forEach(each => found.set(each.deployment.id.dseq, each));
      const { hasMore, total } = value.pagination;
      // One that brings nothing new would go on for ever.
      if (!hasMore || found.size === before) {
        const counted = total ?? found.size + (hasMore ? 1 : 0);
        if (found.size < counted) {
          throw new ProviderError(
            'retryable',
            `${TITLE} has ${counted.toString()} deployments, and showed ${found.size.toString()} of them.`,
          );
        }
        return [...found.values()];
      }
    }
  }

  /** Ids of what is over, the latest first, as far back as `isWanted`. */
  async closed(
    signal: AbortSignal,
    isWanted: (dseq: string) => boolean,
    nextPage?: NextPage,
  ): Promise<readonly string[]> {
    const { id } = await this.user(signal);
    const { value: wallets } = await this.#read('/v1/wallets', walletsAnswer, signal, { userId: id });
    const found = new Set<string>();
    for (const { address } of wallets) {
      for (let skip = 0; ; skip += PAGE) {
        await nextPage?.();
        const path = `/v1/addresses/${encodeURIComponent(address)}/deployments/${skip.toString()}/${PAGE.toString()}`;
        const query = { status: 'closed', reverseSorting: 'true' };
        const { results } = (await this.#read(path, historyAnswer, signal, query)).value;
        const ids = results.map(({ dseq }) => dseq);
        const before = found.size;
        ids.filter(isWanted).forEach(id => found.add(id));
        if (ids.length < PAGE || !ids.every(isWanted)) {
          break;
        }
        if (found.size === before) {
          throw new ProviderError('retryable', `${TITLE} sent one page of what is over twice.`);
        }
      }
    }
    return [...found];
  }

  /** Closing what is closed, or what never was, is done. */
  async close(dseq: string, signal: AbortSignal): Promise<void> {
    if (DSEQ.test(dseq)) {
      await this.#http.askFor(
        {
          method: 'DELETE',
          path: `/v1/deployments/${dseq}`,
          login: 'needed',
          changes: true,
          answer: z.unknown(),
        },
        signal,
      );
    }
  }

  /** What is known of a provider. Where it is not said a bid of it is as good as another's. */
  async host(address: string, signal: AbortSignal): Promise<z.output<typeof hostAnswer>> {
    const path = `/v1/providers/${encodeURIComponent(address)}`;
    const call = { method: 'GET', path, login: 'none', changes: false, answer: hostAnswer } as const;
    return this.#http.ask(call, signal).then(
      ({ value }) => value,
      () => ({}),
    );
  }

  async user(signal: AbortSignal, tried?: LoginValues): Promise<z.output<typeof userAnswer>> {
    return (await this.#read('/v1/user/me', userAnswer, signal, {}, tried)).value;
  }

  balances(signal: AbortSignal, tried?: LoginValues): Promise<Said<z.output<typeof balancesAnswer>>> {
    return this.#read('/v1/balances', balancesAnswer, signal, {}, tried);
  }

  #read<Schema extends z.ZodType>(
    path: string,
    answer: Schema,
    signal: AbortSignal,
    query: Readonly<Record<string, string | number>> = {},
    tried?: LoginValues,
  ): Promise<Said<z.output<Schema>>> {
    const login = { login: 'needed', ...(tried === undefined ? {} : { tried }) } as const;
    return this.#http.ask({ method: 'GET', path, query, ...login, changes: false, answer }, signal);
  }
}

const DSEQ = /^[0-9]{1,20}$/;

/** What its chain refuses: `ERRORS` of `apps/api/src/billing/services/chain-error/chain-error.service.ts`. */
const CHAIN: readonly (readonly [RegExp, Meaning])[] = [
  [/bid is no longer open|order has already been matched or closed/i, { kind: 'capacity' }],
  [/insufficient funds|not enough balance|trial expired/i, { kind: 'auth', lacks: 'funds' }],
];

/** Both of `POST /v1/leases`, with 502 (`apps/api/src/deployment/routes/leases/leases.router.ts`). */
const UNREACHABLE = 'provider_unreachable';
const UNDELIVERED = 'manifest_not_delivered';

function explain({ method, status, body }: Refusal): Meaning | null {
  const { message = '', code = '' } = refusalSchema.safeParse(body).data ?? {};
  switch (code) {
    case UNREACHABLE:
      return { kind: 'capacity', code };
    case UNDELIVERED:
      return { kind: 'unknownOutcome', code };
    default:
  }
  const [, meaning] =
    (method === 'POST' && status === 400 ? CHAIN.find(([text]) => text.test(message)) : undefined) ?? [];
  return meaning ?? null;
}
