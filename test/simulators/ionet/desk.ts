/**
 * One of the two things that io.net sells, by whoever has a key: what it costs, orders, lists, what each is, more time and ends. The
 * routes are the same for virtual machines and containers; sources are `iocloud/resources/vms.py`, `resources/deployments.py` and
 * `types.py` of `ionet-cloud` 0.4.1, and the page of the documentation of each.
 */
import { costOver } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Random } from '@hitch/platform/src/random.ts';
import type { SimAnswer, SimRequest } from '../frame/simulator.ts';
import { data, detail, detailsOf, failed, listRow, NOT_FOUND, quoteOf, workerOf } from './answers.ts';
import { type Deployment, endedAt, HOUR_MS, paidUntil, type Product, statusOf } from './deployment.ts';
import type { Hardware } from './hardware.ts';
import type { IonetLies } from './lies.ts';
import {
  containerPriceQuerySchema,
  deployContainerSchema,
  deploySchema,
  extendSchema,
  issuesOf,
  LIST_QUERIES,
  type Order,
  orderOfContainer,
  orderOfMachine,
  priceQuerySchema,
  QUERY_NAMES,
} from './requests.ts';

/** As it came, with what is known of who asks. */
export interface Asked {
  readonly request: SimRequest;
  readonly key: string | null;
  readonly isHitch: boolean;
}

export interface DeskOptions {
  readonly product: Product;
  readonly clock: Clock;
  readonly random: Random;
  readonly hardware: readonly Hardware[];
  readonly lies: () => IonetLies;
  readonly complain: (what: string) => void;
  /** Of both things that it sells. */
  readonly deployments: Deployment[];
  readonly bootMs: number;
  readonly endMs: number;
  /** What leads to one that runs, in the network's words; null: nothing yet. */
  readonly wayTo: (deployment: Deployment) => Promise<string | null>;
}

/** The words in which the two differ. */
const WORDS = {
  vmaas: { workers: 'vms', none: 'No available VMs for the selected hardware and location' },
  caas: { workers: 'containers', none: 'No available replicas for the selected hardware and location' },
} as const;

