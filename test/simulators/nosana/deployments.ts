/**
 * Deployments on an account at the simulated Nosana, as nosana-ci/nosana-deployment-manager @afe5852e has them: bodies of
 * `src/router/schema`, what each route allows of `src/router/routes` (`deploymentStart.ts`, `deploymentStop.ts`,
 * `deploymentDelete.ts`, each answering 500 in a wrong state), pages of `src/repositories/filters`, that a start is RUNNING at
 * once while its job waits (`scheduleTask.ts`), that the end of its jobs stops it (`jobAllActiveJobsStop.ts`), and endpoints that
 * are said from the beginning (`deploymentCreate.factory.ts`). Assumed, since no file says it: what is billed (from the job's
 * start, in whole seconds, until it has ended, by the market's price for each replica).
 */
import { costOver } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import type { SimAnswer, SimBill, SimContainers, SimRental, SimRequest } from '../frame/simulator.ts';
import { createSchema, type Order, strictCreateSchema } from './requests.ts';
import { type NosanaMarket, rateOf } from './markets.ts';

interface Deployment {
  readonly id: string;
  readonly order: Order;
  readonly createdAtMs: number;
  readonly jobEndsAfterMs: number | null;
  startedAtMs: number | null;
  stoppedAtMs: number | null;
  machine: Promise<void> | null;
}

export interface DeploymentTimes {
  /** From the start until a host has taken its job, and from the stop until that has ended. */
  readonly startMs: number;
  readonly stopMs: number;
}

export interface DeploymentOptions extends DeploymentTimes {
  readonly clock: Clock;
  readonly market: (address: string) => NosanaMarket | undefined;
  readonly machines: SimContainers | null;
  /** The word of every deployment that is not over, whatever is so. */
  readonly statusWord: () => string | null;
  /** How long jobs of what is made now run until they end by themselves; null: until they are stopped. */
  readonly jobEndsAfterMs: () => number | null;
  readonly complain: (what: string) => void;
}

const PAGES = ['10', '20', '50', '100'];
const failed = (status: number, error: string): SimAnswer => ({ status, body: { error } });
/** `src/errors/index.ts`. */
const NOT_FOUND = failed(404, 'Deployment not found.');
const INCORRECT_STATE = failed(500, 'Deployment is in the incorrect state.');

export class NosanaDeployments {
  readonly #options: DeploymentOptions;
  readonly #all: Deployment[] = [];
  readonly #ended: SimRental[] = [];

  constructor(options: DeploymentOptions) {
    this.#options = options;
  }

  async answer(request: SimRequest): Promise<SimAnswer | null> {
    const { method, path, query } = request;
    const [, id = '', step = ''] = /^\/api\/deployments\/([^/]+)(?:\/([a-z]+))?$/.exec(path) ?? [];
    switch (`${method} ${path}`) {
      case 'GET /api/deployments':
        return this.#list(query);
      case 'POST /api/deployments/create':
        return this.#create(request);
      default:
    }
    if (id === '' || STEPS[step]?.includes(method) !== true) {
      return null;
    }
    const deployment = this.#all.find(one => one.id === id);
    return deployment === undefined ? NOT_FOUND : this.#ofOne(`${method} ${step}`, deployment);
  }

  runningAt(id: string): Order | null {
    const deployment = this.#all.find(one => one.id === id);
    return deployment !== undefined && this.#jobState(deployment) === 'RUNNING' ? deployment.order : null;
  }

