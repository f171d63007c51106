/** Nosana: its markets, which its API shows without an account, and what stands on one. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type {
  SimAnswer,
  SimBill,
  SimContainers,
  SimRental,
  SimRequest,
  Simulator,
} from '../frame/simulator.ts';
import { type DeploymentTimes, NosanaDeployments } from './deployments.ts';
import { NOSANA_MARKETS } from './markets.ts';
import type { Order } from './requests.ts';

export interface NosanaOptions extends Partial<DeploymentTimes> {
  readonly clock: Clock;
  /** Dollars. */
  readonly credits?: number;
  /** Left out: where it says that a machine is there is nothing. */
  readonly machines?: SimContainers;
  /** A word that nobody knows, for whatever is not over. */
  readonly statusWord?: string;
}

/** Without a login every route but the markets says so, in one JSON string (schema, responses 401). */
const UNAUTHORIZED: SimAnswer = {
  status: 401,
  headers: { 'content-type': 'application/json' },
  body: '"Unauthorized"',
};
const NO_ROUTE: SimAnswer = { status: 404, body: { error: 'Not Found' } };

export class NosanaSimulator implements Simulator {
  readonly id = 'nosana';
  /** A bare array, with or without `/api` before it. */
  markets: readonly unknown[] = NOSANA_MARKETS;
  /** Every request, as it came. */
  readonly asked: SimRequest[] = [];
  /** What Hitch sent that may not be sent. */
  readonly complaints: string[] = [];
  /** The word of every deployment that is not over, whatever is so; null: its own. */
  statusWord: string | null;
  /** How long jobs of what is made from now on run until they end by themselves, as where their host goes away; null: on and on. */
  jobEndsAfterMs: number | null = null;
  readonly #deployments: NosanaDeployments;
  readonly #credits: number;
  readonly #machines: SimContainers | null;

  constructor({
    clock,
    credits = 100,
    startMs = 2_000,
    stopMs = 2_000,
    machines,
    statusWord,
  }: NosanaOptions) {
    this.statusWord = statusWord ?? null;
    this.#credits = credits;
    this.#machines = machines ?? null;
    this.#deployments = new NosanaDeployments({
      clock,
      startMs,
      stopMs,
      market: address => NOSANA_MARKETS.find(market => market.address === address),
      machines: this.#machines,
      jobEndsAfterMs: () => this.jobEndsAfterMs,
      statusWord: () => this.statusWord,
      complain: what => this.complaints.push(what),
    });
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    this.asked.push(request);
    const { method, path, headers } = request;
    if (method === 'GET' && /^(?:\/api)?\/markets\/$/.test(path)) {
      return { status: 200, body: this.markets };
    }
    if (headers['authorization'] !== `Bearer ${NOSANA_KEY}`) {
      return UNAUTHORIZED;
    }
    return `${method} ${path}` === 'GET /api/credits/balance'
      ? { status: 200, body: this.#balance() }
      : ((await this.#deployments.answer(request)) ?? NO_ROUTE);
  }

  /** What runs on a host by now, whoever says so; null: nothing does. */
  runningAt(id: string): Order | null {
    return this.#deployments.runningAt(id);
  }

  rentals(): readonly SimRental[] {
    return this.#deployments.rentals();
  }

  bill(): readonly SimBill[] {
    return this.#deployments.bill();
  }

  async close(): Promise<void> {
    await this.#machines?.close();
  }

  /** In dollars; nothing is reserved here. */
  #balance(): object {
    const spent = this.bill().reduce((sum, { amountMicroUsd }) => sum + Number(amountMicroUsd) / 1e6, 0);
    return { assignedCredits: this.#credits, reservedCredits: 0, settledCredits: spent };
  }
}

export const NOSANA_KEY = 'nos_simulated-key-0123456789';
