/**
 * Deployments on an account at the simulated Nosana. Source of routes, bodies and statuses: `@nosana/api` 2.1.8,
 * `dist/routes/deployments` and `dist/client/schema.d.ts`. What is assumed, since no file says it: the words of refusals, that
 * the newest stands first in a list, that a page has 10 where nobody says how many, and what is billed (from the start
 * until it is stopped, by the market's price for each replica).
 */
import { costOver } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import type { SimAnswer, SimBill, SimRental, SimRequest } from '../frame/simulator.ts';
import { type NosanaMarket, rateOf } from './markets.ts';

/** Schema `DeploymentCreateBody`; other fields are let pass. */
const createSchema = z.looseObject({
  name: z.string(),
  market: z.string(),
  replicas: z.number().int().min(1),
  /** Minutes. */
  timeout: z.number().int().min(1),
  strategy: z.enum(['SIMPLE', 'SIMPLE-EXTEND', 'SCHEDULED', 'INFINITE']),
  job_definition: z.looseObject({
    version: z.literal('0.1'),
    type: z.literal('container'),
    ops: z.array(z.looseObject({ id: z.string() })),
  }),
});
type Order = z.output<typeof createSchema>;

interface Deployment {
  readonly id: string;
  readonly order: Order;
  readonly createdAtMs: number;
  startedAtMs: number | null;
  stoppedAtMs: number | null;
}

export interface DeploymentTimes {
  /** From the start until it runs, and from the stop until it is stopped. */
  readonly startMs: number;
  readonly stopMs: number;
}

const MINUTE_MS = 60_000;
const PAGES = ['10', '20', '50', '100'];
const failed = (status: number, error: string): SimAnswer => ({ status, body: { error } });
const NOT_FOUND = failed(404, 'Deployment not found');

export class NosanaDeployments {
  readonly #clock: Clock;
  readonly #times: DeploymentTimes;
  readonly #market: (address: string) => NosanaMarket | undefined;
  readonly #all: Deployment[] = [];

  constructor(clock: Clock, times: DeploymentTimes, market: (address: string) => NosanaMarket | undefined) {
    this.#clock = clock;
    this.#times = times;
    this.#market = market;
  }

  answer({ method, path, query, body }: SimRequest): SimAnswer | null {
    const [, id = '', step = ''] = /^\/api\/deployments\/([^/]+)(?:\/([a-z]+))?$/.exec(path) ?? [];
    switch (`${method} ${path}`) {
      case 'GET /api/deployments':
        return this.#list(query);
      case 'POST /api/deployments/create':
        return this.#create(body);
      default:
    }
    const deployment = this.#all.find(one => one.id === id);
    if (id === '' || !(step in STEPS) || STEPS[step]?.includes(method) !== true) {
      return null;
    }
    return deployment === undefined ? NOT_FOUND : this.#ofOne(`${method} ${step}`, deployment);
  }

