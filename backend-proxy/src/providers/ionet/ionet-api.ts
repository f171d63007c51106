/** io.net's API, call by call: of virtual machines (VMaaS) and of containers (CaaS), which differ in a few words. */
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

/** What it sells, as its paths call that. */
export type Product = 'vmaas' | 'caas';

/** Where the two differ. Sources: `resources/vms.py`, `resources/deployments.py` and `resources/hardware.py` of `ionet-cloud` 0.4.1. */
const WORDS = {
  vmaas: {
    hardware: '/v1/io-cloud/vmaas/hardware',
    gpus: 'gpus_per_vm',
    priced: { currency: 'usdc' },
    workers: 'vms',
  },
  caas: {
    hardware: '/enterprise/v1/io-cloud/caas/hardware',
    gpus: 'gpus_per_container',
    priced: {},
    workers: 'containers',
  },
} as const;

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

/** It gives no more at once. */
const PAGE_ROWS = 100;
/** More than any list has: a network that answers pages for ever ends there. */
const MOST_PAGES = 1000;

export class IonetApi {
  readonly #http: NetworkHttp;
  readonly #product: Product;
  /** Where its pages are counted from: its client and its specification say 1 and 0. Null: no second page was needed yet. */
  #firstPage: 0 | 1 | null = null;

  /** @throws RangeError for a base that a login must not be sent to. */
  constructor(product: Product, { base, transport, login }: IonetApiOptions) {
    this.#product = product;
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
        path: WORDS[this.#product].hardware,
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
    const { gpus: perMachine, priced } = WORDS[this.#product];
    const { value } = await this.#http.ask(
      {
        method: 'GET',
        path: `${this.#prefix}/price`,
        query: {
          hardware_id: hardware,
          // A list, written into one value.
          location_ids: JSON.stringify([location]),
          ...priced,
          duration_hours: hours,
          [perMachine]: gpus,
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
  async deploy(
    { hardware, location, gpus }: Place,
    order: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { value } = await this.#http.ask(
      {
        method: 'POST',
        path: `${this.#prefix}/deploy`,
        body: {
          ...order,
          [WORDS[this.#product].gpus]: gpus,
          hardware_id: hardware,
          location_ids: [location],
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
      { method: 'GET', path: this.#pathOf(id), login: 'needed', changes: false, answer: detailsSchema },
      signal,
    );
    return said?.value ?? null;
  }

  /** What leads to the machine, in its words: where ssh does, or a web address. Null: it does not say so yet. */
  async wayTo(id: string, signal: AbortSignal): Promise<string | null> {
    const said = await this.#http.askFor(
      {
        method: 'GET',
        // The first page is that which is not asked for by a number: see `list`.
        path: `${this.#pathOf(id)}/${WORDS[this.#product].workers}`,
        login: 'needed',
        changes: false,
        answer: workersSchema,
      },
      signal,
    );
    return (
      said?.value
        .flatMap(({ ssh_access: access, public_url: url }) => [access?.trim() ?? '', url?.trim() ?? ''])
        .find(way => way !== '') ?? null
    );
  }

  /** Pays again with every call. Null: it knows no such machine. */
  async extend(id: string, hours: number, signal: AbortSignal): Promise<Details | null> {
    const said = await this.#http.askFor(
      {
        method: 'POST',
        path: `${this.#pathOf(id)}/extend`,
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
      { method: 'DELETE', path: this.#pathOf(id), login: 'needed', changes: true, answer: z.unknown() },
      signal,
    );
  }

  /** One small page: whether a login is accepted, and what time it is there. */
  async greet(signal: AbortSignal, tried?: LoginValues): Promise<Said<unknown>> {
    return this.#http.ask(
      {
        method: 'GET',
        path: `${this.#prefix}/deployments`,
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

  get #prefix(): string {
    return `/enterprise/v1/io-cloud/${this.#product}`;
  }

  #pathOf(id: string): string {
    return `${this.#prefix}/deployment/${encodeURIComponent(id)}`;
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
        path: `${this.#prefix}/deployments`,
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