  rentals(): readonly SimRental[] {
    return [
      ...this.#ended,
      ...this.#all.flatMap(deployment => {
        const rental = this.#rentalOf(deployment);
        return rental === null ? [] : [rental];
      }),
    ];
  }

  bill(): readonly SimBill[] {
    return this.rentals().map(({ id, mark, boughtAtMs, endedAtMs, perHourMicroUsd }) => ({
      id,
      mark,
      label: 'GPU',
      amountMicroUsd: costOver(
        perHourMicroUsd,
        Math.max(0, (endedAtMs ?? this.#options.clock.now()) - boughtAtMs),
      ),
    }));
  }

  #rentalOf(deployment: Deployment): SimRental | null {
    const { id, order } = deployment;
    const boughtAtMs = this.#jobStartOf(deployment);
    return boughtAtMs === null
      ? null
      : {
          id,
          mark: order.name,
          boughtAtMs,
          endedAtMs: this.#endOf(deployment),
          perHourMicroUsd: this.#rateOf(order),
        };
  }

  async #ofOne(asked: string, deployment: Deployment): Promise<SimAnswer> {
    const { clock, machines } = this.#options;
    const now = clock.now();
    const status = this.#statusOf(deployment);
    const updated_at = new Date(now).toISOString();
    switch (asked) {
      case 'POST start':
        if (!['DRAFT', 'STOPPED', 'ERROR', 'INSUFFICIENT_FUNDS'].includes(status)) {
          return INCORRECT_STATE;
        }
        deployment.startedAtMs = now;
        deployment.stoppedAtMs = null;
        return { status: 200, body: { status: 'STARTING', updated_at } };
      case 'POST stop':
        if (deployment.stoppedAtMs !== null || !holds(status)) {
          return INCORRECT_STATE;
        }
        deployment.stoppedAtMs = now;
        await machines?.end(deployment.id);
        return { status: 200, body: { status: 'STOPPING', updated_at } };
      case 'DELETE ': {
        if (status !== 'STOPPED') {
          return INCORRECT_STATE;
        }
        const rental = this.#rentalOf(deployment);
        this.#ended.push(...(rental === null ? [] : [rental]));
        this.#all.splice(this.#all.indexOf(deployment), 1);
        return { status: 204 };
      }
      case 'GET jobs':
        await this.#boot(deployment);
        return { status: 200, body: { jobs: this.#jobsOf(deployment), pagination: ONE_PAGE } };
      default:
        return { status: 200, body: this.#shown(deployment) };
    }
  }

  #create({ body, headers }: SimRequest): SimAnswer {
    const read = createSchema.safeParse(body);
    if (!read.success) {
      return failed(400, z.prettifyError(read.error));
    }
    if (headers['user-agent'] === 'hitch') {
      const strict = strictCreateSchema.safeParse(body);
      if (!strict.success) {
        this.#options.complain(z.prettifyError(strict.error));
      }
    }
    const now = this.#options.clock.now();
    const deployment: Deployment = {
      id: `deployment${(this.#all.length + this.#ended.length + 1).toString()}at${now.toString()}`,
      order: read.data,
      createdAtMs: now,
      jobEndsAfterMs: this.#options.jobEndsAfterMs(),
      startedAtMs: read.data.autostart === true ? now : null,
      stoppedAtMs: null,
      machine: null,
    };
    this.#all.push(deployment);
    const status = read.data.autostart === true ? { status: 'STARTING' } : {};
    return { status: 200, body: { ...this.#shown(deployment), ...status, active_jobs: 0 } };
  }

  #list(query: URLSearchParams): SimAnswer {
    const limit = query.get('limit') ?? '10';
    if (!PAGES.includes(limit)) {
      return failed(400, `limit must be one of ${PAGES.join(', ')}`);
    }
    const words = query.get('status')?.split(',') ?? null;
    const name = query.get('name');
    const fits = this.#all
      .toReversed()
      .filter(one => words === null || words.includes(this.#wordOf(one)) || !KNOWN.has(this.#wordOf(one)))
      .filter(({ order }) => name === null || order.name === name);
    const from = Number(Buffer.from(query.get('cursor') ?? '', 'base64').toString() || '0');
    const to = from + Number(limit);
    const cursor = (at: number) => Buffer.from(at.toString()).toString('base64');
    return {
      status: 200,
      body: {
        deployments: fits.slice(from, to).map(deployment => this.#shown(deployment)),
        pagination: {
          cursor_next: to < fits.length ? cursor(to) : null,
          cursor_prev: from > 0 ? cursor(Math.max(0, from - Number(limit))) : null,
          total_items: fits.length,
        },
      },
    };
  }

  /** `deployment.schema.ts`. */
  #shown(deployment: Deployment): object {
    const { id, order, createdAtMs, startedAtMs, stoppedAtMs } = deployment;
    const isRunning = this.#jobState(deployment) === 'RUNNING';
    return {
      id,
      name: order.name,
      vault: 'credits',
      market: order.market,
      owner: 'owner',
      status: this.#wordOf(deployment),
      replicas: order.replicas,
      timeout: order.timeout,
      endpoints: order.job_definition.ops.flatMap(({ id: opId, args }) =>
        args?.expose === undefined ? [] : [{ opId, port: args.expose, url: this.#urlOf(id) }],
      ),
      confidential: order.confidential ?? false,
      active_revision: 1,
      active_jobs: isRunning ? order.replicas : 0,
      strategy: order.strategy,
      created_at: new Date(createdAtMs).toISOString(),
      updated_at: new Date(stoppedAtMs ?? startedAtMs ?? createdAtMs).toISOString(),
    };
  }

  #urlOf(id: string): string {
    return this.#options.machines?.urlOf(id) ?? `https://${id}.node.example`;
  }

  /** `job.schema.ts`; one a replica. */
  #jobsOf(deployment: Deployment): readonly object[] {
    const { startedAtMs, order, id } = deployment;
    if (startedAtMs === null) {
      return [];
    }
    const endMs = this.#endOf(deployment);
    const begunMs = this.#jobStartOf(deployment);
    return Array.from({ length: order.replicas }, (_, replica) => ({
      tx: 'tx',
      deployment: id,
      job: `job-${replica.toString()}-of-${id}`,
      market: order.market,
      node: begunMs === null ? null : 'node',
      revision: 1,
      state: this.#jobState(deployment),
      time_start: begunMs === null ? 0 : begunMs / 1000,
      created_at: new Date(startedAtMs).toISOString(),
      updated_at: new Date(endMs ?? begunMs ?? startedAtMs).toISOString(),
    }));
  }

  /** What it runs is started when somebody looks after a host has taken it. */
  async #boot(deployment: Deployment): Promise<void> {
    const { machines } = this.#options;
    const [op] = deployment.order.job_definition.ops;
    const program = op?.args?.cmd?.at(-1);
    if (machines !== null && program !== undefined && this.#jobState(deployment) === 'RUNNING') {
      const { id } = deployment;
      deployment.machine ??= machines.start({ id, program, environment: op?.args?.env ?? {} });
      await deployment.machine;
    }
  }

  #jobState(deployment: Deployment): 'QUEUED' | 'RUNNING' | 'STOPPED' | null {
    return deployment.startedAtMs === null
      ? null
      : this.#endOf(deployment) !== null
        ? 'STOPPED'
        : this.#jobStartOf(deployment) === null
          ? 'QUEUED'
          : 'RUNNING';
  }

  #wordOf(deployment: Deployment): string {
    const status = this.#statusOf(deployment);
    return holds(status) ? (this.#options.statusWord() ?? status) : status;
  }

  #statusOf(deployment: Deployment): string {
    if (deployment.startedAtMs === null) {
      return 'DRAFT';
    }
    if (this.#endOf(deployment) !== null) {
      return 'STOPPED';
    }
    return deployment.stoppedAtMs === null ? 'RUNNING' : 'STOPPING';
  }

  /** When a host took its job, in whole seconds; null: none has. */
  #jobStartOf({ startedAtMs, stoppedAtMs }: Deployment): number | null {
    if (startedAtMs === null) {
      return null;
    }
    const takenMs = startedAtMs + this.#options.startMs;
    const isTaken = takenMs <= Math.min(this.#options.clock.now(), stoppedAtMs ?? Infinity);
    return isTaken ? Math.floor(takenMs / 1000) * 1000 : null;
  }

  /** When it was over: some time after it was stopped, or with its job. */
  #endOf(deployment: Deployment): number | null {
    const { stoppedAtMs, jobEndsAfterMs } = deployment;
    const stopsMs = stoppedAtMs === null ? Infinity : stoppedAtMs + this.#options.stopMs;
    const begunMs = jobEndsAfterMs === null ? null : this.#jobStartOf(deployment);
    const endMs = Math.min(stopsMs, begunMs === null ? Infinity : begunMs + (jobEndsAfterMs ?? 0));
    return endMs <= this.#options.clock.now() ? endMs : null;
  }

  #rateOf({ market, replicas }: Order): bigint {
    const found = this.#options.market(market);
    return found === undefined ? 0n : rateOf(found) * BigInt(replicas);
  }
}

const ONE_PAGE = { cursor_next: null, cursor_prev: null, total_items: 1 };
const KNOWN = new Set(['DRAFT', 'STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'ERROR', 'ARCHIVED']);
const holds = (status: string): boolean => status !== 'DRAFT' && status !== 'STOPPED';

/** What may be asked of one deployment, by what stands behind its id. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  '': ['GET', 'DELETE'],
  start: ['POST'],
  stop: ['POST'],
  jobs: ['GET'],
};