export class IonetDesk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  get #lies(): IonetLies {
    return this.#options.lies();
  }

  /** @param path what stands behind `/enterprise/v1/io-cloud/{product}` */
  answer(asked: Asked, key: string, path: string): SimAnswer | Promise<SimAnswer> {
    const { workers } = WORDS[this.#options.product];
    const [, what, id = '', part = ''] =
      /^\/(deploy|deployments|deployment)(?:\/([^/]+)(?:\/(vms|containers|extend))?)?$/.exec(path) ?? [];
    switch (
      `${asked.request.method} ${what ?? ''}${id === '' ? '' : '/id'}${part === '' ? '' : `/${part}`}`
    ) {
      case 'POST deploy':
        return this.#deploy(asked, key);
      case 'GET deployments':
        return this.#list(asked, key);
      case 'GET deployment/id':
        return this.#show(asked, key, id);
      case `GET deployment/id/${workers}`:
        return this.#listWorkers(asked, key, id);
      case 'POST deployment/id/extend':
        return this.#extend(asked, key, id);
      case 'DELETE deployment/id':
        return this.#end(asked, key, id);
      default:
        return detail(404, 'Not Found');
    }
  }

  /** For everybody. */
  price(asked: Asked): SimAnswer {
    const { product } = this.#options;
    const schema = product === 'vmaas' ? priceQuerySchema : containerPriceQuerySchema;
    this.#checkQuery(asked, Object.keys(schema.shape));
    const query = schema.safeParse(Object.fromEntries(asked.request.query));
    if (!query.success) {
      return detail(422, issuesOf(query.error, 'query'));
    }
    const { hardware_id, location_ids, duration_hours } = query.data;
    const gpus = 'gpus_per_vm' in query.data ? query.data.gpus_per_vm : query.data.gpus_per_container;
    const hardware = this.#find(hardware_id, location_ids[0], gpus);
    // Whoever rents containers there is told no price of numbered hardware.
    if (hardware === null || (product === 'caas' && /^[0-9]+$/.test(hardware_id))) {
      return failed(404, 'Hardware not found');
    }
    const bare = costOver(hardware.perHourMicroUsd, duration_hours * HOUR_MS);
    const fee = this.#withFee(bare) - bare;
    return data(
      quoteOf(hardware, this.#freeOf(hardware), bare + fee, { fee, percent: this.#lies.feePercent ?? 0 }),
    );
  }

  #deploy(asked: Asked, key: string): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.none);
    const { body } = asked.request;
    const read =
      this.#options.product === 'vmaas'
        ? deploySchema.transform(orderOfMachine).safeParse(body)
        : deployContainerSchema.transform(orderOfContainer).safeParse(body);
    if (!read.success) {
      return this.#badBody(asked, issuesOf(read.error, 'body'));
    }
    const order = read.data;
    const hardware = this.#find(order.hardwareId, order.location, order.gpus);
    // How io.net words these two is not known.
    if (hardware === null) {
      return failed(404, 'Hardware not found');
    }
    if (this.#freeOf(hardware) === 0) {
      return failed(400, WORDS[this.#options.product].none);
    }
    const { id } = this.#bought(order, hardware, key);
    return this.#lies.emptyDeploy === true
      ? { status: 200 }
      : { status: 200, body: { status: 'success', deployment_id: id } };
  }

  #bought(order: Order, hardware: Hardware, key: string): Deployment {
    const nowMs = this.#options.clock.now();
    const asListed = this.#withFee(hardware.perHourMicroUsd);
    const perHourMicroUsd = (asListed * BigInt(100 + (this.#lies.dearerPercent ?? 0))) / 100n;
    const { product, bootMs } = this.#options;
    const deployment: Deployment = {
      id: this.#newId(),
      product,
      name: order.name,
      key,
      hardware: (product === 'vmaas' ? this.#lies.rents : undefined) ?? hardware,
      sshKeys: order.sshKeys,
      githubIds: order.githubIds,
      container: order.container,
      perHourMicroUsd,
      createdAtMs: nowMs,
      startedAtMs: nowMs + bootMs,
      hours: order.hours,
      timesMore: 0,
      paidMicroUsd: perHourMicroUsd * BigInt(order.hours),
      endAskedAtMs: null,
      goneAtMs: null,
    };
    this.#options.deployments.push(deployment);
    return deployment;
  }

  /** What is over stays in the list. */
  #list(asked: Asked, key: string): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.deployments);
    const { firstPage = 1, listedAfterMs = 0, withholds = 0 } = this.#lies;
    const query = LIST_QUERIES[firstPage].safeParse(Object.fromEntries(asked.request.query));
    if (!query.success) {
      return detail(422, issuesOf(query.error, 'query'));
    }
    const { page, page_size, status } = query.data;
    const nowMs = this.#options.clock.now();
    const rows = this.#ours
      .filter(each => each.key === key && each.createdAtMs + listedAfterMs <= nowMs)
      .map(each => ({ deployment: each, word: this.#wordFor(each) }))
      .filter(({ word }) => status === undefined || word.toLowerCase() === status)
      .toReversed();
    const from = (page - firstPage) * page_size;
    return data({
      deployments: rows
        .slice(withholds)
        .slice(from, from + page_size)
        .map(({ deployment, word }) => listRow(deployment, word, nowMs)),
      total: rows.length,
      statuses: [],
    });
  }

  #show(asked: Asked, key: string, id: string): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.none);
    const deployment = this.#visible(key, id);
    return deployment === null
      ? NOT_FOUND
      : data(detailsOf(deployment, this.#wordFor(deployment), this.#options.clock.now()));
  }

  async #listWorkers(asked: Asked, key: string, id: string): Promise<SimAnswer> {
    this.#checkQuery(asked, QUERY_NAMES.workers);
    const deployment = this.#visible(key, id);
    if (deployment === null) {
      return NOT_FOUND;
    }
    const isUp = statusOf(deployment, this.#options.clock.now()) === 'running';
    const way = isUp ? await this.#options.wayTo(deployment) : null;
    return data({ total: 1, workers: [workerOf(deployment, this.#wordFor(deployment), way)] });
  }

  /** Relative, paid at once, and again with each call (`VmInstances.extend`); the answer is the details. */
  #extend(asked: Asked, key: string, id: string): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.none);
    const order = extendSchema.safeParse(asked.request.body);
    if (!order.success) {
      return this.#badBody(asked, issuesOf(order.error, 'body'));
    }
    const deployment = this.#visible(key, id);
    if (deployment === null) {
      return NOT_FOUND;
    }
    const nowMs = this.#options.clock.now();
    if (endedAt(deployment, nowMs) !== null || deployment.endAskedAtMs !== null) {
      return failed(400, 'Deployment is not active');
    }
    const hours = order.data.duration_hours;
    deployment.hours += hours;
    deployment.timesMore += 1;
    deployment.paidMicroUsd += deployment.perHourMicroUsd * BigInt(hours);
    return data(detailsOf(deployment, this.#wordFor(deployment), nowMs));
  }

  #end(asked: Asked, key: string, id: string): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.none);
    const deployment = this.#visible(key, id);
    const nowMs = this.#options.clock.now();
    if (deployment === null || endedAt(deployment, nowMs) !== null) {
      return NOT_FOUND;
    }
    deployment.endAskedAtMs ??= nowMs;
    deployment.goneAtMs ??= Math.min(nowMs + this.#options.endMs, paidUntil(deployment) - 1);
    return data({});
  }

  get #ours(): readonly Deployment[] {
    return this.#options.deployments.filter(({ product }) => product === this.#options.product);
  }

  #visible(key: string, id: string): Deployment | null {
    const { hiddenMs = 0 } = this.#lies;
    const deployment = this.#ours.find(each => each.id === id && each.key === key);
    const isHidden =
      deployment === undefined || deployment.createdAtMs + hiddenMs > this.#options.clock.now();
    return isHidden ? null : deployment;
  }

  #find(deployId: string, location: string | undefined, gpus: number): Hardware | null {
    return (
      this.#options.hardware.find(
        each =>
          each.deployId === deployId &&
          each.cards === gpus &&
          (location === undefined || each.location === location),
      ) ?? null
    );
  }

  #freeOf(hardware: Hardware): number {
    const nowMs = this.#options.clock.now();
    const used = this.#ours.filter(
      each => each.hardware === hardware && endedAt(each, nowMs) === null,
    ).length;
    return this.#lies.soldOut === true || hardware.isSoldOut ? 0 : Math.max(0, hardware.free - used);
  }

  #withFee(amount: bigint): bigint {
    return (amount * BigInt(100 + (this.#lies.feePercent ?? 0))) / 100n;
  }

  #wordFor(deployment: Deployment): string {
    const status = statusOf(deployment, this.#options.clock.now());
    const word = status === 'running' ? (this.#lies.word ?? status) : status;
    return this.#lies.shouts === true ? word.toUpperCase().replaceAll(' ', '_') : word;
  }

  #badBody({ isHitch }: Asked, issues: readonly object[]): SimAnswer {
    if (isHitch) {
      this.#options.complain(`a body that io.net refuses: ${JSON.stringify(issues)}`);
    }
    return detail(422, issues);
  }

  #checkQuery({ request, isHitch }: Asked, known: readonly string[]): void {
    const unknown = [...request.query.keys()].filter(name => !known.includes(name));
    if (isHitch && unknown.length > 0) {
      this.#options.complain(`${request.method} ${request.path} does not know ${unknown.join(', ')}`);
    }
  }

  #newId(): string {
    const hex = Buffer.from(this.#options.random.bytes(16)).toString('hex');
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `a${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-');
  }
}