  rentals(): readonly SimRental[] {
    return this.#all.flatMap(({ id, order, startedAtMs, ...deployment }) =>
      startedAtMs === null
        ? []
        : [
            {
              id,
              mark: order.name,
              boughtAtMs: startedAtMs,
              endedAtMs: this.#endOf({ id, order, startedAtMs, ...deployment }),
              perHourMicroUsd: this.#rateOf(order),
            },
          ],
    );
  }

  bill(): readonly SimBill[] {
    return this.rentals().map(({ id, mark, boughtAtMs, endedAtMs, perHourMicroUsd }) => ({
      id,
      mark,
      label: 'GPU',
      amountMicroUsd: costOver(perHourMicroUsd, (endedAtMs ?? this.#clock.now()) - boughtAtMs),
    }));
  }

  #ofOne(asked: string, deployment: Deployment): SimAnswer {
    const now = this.#clock.now();
    const status = this.#statusOf(deployment);
    const updated_at = new Date(now).toISOString();
    switch (asked) {
      case 'POST start':
        if (status !== 'DRAFT' && status !== 'STOPPED') {
          return failed(400, `A deployment that is ${status} cannot be started`);
        }
        deployment.startedAtMs = now;
        deployment.stoppedAtMs = null;
        return { status: 200, body: { status: 'STARTING', updated_at } };
      case 'POST stop':
        if (status !== 'STARTING' && status !== 'RUNNING') {
          return failed(400, `A deployment that is ${status} cannot be stopped`);
        }
        deployment.stoppedAtMs = now;
        return { status: 200, body: { status: 'STOPPING', updated_at } };
      case 'DELETE ':
        // "must be in STOPPED state before it can be deleted" (`deploymentDelete.js`).
        if (status !== 'STOPPED') {
          return failed(400, 'Deployment must be stopped before it can be deleted');
        }
        this.#all.splice(this.#all.indexOf(deployment), 1);
        return { status: 204 };
      default:
        return { status: 200, body: this.#shown(deployment) };
    }
  }

  #create(body: unknown): SimAnswer {
    const read = createSchema.safeParse(body);
    if (!read.success) {
      return failed(400, z.prettifyError(read.error));
    }
    if (this.#market(read.data.market) === undefined) {
      return failed(400, 'Market not found');
    }
    const deployment: Deployment = {
      id: `deployment${(this.#all.length + 1).toString()}at${this.#clock.now().toString()}`,
      order: read.data,
      createdAtMs: this.#clock.now(),
      startedAtMs: null,
      stoppedAtMs: null,
    };
    this.#all.push(deployment);
    return { status: 200, body: this.#shown(deployment) };
  }

  #list(query: URLSearchParams): SimAnswer {
    const limit = query.get('limit') ?? '10';
    if (!PAGES.includes(limit)) {
      return failed(400, `limit must be one of ${PAGES.join(', ')}`);
    }
    const from = Number(Buffer.from(query.get('cursor') ?? '', 'base64').toString() || '0');
    const to = from + Number(limit);
    const cursor = (at: number) => Buffer.from(at.toString()).toString('base64');
    const page = this.#all.toReversed().slice(from, to);
    return {
      status: 200,
      body: {
        deployments: page.map(deployment => this.#shown(deployment)),
        pagination: {
          cursor_next: to < this.#all.length ? cursor(to) : null,
          cursor_prev: from > 0 ? cursor(Math.max(0, from - Number(limit))) : null,
          total_items: this.#all.length,
        },
      },
    };
  }

  /** Schema `Deployment`. */
  #shown(deployment: Deployment): object {
    const { id, order, createdAtMs, startedAtMs, stoppedAtMs } = deployment;
    const status = this.#statusOf(deployment);
    return {
      id,
      name: order.name,
      vault: 'credits',
      market: order.market,
      owner: 'owner',
      status,
      replicas: order.replicas,
      timeout: order.timeout,
      endpoints: order.job_definition.ops.map(op => ({ opId: op.id, port: 8888, url: `https://${id}.node` })),
      confidential: false,
      active_revision: 1,
      active_jobs: status === 'RUNNING' ? order.replicas : 0,
      strategy: order.strategy,
      created_at: new Date(createdAtMs).toISOString(),
      updated_at: new Date(stoppedAtMs ?? startedAtMs ?? createdAtMs).toISOString(),
    };
  }

  #statusOf(deployment: Deployment): string {
    const { startedAtMs, stoppedAtMs } = deployment;
    const now = this.#clock.now();
    const end = this.#endOf(deployment);
    if (startedAtMs === null) {
      return 'DRAFT';
    }
    if (end !== null) {
      return 'STOPPED';
    }
    if (stoppedAtMs !== null) {
      return 'STOPPING';
    }
    return now - startedAtMs < this.#times.startMs ? 'STARTING' : 'RUNNING';
  }

  /** When it was over: some time after it was stopped, or when its time had passed. */
  #endOf({ startedAtMs, stoppedAtMs, order }: Deployment): number | null {
    const passed =
      startedAtMs === null || order.strategy !== 'SIMPLE'
        ? Infinity
        : startedAtMs + this.#times.startMs + order.timeout * MINUTE_MS;
    const stopped = stoppedAtMs === null ? Infinity : stoppedAtMs + this.#times.stopMs;
    const end = Math.min(passed, stopped);
    return end <= this.#clock.now() ? end : null;
  }

  #rateOf({ market, replicas }: Order): bigint {
    const found = this.#market(market);
    return found === undefined ? 0n : rateOf(found) * BigInt(replicas);
  }
}

/** What may be asked of one deployment, by what stands behind its id. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  '': ['GET', 'DELETE'],
  start: ['POST'],
  stop: ['POST'],
};
