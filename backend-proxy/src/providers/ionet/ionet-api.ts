/** io.net's API of virtual machines (VMaaS), call by call. */
import type { MicroUsd } from '@hitch/contract';
import * as z from 'zod';
import { type Meaning, NetworkHttp, type Refusal, type Said } from '../http/network-http.ts';
import type { Transport } from '../http/transport.ts';
import { type LoginValues, type NextPage, ProviderError } from '../provider.ts';
import { hardwareSchema, type Place } from './offers.ts';
import {
  type Details,
  detailsSchema,
  orderedSchema,
  pageSchema,
  quoteSchema,
  refusalWords,
  type Row,
  workersSchema,
} from './shapes.ts';

export const TITLE = 'io.net';
export const IONET_URL = 'https://api.io.solutions';
export interface Order extends Place {
  readonly name: string;
  readonly hours: number;
  readonly publicKey: string | null;
}

export interface PriceSaid {
  readonly totalMicroUsd: MicroUsd;
  /** False: it says that there is none now. */
  readonly isThere: boolean;
}

export interface IonetApiOptions {
  readonly base: string;
  readonly transport: Transport;
  readonly login: () => Promise<LoginValues | null>;
}

const PREFIX = '/enterprise/v1/io-cloud/vmaas';
/** It gives no more at once. */
const PAGE_ROWS = 100;
/** More than any list has: a network that answers pages for ever ends there. */
const MOST_PAGES = 1000;

export class IonetApi {
  readonly #http: NetworkHttp;
  /** Where its pages are counted from: its client and its specification say 1 and 0. Null: no second page was needed yet. */
  #firstPage: 0 | 1 | null = null;

