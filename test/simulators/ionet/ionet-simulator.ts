/**
 * io.net's virtual machines (VMaaS), here. What it does is read in io.net's own client, `ionet-cloud` 0.4.1 (PyPI, MIT,
 * imported as `iocloud`), and in its documentation; what neither says is said where it is decided. The list of hardware and
 * prices are for everybody (`iocloud/resources/hardware.py`, `pricing.py`), everything else wants a key (`x-api-key`).
 */
import { costOver } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { type Random, seededRandom } from '@hitch/platform/src/random.ts';
import type {
  SimAnswer,
  SimBill,
  SimMachines,
  SimRental,
  SimRequest,
  Simulator,
} from '../frame/simulator.ts';
import { data, detail, detailsOf, failed, listRow, NOT_FOUND, quoteOf, workerOf } from './answers.ts';
import { costOf, type Deployment, endedAt, HOUR_MS, paidUntil, statusOf } from './deployment.ts';
import { Door, IONET_KEY } from './door.ts';
import { HARDWARE, type Hardware, hardwareRow } from './hardware.ts';
import type { IonetLies } from './lies.ts';
import {
  deploySchema,
  type DeployRequest,
  extendSchema,
  issuesOf,
  listQuerySchema,
  priceQuerySchema,
  QUERY_NAMES,
} from './requests.ts';
import { Ways } from './ways.ts';

export interface IonetOptions {
  readonly clock: Clock;
  readonly seed?: number;
  /** Keys that are accepted; left out: one. */
  readonly keys?: readonly string[];
  /** Whether whoever asks too often is refused, as the real network does; left out: yes. */
  readonly limits?: boolean;
  readonly hardware?: readonly Hardware[];
  readonly lies?: IonetLies;
  /** Left out: 90 s. */
  readonly bootMs?: number;
  /** From the end that is asked for to the end ("eventually consistent", `VmInstances.delete`); left out: 20 s. */
  readonly endMs?: number;
  /** What is behind it; left out: nothing, and addresses that lead nowhere. */
  readonly machines?: SimMachines;
}

const ENTERPRISE = '/enterprise/v1/io-cloud/vmaas';
const CONTAINERS = '/v1/io-cloud/caas/hardware';
const ANONYMOUS = '/v1/io-cloud/vmaas';

interface Asked {
  readonly request: SimRequest;
  readonly key: string | null;
  readonly isHitch: boolean;
}

export class IonetSimulator implements Simulator {
  readonly id = 'ionet';
  /** What Hitch sent that io.net does not know: a test that finds anything here has failed. */
  readonly complaints: string[] = [];
  lies: IonetLies;
  readonly #options: IonetOptions;
  readonly #random: Random;
  readonly #hardware: readonly Hardware[];
  readonly deployments: Deployment[] = [];
  readonly #door: Door;
  readonly #ways: Ways;

  constructor(options: IonetOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    this.#hardware = options.hardware ?? HARDWARE;
    this.lies = options.lies ?? {};
    this.#ways = new Ways(options.machines);
    this.#door = new Door(options.clock, options.keys ?? [IONET_KEY], options.limits ?? true);
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    await this.#ways.endOver(this.deployments, this.#options.clock.now());
    const key = request.headers['x-api-key'] ?? null;
    const isHitch = request.headers['user-agent'] === 'hitch';
    return this.#answer({ request, key, isHitch });
  }

  rentals(): readonly SimRental[] {
    const nowMs = this.#options.clock.now();
    return this.deployments.map(deployment => ({
      id: deployment.id,
      mark: deployment.name,
      boughtAtMs: deployment.createdAtMs,
      endedAtMs: endedAt(deployment, nowMs),
      perHourMicroUsd: deployment.perHourMicroUsd,
    }));
  }

  bill(): readonly SimBill[] {
    const nowMs = this.#options.clock.now();
    return this.deployments.map(deployment => ({
      id: deployment.id,
      mark: deployment.name,
      label: 'GPU',
      amountMicroUsd: costOf(deployment, nowMs),
    }));
  }

  async close(): Promise<void> {
    await this.#ways.close();
  }

