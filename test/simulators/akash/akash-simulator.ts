/**
 * Akash, as far as Hitch asks it: the API of its console (`apps/api` of akash-network/console) over a chain with blocks, orders,
 * bids, leases and escrow. What it lies about, and where that was seen, stands in `lies.ts`.
 */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type {
  SimAnswer,
  SimBill,
  SimMachines,
  SimRental,
  SimRequest,
  Simulator,
} from '../frame/simulator.ts';
import {
  bidRow,
  CHAIN_SAYS,
  data,
  deploymentRow,
  historyRow,
  leaseRow,
  NOT_FOUND,
  PROVIDER_SAYS,
  providerRow,
  refusal,
  UNAUTHORIZED,
  USER,
  walletRow,
} from './answers.ts';
import { Containers } from './containers.ts';
import { Chain, FINE, inMicroUsd, type SimDeployment, type SimLease } from './chain.ts';
import type { AkashLies } from './lies.ts';
import { AKASH_MODELS } from './models.ts';
import { moneyOf, type Money } from './money.ts';
import { bidsFor, PROVIDERS } from './providers.ts';
import { createSchema, isHitch, leaseSchema, oddQuery, readBody } from './requests.ts';
import { manifestText, readSdl } from './sdl.ts';

export interface AkashOptions {
  readonly clock: Clock;
  /** Left out: machines are records, and where ssh is said to lead there is nothing. */
  readonly machines?: SimMachines;
  readonly keys?: readonly string[];
  readonly lies?: AkashLies;
  /** From the lease until its container runs. */
  readonly bootMs?: number;
  /** How long a block really takes. */
  readonly blockMs?: number;
  /** In dollars. */
  readonly balance?: number;
}

export const AKASH_KEY = 'ac.sk.simulated.0123456789abcdef';

/** "Deposit too low" below it: `DEPLOYMENT_DEFAULT_DEPOSIT` of the console's configuration, in dollars. */
const LEAST_DEPOSIT = 0.5;
const HOUR_BLOCKS = 600n;

export class AkashSimulator implements Simulator {
  readonly id = 'akash';
  /** What Hitch sent that the network would refuse, or that it does not know: of its own adapter nothing may stand here. */
  readonly complaints: string[] = [];
  /** Every request that its routes know, as it came. */
  readonly asked: SimRequest[] = [];
  models: readonly unknown[] = AKASH_MODELS;
  readonly #options: AkashOptions;
  /** May be set anew at any time. */
  lies: AkashLies;
  readonly #chain: Chain;
  readonly #containers: Containers;
  #withdrawn = 0;
  #undelivered = 0;

  constructor(options: AkashOptions) {
    this.#options = options;
    this.lies = options.lies ?? {};
    this.#containers = new Containers(options, () => this.lies);
    this.#chain = new Chain(() => options.clock.now(), options.blockMs ?? 6_000);
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    const { method, path, headers } = request;
    this.asked.push(request);
    if (isHitch(request)) {
      oddQuery(request).forEach(name => this.complaints.push(`${method} ${path}?${name}`));
    }
    const [, provider] = /^\/v1\/providers\/([^/]+)$/.exec(path) ?? [];
    if (method === 'GET' && path === '/v1/gpu-prices') {
      return { status: 200, body: { availability: { total: 100, available: 30 }, models: this.models } };
    }
    if (method === 'GET' && provider !== undefined) {
      const known = PROVIDERS.find(({ address }) => address === provider);
      return known === undefined
        ? refusal(404, 'Provider not found')
        : { status: 200, body: providerRow(known.address, known.isAudited, known.uptime) };
    }
    const { keys = [AKASH_KEY] } = this.#options;
    if (!keys.includes(headers['x-api-key'] ?? '')) {
      return UNAUTHORIZED;
    }
    await this.#settle();
    return this.#route(request);
  }

