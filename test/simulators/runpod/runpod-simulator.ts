/**
 * RunPod, as far as Hitch and its own clients ask it: REST v2 (`rest.ts`) and GraphQL (`graphql.ts`) over one account. What it
 * lies about: `RUNNING` is said while the image is fetched (runpodctl#315, dstack#1145), no capacity is a 400 without a code
 * (`createPod`'s table of failures), a stopped pod keeps its old ports (dstack `runpod/compute.py`), and members of a cluster
 * cannot be changed (`Pod.cluster`).
 */
import type { SimAnswer, SimBill, SimRental, SimRequest, Simulator } from '../frame/simulator.ts';
import { RunpodAccount, type RunpodOptions } from './account.ts';
import { problem } from './catalogue.ts';
import { RunpodGraphql } from './graphql.ts';
import { RunpodRest } from './rest.ts';

export class RunpodSimulator implements Simulator {
  readonly id = 'runpod';
  /** What Hitch sent that the network would refuse: of its own adapter nothing may stand here. */
  readonly complaints: string[] = [];
  /** What was ever bought here, and what becomes of it. */
  readonly account: RunpodAccount;
  readonly #rest: RunpodRest;
  readonly #graphql: RunpodGraphql;
  /** When it was asked in the last minute. */
  #calls: number[] = [];

  constructor(options: RunpodOptions) {
    const complain = (problems: readonly string[]): void => {
      this.complaints.push(...problems);
    };
    this.account = new RunpodAccount(options);
    this.#rest = new RunpodRest(this.account, complain);
    this.#graphql = new RunpodGraphql(this.account, complain);
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    const { keys = [RUNPOD_KEY], readOnlyKeys = [] } = this.account.options;
    const bearer = /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1];
    const mayOnlyRead = bearer !== undefined && readOnlyKeys.includes(bearer);
    const isGraphql = request.path === '/graphql';
    if (bearer === undefined || !(keys.includes(bearer) || mayOnlyRead)) {
      return isGraphql
        ? { status: 401, body: { errors: [{ message: 'Unauthorized' }] } }
        : problem(401, 'Unauthorized', bearer === undefined ? 'missing bearer token' : 'invalid token');
    }
    const tooOften = this.#tooOften();
    if (tooOften !== null) {
      return tooOften;
    }
    if (isGraphql) {
      return this.#graphql.answer(request, mayOnlyRead);
    }
    return mayOnlyRead && request.method !== 'GET'
      ? problem(403, 'Forbidden', 'this API key has no write permission')
      : this.#rest.answer(request);
  }

  rentals(): readonly SimRental[] {
    return this.account.rentals();
  }

  bill(): readonly SimBill[] {
    return this.account.bill();
  }

  async close(): Promise<void> {
    await this.account.options.machines?.close();
  }

  /** Takes a machine away, as the network does with accounts that owe, or hosts that fail. */
  async take(purchaseId: string): Promise<void> {
    const purchase = this.account.find(purchaseId);
    if (purchase !== undefined) {
      await this.account.end(purchase);
    }
  }

  #tooOften(): SimAnswer | null {
    const { clock, limits } = this.account.options;
    const now = clock.now();
    this.#calls = this.#calls.filter(at => at > now - 60_000);
    const [oldest] = this.#calls;
    if (limits !== true || oldest === undefined || this.#calls.length < 60) {
      this.#calls.push(now);
      return null;
    }
    const refusal = problem(429, 'Too Many Requests', 'rate limit exceeded for the minute window');
    const seconds = Math.ceil((oldest + 60_000 - now) / 1000).toString();
    return { ...refusal, headers: { ...refusal.headers, 'retry-after': seconds } };
  }
}

export const RUNPOD_KEY = 'rp-simulated-key-0123456789';