  #answer(asked: Asked): SimAnswer | Promise<SimAnswer> {
    const { method, path } = asked.request;
    if (method === 'GET' && path === CONTAINERS) {
      // As it was recorded on 13 June 2026 beside the list of machines: the same rows, and how many there are of each.
      return data(
        this.#hardware.map(row => ({
          ...hardwareRow(row, false),
          brand_name: 'NVIDIA',
          available_replicas: row.free,
        })),
      );
    }
    if (method === 'GET' && (path === `${ENTERPRISE}/hardware` || path === `${ANONYMOUS}/hardware`)) {
      return this.#listHardware(asked);
    }
    if (method === 'GET' && path === `${ENTERPRISE}/price`) {
      return this.#price(asked);
    }
    if (!path.startsWith(`${ENTERPRISE}/`)) {
      return detail(404, 'Not Found');
    }
    return this.#door.refusal(asked.key) ?? this.#answerAccount(asked, asked.key ?? '');
  }

  #answerAccount(asked: Asked, key: string): SimAnswer | Promise<SimAnswer> {
    const { method, path } = asked.request;
    const [, what, id = '', part = ''] =
      /^\/(deploy|deployments|deployment)(?:\/([^/]+)(?:\/(vms|extend))?)?$/.exec(
        path.slice(ENTERPRISE.length),
      ) ?? [];
    switch (`${method} ${what ?? ''}${id === '' ? '' : '/id'}${part === '' ? '' : `/${part}`}`) {
      case 'POST deploy':
        return this.#deploy(asked, key);
      case 'GET deployments':
        return this.#list(asked, key);
      case 'GET deployment/id':
        return this.#show(asked, key, id);
      case 'GET deployment/id/vms':
        return this.#listVms(asked, key, id);
      case 'POST deployment/id/extend':
        return this.#extend(asked, key, id);
      case 'DELETE deployment/id':
        return this.#end(asked, key, id);
      default:
        return detail(404, 'Not Found');
    }
  }

  #listHardware(asked: Asked): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.hardware);
    return data({ hardware: this.#hardware.map(row => hardwareRow(row, this.lies.listsPerGpu === true)) });
  }

  #price(asked: Asked): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.price);
    const query = priceQuerySchema.safeParse(Object.fromEntries(asked.request.query));
    if (!query.success) {
      return detail(422, issuesOf(query.error, 'query'));
    }
    const { hardware_id, location_ids, duration_hours, gpus_per_vm } = query.data;
    const hardware = this.#find(hardware_id, location_ids[0], gpus_per_vm);
    if (hardware === null) {
      return failed(404, 'Hardware not found');
    }
    const bare = costOver(hardware.perHourMicroUsd, duration_hours * HOUR_MS);
    const fee = this.#withFee(bare) - bare;
    return data(
      quoteOf(hardware, this.#freeOf(hardware), bare + fee, { fee, percent: this.lies.feePercent ?? 0 }),
    );
  }

  #deploy(asked: Asked, key: string): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.none);
    const order = deploySchema.safeParse(asked.request.body);
    if (!order.success) {
      return this.#badBody(asked, issuesOf(order.error, 'body'));
    }
    const { hardware_id, location_ids, gpus_per_vm } = order.data;
    const hardware = this.#find(String(hardware_id), location_ids?.[0]?.toString(), gpus_per_vm);
    // How io.net words these two is not known.
    if (hardware === null) {
      return failed(404, 'Hardware not found');
    }
    if (this.#freeOf(hardware) === 0) {
      return failed(400, 'No available VMs for the selected hardware and location');
    }
    const { id } = this.#bought(order.data, hardware, key);
    return this.lies.emptyDeploy === true
      ? { status: 200 }
      : { status: 200, body: { status: 'success', deployment_id: id } };
  }

  #bought(order: DeployRequest, hardware: Hardware, key: string): Deployment {
    const nowMs = this.#options.clock.now();
    const asListed = this.#withFee(hardware.perHourMicroUsd);
    const perHourMicroUsd = (asListed * BigInt(100 + (this.lies.dearerPercent ?? 0))) / 100n;
    const deployment: Deployment = {
      id: this.#newId(),
      name: order.resource_private_name,
      key,
      hardware: this.lies.rents ?? hardware,
      sshKeys: order.ssh_keys ?? {},
      githubIds: order.github_ids ?? [],
      perHourMicroUsd,
      createdAtMs: nowMs,
      startedAtMs: nowMs + (this.#options.bootMs ?? 90_000),
      hours: order.duration_hours,
      timesMore: 0,
      paidMicroUsd: perHourMicroUsd * BigInt(order.duration_hours),
      endAskedAtMs: null,
      goneAtMs: null,
    };
    this.deployments.push(deployment);
    return deployment;
  }

  /** What is over stays in the list. */
  #list(asked: Asked, key: string): SimAnswer {
    this.#checkQuery(asked, QUERY_NAMES.deployments);
    const { firstPage = 1, listedAfterMs = 0, withholds = 0 } = this.lies;
    const query = listQuerySchema(firstPage).safeParse(Object.fromEntries(asked.request.query));
    if (!query.success) {
      return detail(422, issuesOf(query.error, 'query'));
    }
    const { page, page_size, status } = query.data;
    const nowMs = this.#options.clock.now();
    const rows = this.deployments
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

  async #listVms(asked: Asked, key: string, id: string): Promise<SimAnswer> {
    this.#checkQuery(asked, QUERY_NAMES.vms);
    const deployment = this.#visible(key, id);
    if (deployment === null) {
      return NOT_FOUND;
    }
    const isUp = statusOf(deployment, this.#options.clock.now()) === 'running';
    const access = isUp ? await this.#ways.to(deployment, this.lies.sshAccess) : null;
    return data({ total: 1, workers: [workerOf(deployment, this.#wordFor(deployment), access)] });
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
    deployment.goneAtMs ??= Math.min(nowMs + (this.#options.endMs ?? 20_000), paidUntil(deployment) - 1);
    return data({});
  }

  #visible(key: string, id: string): Deployment | null {
    const { hiddenMs = 0 } = this.lies;
    const deployment = this.deployments.find(each => each.id === id && each.key === key);
    const isHidden =
      deployment === undefined || deployment.createdAtMs + hiddenMs > this.#options.clock.now();
    return isHidden ? null : deployment;
  }

  #find(deployId: string, location: string | undefined, gpus: number): Hardware | null {
    return (
      this.#hardware.find(
        each =>
          each.deployId === deployId &&
          each.cards === gpus &&
          (location === undefined || each.location === location),
      ) ?? null
    );
  }

  #freeOf(hardware: Hardware): number {
    const nowMs = this.#options.clock.now();
    const used = this.deployments.filter(
      each => each.hardware === hardware && endedAt(each, nowMs) === null,
    ).length;
    return this.lies.soldOut === true || hardware.isSoldOut ? 0 : Math.max(0, hardware.free - used);
  }

  #withFee(amount: bigint): bigint {
    return (amount * BigInt(100 + (this.lies.feePercent ?? 0))) / 100n;
  }

  #wordFor(deployment: Deployment): string {
    const status = statusOf(deployment, this.#options.clock.now());
    const word = status === 'running' ? (this.lies.word ?? status) : status;
    return this.lies.shouts === true ? word.toUpperCase().replaceAll(' ', '_') : word;
  }

  #badBody({ isHitch }: Asked, issues: readonly object[]): SimAnswer {
    if (isHitch) {
      this.complaints.push(`a body that io.net refuses: ${JSON.stringify(issues)}`);
    }
    return detail(422, issues);
  }

  #checkQuery({ request, isHitch }: Asked, known: readonly string[]): void {
    const unknown = [...request.query.keys()].filter(name => !known.includes(name));
    if (isHitch && unknown.length > 0) {
      this.complaints.push(`${request.method} ${request.path} does not know ${unknown.join(', ')}`);
    }
  }

  #newId(): string {
    const hex = Buffer.from(this.#random.bytes(16)).toString('hex');
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `a${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-');
  }
}