  rentals(): readonly SimRental[] {
    return this.#chain.deployments.map(deployment => ({
      id: deployment.dseq,
      mark: deployment.hash.toString('hex'),
      boughtAtMs: deployment.boughtAtMs,
      endedAtMs: this.#chain.isOver(deployment) ? deployment.closedAtMs : null,
      perHourMicroUsd: inMicroUsd((deployment.lease?.bid.price ?? 0n) * HOUR_BLOCKS),
    }));
  }

  bill(): readonly SimBill[] {
    return this.#chain.bill();
  }

  async close(): Promise<void> {
    await this.#containers.close();
  }

  /** What runs by now, whoever says so; null: nothing does. */
  runningAt(dseq: string): SimDeployment | null {
    const deployment = this.#chain.find(dseq);
    const { lease = null } = deployment ?? {};
    return deployment === undefined || lease === null || this.#chain.isOver(deployment)
      ? null
      : lease.closedHeight === null &&
          lease.readyAtMs !== null &&
          lease.readyAtMs <= this.#options.clock.now()
        ? deployment
        : null;
  }

  /** A provider ends its lease, as one that fails or needs the machine does. */
  async endLease(dseq: string): Promise<void> {
    const deployment = this.#chain.find(dseq);
    if (deployment !== undefined) {
      this.#chain.closeLease(deployment, this.#chain.height(), 'lease_closed_reason_unstable');
      await this.#containers.end(dseq);
    }
  }

  #route(request: SimRequest): SimAnswer | Promise<SimAnswer> {
    const { method, path, query } = request;
    const [, dseq] = /^\/v1\/deployments\/(\d+)$/.exec(path) ?? [];
    const [, skip, limit] = /^\/v1\/addresses\/[^/]+\/deployments\/(\d+)\/(\d+)$/.exec(path) ?? [];
    switch (`${method} ${path}`) {
      case 'POST /v1/deployments':
        return this.#create(request);
      case 'GET /v1/deployments':
        return this.#list(query);
      case 'GET /v1/bids':
        return this.#bids(query.get('dseq') ?? '');
      case 'POST /v1/leases':
        return this.#lease(request);
      case 'GET /v1/balances':
        return data(this.#money());
      case 'GET /v1/user/me':
        return data(USER);
      case 'GET /v1/wallets':
        return data(query.get('userId') === USER.id ? [walletRow(this.#money().balance)] : []);
      default:
    }
    if (method === 'GET' && skip !== undefined && limit !== undefined) {
      return this.#history(Number(skip), Number(limit), query);
    }
    const deployment = dseq === undefined ? undefined : this.#chain.find(dseq);
    if (method === 'GET' && deployment !== undefined) {
      return this.#detail(deployment).then(row => data(row));
    }
    if (method === 'DELETE' && deployment !== undefined) {
      return this.#close(deployment);
    }
    return NOT_FOUND;
  }

  /** `DeploymentWriterService.create`. */
  #create(request: SimRequest): SimAnswer {
    const read = readBody(createSchema, request);
    if ('problems' in read) {
      return this.#invalid(request, read.problems);
    }
    const { sdl: text, deposit: asked } = read.value.data;
    const found = readSdl(text);
    if ('problem' in found) {
      return this.#invalid(request, [`Invalid SDL: ${found.problem}`]);
    }
    const deposit = this.lies.managedDeposit ?? asked;
    if (deposit === undefined) {
      return refusal(400, 'deposit is required');
    }
    if (deposit < LEAST_DEPOSIT) {
      return CHAIN_SAYS.lowDeposit;
    }
    if (deposit > this.#money().balance) {
      return CHAIN_SAYS.noBalance;
    }
    const fromMs = this.#options.clock.now() + (this.lies.bidsAfterMs ?? 0);
    const bids = bidsFor(found.sdl, this.models, { ...this.lies, fromMs });
    const usual = manifestText(found.sdl);
    const manifest = this.lies.otherManifest === true ? usual.replace('"ip":""', '"ip":null') : usual;
    const made = this.#chain.add(found.sdl, BigInt(Math.round(deposit * 1e6)) * FINE, bids, manifest);
    return data(
      {
        dseq: made.dseq,
        manifest,
        signTx: { code: 0, transactionHash: 'A'.repeat(64), rawLog: '' },
      },
      201,
    );
  }

  #bids(dseq: string): SimAnswer {
    const deployment = this.#chain.find(dseq);
    if (deployment === undefined) {
      return data([]);
    }
    const now = this.#options.clock.now();
    const rows = deployment.bids
      .filter(({ fromMs }) => fromMs <= now)
      .map(bid =>
        bidRow(deployment, bid, {
          state: this.#chain.wordOf(deployment, bid),
          height: this.#chain.heightAt(bid.fromMs),
          denom: this.lies.denom ?? 'uact',
        }),
      );
    return data(rows);
  }

  /** `LeaseService.createLeasesAndSendManifest`: where there is a lease, the manifest alone is sent. */
  #lease(request: SimRequest): SimAnswer | Promise<SimAnswer> {
    const read = readBody(leaseSchema, request);
    if ('problems' in read) {
      return this.#invalid(request, read.problems);
    }
    const [wanted] = read.value.leases;
    const deployment = wanted === undefined ? undefined : this.#chain.find(wanted.dseq);
    if (wanted === undefined || deployment === undefined) {
      return NOT_FOUND;
    }
    if (deployment.lease === null || deployment.lease.closedHeight !== null) {
      const refused = this.#take(deployment, wanted.provider);
      if (refused !== null) {
        return refused;
      }
    }
    if (this.#undelivered < (this.lies.undelivered ?? 0)) {
      this.#undelivered += 1;
      return PROVIDER_SAYS.undelivered(deployment.dseq, wanted.provider);
    }
    if (read.value.manifest !== deployment.manifest) {
      // What its provider says of one with another hash than the chain has.
      return this.#invalid(request, ['manifest version validation failed']);
    }
    if (deployment.lease !== null) {
      deployment.lease.readyAtMs ??= this.#options.clock.now() + (this.#options.bootMs ?? 3_000);
    }
    return this.#detail(deployment).then(row => data(row));
  }

  /** Null: the lease is there. */
  #take(deployment: SimDeployment, provider: string): SimAnswer | null {
    if (!this.#chain.isOpen(deployment)) {
      return CHAIN_SAYS.orderClosed;
    }
    if (this.lies.unreachable?.includes(provider) === true) {
      return PROVIDER_SAYS.unreachable;
    }
    const bid = deployment.bids.find(each => each.provider === provider);
    if (bid !== undefined && this.#withdrawn < (this.lies.withdrawn ?? 0)) {
      this.#withdrawn += 1;
      bid.isClosed = true;
    }
    if (bid === undefined || bid.isClosed) {
      return CHAIN_SAYS.bidClosed;
    }
    deployment.lease = {
      bid,
      fromHeight: this.#chain.height(),
      readyAtMs: null,
      closedHeight: null,
      reason: null,
    };
    return null;
  }

  /** `DeploymentReaderService.list`: what is active, with leases and without their status. */
  #list(query: URLSearchParams): SimAnswer {
    const { withholds = 0, listedLeases } = this.lies;
    const all = this.#chain.deployments.filter(each => !this.#chain.isOver(each));
    const skip = Number(query.get('skip') ?? '0');
    const limit = Number(query.get('limit') ?? '1000');
    const shown = all.slice(0, all.length - withholds).slice(skip, skip + limit);
    const leasesOf = (each: SimDeployment | undefined): readonly object[] =>
      each === undefined || each.lease === null || listedLeases === 'none'
        ? []
        : [leaseRow(each.dseq, each.lease, this.#leaseWord(each, each.lease))];
    const deployments = shown.map((each, row) =>
      deploymentRow(
        this.#chain,
        each,
        'active',
        leasesOf(listedLeases === 'mixed' ? shown[(row + 1) % shown.length] : each),
      ),
    );
    const hasMore = query.has('skip') && query.has('limit') && all.length - withholds > skip + limit;
    return data({ deployments, pagination: { total: all.length, skip, limit, hasMore } });
  }

  /** By the owner, without an account: `listWithResources` of the same service. */
  #history(skip: number, limit: number, query: URLSearchParams): SimAnswer {
    if (limit > 100) {
      return refusal(400, 'Validation error');
    }
    const isClosed = query.get('status') === 'closed';
    const all = this.#chain.deployments.filter(each => this.#chain.isOver(each) === isClosed);
    const ordered = query.get('reverseSorting') === 'true' ? all.toReversed() : all;
    const results = ordered
      .slice(skip, skip + limit)
      .map(each => historyRow(each, isClosed ? 'closed' : 'active'));
    return { status: 200, body: { count: all.length, results } };
  }

  #leaseWord(deployment: SimDeployment, { closedHeight }: SimLease): string {
    return closedHeight === null
      ? (this.lies.word ?? 'active')
      : this.#isDry(deployment)
        ? 'insufficient_funds'
        : 'closed';
  }

  /** `DeploymentReaderService.findByWalletAndDseq`, which asks the provider what runs. */
  async #detail(deployment: SimDeployment): Promise<object> {
    const { lease } = deployment;
    const state = this.#chain.isOver(deployment) ? 'closed' : 'active';
    const leases =
      lease === null
        ? []
        : [
            {
              ...leaseRow(deployment.dseq, lease, this.#leaseWord(deployment, lease)),
              status: await this.#containers.statusOf(deployment, lease),
            },
          ];
    return deploymentRow(this.#chain, deployment, state, leases);
  }

  /** `DeploymentWriterService.close`: of what is closed it answers the same. */
  async #close(deployment: SimDeployment): Promise<SimAnswer> {
    this.#chain.close(deployment, this.#options.clock.now() + (this.lies.endMs ?? 0));
    await this.#containers.end(deployment.dseq);
    return data({ success: true });
  }

  /** What happened on the chain since it was asked last. */
  async #settle(): Promise<void> {
    const { leaseEndsAfterMs } = this.lies;
    const now = this.#options.clock.now();
    for (const deployment of this.#chain.deployments) {
      const { lease } = deployment;
      if (lease === null || this.#chain.isOver(deployment)) {
        continue;
      }
      if (this.lies.noTopUp !== true) {
        this.#chain.topUp(deployment);
      }
      if (this.#isDry(deployment)) {
        this.#chain.close(deployment, now);
        await this.#containers.end(deployment.dseq);
      } else if (leaseEndsAfterMs !== undefined && lease.closedHeight === null) {
        const ends = lease.fromHeight + Math.ceil(leaseEndsAfterMs / 6_000);
        if (this.#chain.height() >= ends) {
          this.#chain.closeLease(deployment, ends, 'lease_closed_reason_unstable');
          await this.#containers.end(deployment.dseq);
        }
      }
    }
  }

  /** Its deposit is used up, and nothing fills it up. */
  #isDry(deployment: SimDeployment): boolean {
    return this.lies.noTopUp === true && this.#chain.transferred(deployment) >= deployment.deposit;
  }

  #money(): Money {
    return moneyOf(this.#chain, this.#options.balance ?? 100);
  }

  #invalid(request: SimRequest, problems: readonly string[]): SimAnswer {
    if (isHitch(request)) {
      this.complaints.push(...problems.map(problem => `${request.method} ${request.path}: ${problem}`));
    }
    return refusal(400, problems.join(', '));
  }
}