  /** @throws RangeError for a base that a login must not be sent to. */
  constructor({ base, transport, login }: IonetApiOptions) {
    this.#http = new NetworkHttp({
      title: TITLE,
      base,
      transport,
      login,
      authorize: values => ({ 'x-api-key': values['apiKey'] ?? '' }),
      explain: meaningOf,
      words: refusalWords,
    });
  }

  /** All hardware, for whoever asks: a key is not shown, since it would show what is its owner's alone too. */
  async hardware(signal: AbortSignal): Promise<readonly unknown[]> {
    const { value } = await this.#http.ask(
      {
        method: 'GET',
        path: '/v1/io-cloud/vmaas/hardware',
        login: 'none',
        changes: false,
        answer: hardwareSchema,
      },
      signal,
    );
    return value;
  }

  /** The same of its containers, which have the same shape and say how many there are. */
  async containers(signal: AbortSignal): Promise<readonly unknown[]> {
    const { value } = await this.#http.ask(
      {
        method: 'GET',
        path: '/v1/io-cloud/caas/hardware',
        login: 'none',
        changes: false,
        answer: hardwareSchema,
      },
      signal,
    );
    return value;
  }

  /** What so many hours cost now, with fees. Nothing is held by it. */
  async price({ hardware, location, gpus }: Place, hours: number, signal: AbortSignal): Promise<PriceSaid> {
    const { value } = await this.#http.ask(
      {
        method: 'GET',
        path: `${PREFIX}/price`,
        query: {
          hardware_id: hardware,
          // A list, written into one value.
          location_ids: JSON.stringify([location]),
          currency: 'usdc',
          duration_hours: hours,
          gpus_per_vm: gpus,
          replica_count: 1,
        },
        login: 'given',
        changes: false,
        answer: quoteSchema,
      },
      signal,
    );
    const free = value.available_replica_count ?? [];
    return {
      totalMicroUsd: value.total_cost_usdc,
      isThere: free.length === 0 || free.some(count => count > 0),
    };
  }

  /** Pays. @returns the id; null where the answer has none. */
  async deploy({ hardware, location, gpus, name, hours, publicKey }: Order, signal: AbortSignal) {
    const { value } = await this.#http.ask(
      {
        method: 'POST',
        path: `${PREFIX}/deploy`,
        body: {
          resource_private_name: name,
          duration_hours: hours,
          gpus_per_vm: gpus,
          hardware_id: hardware,
          location_ids: [location],
          vm_image_type: 'general',
          ...(publicKey === null ? {} : { ssh_keys: { hitch: publicKey } }),
        },
        login: 'needed',
        changes: true,
        answer: orderedSchema,
      },
      signal,
    );
    return value;
  }

  /** Null: it knows no such machine. */
  async details(id: string, signal: AbortSignal): Promise<Details | null> {
    const said = await this.#http.askFor(
      { method: 'GET', path: pathOf(id), login: 'needed', changes: false, answer: detailsSchema },
      signal,
    );
    return said?.value ?? null;
  }

  /** Where ssh leads to the machine, in its words; null: it does not say so yet. */
  async sshAccess(id: string, signal: AbortSignal): Promise<string | null> {
    const said = await this.#http.askFor(
      // The first page is that which is not asked for by a number: see `list`.
      { method: 'GET', path: `${pathOf(id)}/vms`, login: 'needed', changes: false, answer: workersSchema },
      signal,
    );
    return (
      said?.value.map(({ ssh_access: access }) => access?.trim() ?? '').find(access => access !== '') ?? null
    );
  }

  /** Pays again with every call. Null: it knows no such machine. */
  async extend(id: string, hours: number, signal: AbortSignal): Promise<Details | null> {
    const said = await this.#http.askFor(
      {
        method: 'POST',
        path: `${pathOf(id)}/extend`,
        body: { duration_hours: hours },
        login: 'needed',
        changes: true,
        answer: detailsSchema,
      },
      signal,
    );
    return said?.value ?? null;
  }

  /** One that it does not know is gone already. */
  async destroy(id: string, signal: AbortSignal): Promise<void> {
    await this.#http.askFor(
      { method: 'DELETE', path: pathOf(id), login: 'needed', changes: true, answer: z.unknown() },
      signal,
    );
  }

  /** One small page: whether a login is accepted, and what time it is there. */
  async greet(signal: AbortSignal, tried?: LoginValues): Promise<Said<unknown>> {
    return this.#http.ask(
      {
        method: 'GET',
        path: `${PREFIX}/deployments`,
        query: { page_size: 1 },
        login: 'needed',
        ...(tried === undefined ? {} : { tried }),
        changes: false,
        answer: pageSchema,
      },
      signal,
    );
  }

  /**
   * Everything that the account ever rented, what is over too. It is complete, or an error: rows move from one page to another
   * while machines come and go, and the network counts them.
   */
  async list(signal: AbortSignal, nextPage: NextPage = () => Promise.resolve()): Promise<readonly Row[]> {
    const found = new Map<string, Row>();
    let counted = 0;
    // Without a number it is the first page, wherever the network begins to count.
    for (let number: number | null = null, asked = 0; asked < MOST_PAGES; asked++) {
      if (asked > 0) {
        await nextPage();
      }
      const { deployments, total } = await this.#page(number, signal);
      const before = found.size;
      deployments.forEach(row => found.set(row.id, row));
      const isNew = found.size > before;
      counted = Math.max(counted, total ?? 0);
      const isSame: boolean = number === 1 && !isNew && deployments.length > 0;
      if (number === 1) {
        this.#firstPage = isSame ? 1 : 0;
      }
      // A page may hold fewer rows than were asked for although there are more: without a count only the next one tells.
      const isCounted = total !== null && total !== undefined;
      const isLast =
        deployments.length === 0 || (isCounted && deployments.length < PAGE_ROWS && found.size >= counted);
      if (isLast || (!isNew && !isSame)) {
        return this.#complete(found, counted);
      }
      number = number === null ? (this.#firstPage ?? 0) + 1 : number + 1;
    }
    throw new ProviderError('retryable', `${TITLE} answers its list without an end.`);
  }

  #complete(found: ReadonlyMap<string, Row>, counted: number): readonly Row[] {
    if (found.size < counted) {
      this.#firstPage = null;
      throw new ProviderError(
        'retryable',
        `${TITLE} sent only ${found.size.toString()} of the ${counted.toString()} rows of its list.`,
      );
    }
    return [...found.values()];
  }

  async #page(number: number | null, signal: AbortSignal) {
    const { value } = await this.#http.ask(
      {
        method: 'GET',
        path: `${PREFIX}/deployments`,
        query: { page_size: PAGE_ROWS, ...(number === null ? {} : { page: number }) },
        login: 'needed',
        changes: false,
        answer: pageSchema,
      },
      signal,
    );
    return value;
  }
}

const pathOf = (id: string): string => `${PREFIX}/deployment/${encodeURIComponent(id)}`;

const FUNDS = /insufficient|not enough (?:credit|fund|balance)|top[ -]?up|payment required/i;
const TAKEN = /no available|not available|unavailable|sold out|out of stock|no capacity|hardware not found/i;

/** How it words that there is no money, or no machine, is written down nowhere: known by its words. */
function meaningOf({ status, body, text }: Refusal): Meaning | null {
  const words = refusalWords(body) ?? text;
  if (![400, 402, 403, 404, 409, 422].includes(status)) {
    return null;
  }
  if (status === 402 || FUNDS.test(words)) {
    return { kind: 'auth', lacks: 'funds' };
  }
  return TAKEN.test(words) ? { kind: 'capacity' } : null;
}
