/** A whole cluster side on virtual time: real store, practice market without processes, seeded ids. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, ClusterId, DoctorCheck, QuoteRequest } from '@hitch/contract';
import { quoteRequestSchema } from '@hitch/contract';
import { createClusters, type Clusters } from '../../src/clusters/create-clusters.ts';
import type { GovernedOptions } from '../../src/clusters/governed.ts';
import type { ClusterService } from '../../src/clusters/service.ts';
import type { AgentPort } from '../../src/access/links.ts';
import type { SshHosts } from '../../src/access/ssh/hosts.ts';
import type { Store } from '../../src/ledger/store.ts';
import { OfferBook } from '../../src/offers/offer-book.ts';
import { type Clock, VirtualClock } from '@hitch/platform/src/clock.ts';
import { type Log, silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { createIds, type Random, seededRandom } from '@hitch/platform/src/random.ts';
import type { Provider } from '../../src/providers/provider.ts';
import type { FaultPlan } from '../../src/providers/sandbox/faults.ts';
import { SandboxMarket } from '../../src/providers/sandbox/market.ts';
import { memoryStorage } from '../../src/providers/sandbox/market-storage.ts';
import { agentWithoutProcess, NullRuntime } from '../../src/providers/sandbox/null-runtime.ts';
import { SandboxProvider } from '../../src/providers/sandbox/sandbox-provider.ts';
import { MemoryDisk } from '../../src/store/memory-disk.ts';
import { purchasesInMemory } from '../../src/store/purchase-file.ts';
import { PurchaseLog } from '../../src/store/purchase-log.ts';
import { FakeSaves, type SaveFiles } from './fake-saves.ts';
import { settle } from './turn.ts';
import { openStore } from '../../src/store/open.ts';

export interface PracticeOptions {
  readonly seed?: number;
  readonly faults?: FaultPlan;
  readonly bootDelayMs?: number;
  readonly visibilityDelayMs?: number;
  readonly engineDelayMs?: number;
  readonly log?: Log;
  readonly home?: string;
  /** Puts something between the cluster side and the agent at an address. */
  readonly wrapAgent?: (agent: AgentPort, at: string) => AgentPort;
  readonly ssh?: SshHosts;
  /** What saves bring. */
  readonly files?: SaveFiles;
  /** The daemon's clock, where it is not the world's. */
  readonly daemonClock?: (world: VirtualClock) => Clock;
  /** Stored here, by name. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** Puts something between the cluster side and the market or the store. */
  readonly wrapProvider?: (provider: Provider) => Provider;
  readonly wrapStore?: (store: Store) => Store;
  /** How many of the clusters taken off the list are kept whole. */
  readonly removedKept?: number;
  /** Networks beside the market. */
  readonly others?: (world: VirtualClock) => readonly Provider[];
  /** What a team allows. */
  readonly policies?: GovernedOptions['policies'];
}

/** Of this computer's time, for its files. */
const REAL_LIMIT_MS = 30_000;

export class Practice {
  readonly clock = new VirtualClock();
  disk = new MemoryDisk();
  readonly purchases = purchasesInMemory();
  readonly market: SandboxMarket;
  readonly provider: SandboxProvider;
  readonly book = new OfferBook();
  readonly others: readonly Provider[];
  readonly #options: PracticeOptions;
  readonly #random: Random;
  #clusters: Clusters | null = null;

  constructor(options: PracticeOptions = {}) {
    const { clock } = this;
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    const runtime = new NullRuntime({ clock, engineDelayMs: options.engineDelayMs ?? 5_000 });
    this.market = new SandboxMarket({
      clock,
      runtime,
      storage: memoryStorage(),
      seed: options.seed ?? 1,
      faults: options.faults ?? { seed: options.seed ?? 1, rules: [] },
      bootDelayMs: options.bootDelayMs ?? 30_000,
      visibilityDelayMs: options.visibilityDelayMs ?? 20_000,
    });
    this.provider = new SandboxProvider(this.market);
    this.others = options.others?.(clock) ?? [];
  }

  /** What `doctor` says of the networks. */
  async rentedCheck(): Promise<DoctorCheck | undefined> {
    const checks = await this.pass(this.#clusters?.checks() ?? Promise.resolve([]));
    return checks.find(({ name }) => name === 'rented');
  }

  get service(): ClusterService {
    if (this.#clusters === null) {
      throw new Error('not open');
    }
    return this.#clusters.service;
  }

  get ledger(): Clusters['ledger'] {
    assert.ok(this.#clusters !== null, 'not open');
    return this.#clusters.ledger;
  }

  get random(): Random {
    return this.#random;
  }

  get notOurs(): ReturnType<Clusters['notOurs']> {
    return this.#clusters?.notOurs('sandbox') ?? [];
  }

  get keys(): Clusters['keys'] {
    assert.ok(this.#clusters !== null, 'not open');
    return this.#clusters.keys;
  }

  get bills(): Clusters['bills'] {
    assert.ok(this.#clusters !== null, 'not open');
    return this.#clusters.bills;
  }

  /** Starts a daemon's cluster side over what is stored. */
  async open(): Promise<this> {
    const clock = this.#options.daemonClock?.(this.clock) ?? this.clock;
    const store = await openStore({
      path: ':memory:',
      worker: false,
      now: () => clock.now(),
      disk: this.disk,
    });
    const options = this.#options;
    this.#clusters = await createClusters({
      clock,
      random: this.#random,
      ids: createIds(clock, this.#random),
      log: options.log ?? silentLog,
      home: homeAt(options.home ?? '/nonexistent/hitch'),
      ...(options.policies === undefined ? {} : { policies: options.policies }),
      store: options.wrapStore?.(store) ?? store,
      providers: [options.wrapProvider?.(this.provider) ?? this.provider, ...this.others],
      offers: this.book,
      purchaseLog: new PurchaseLog(this.purchases, options.log ?? silentLog),
      agentBundlePath: '/nonexistent/agent.mjs',
      secrets: names =>
        Promise.resolve(
          Object.fromEntries([...(options.secrets ?? [])].filter(([name]) => names.includes(name))),
        ),
      saves: new FakeSaves(clock, options.files),
      ...(options.removedKept === undefined ? {} : { removedKept: options.removedKept }),
      openAgent: ({ address }) => {
        const agent = agentWithoutProcess(address);
        assert.ok(agent !== null && 'socketPath' in address);
        return options.wrapAgent?.(agent, address.socketPath) ?? agent;
      },
      ...(options.ssh === undefined ? {} : { ssh: options.ssh }),
    });
    this.book.useHistories(this.#clusters.histories);
    await this.stockUp();
    return this;
  }

  /** Ends the daemon; machines and records stay. */
  close(): void {
    this.#clusters?.close();
    this.#clusters = null;
  }

  /** The database is gone; the purchase log is in another file. */
  loseStore(): void {
    this.close();
    this.disk = new MemoryDisk();
  }

  async stockUp(): Promise<void> {
    const { signal } = new AbortController();
    this.book.replace('sandbox', await this.market.offers(signal), this.clock.now());
    for (const other of this.others) {
      this.book.replace(other.id, await other.offers(signal), this.clock.now());
    }
  }

  /** Lets everything run for so long. */
  async run(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    await settle();
    for (
      let next = this.clock.nextTimerAt();
      next !== null && next <= untilMs;
      next = this.clock.nextTimerAt()
    ) {
      this.clock.step();
      await settle();
    }
    this.clock.jump(untilMs - this.clock.now());
  }

  /** Lets everything run until `done`, at most so long. */
  async until(done: () => boolean, mostMs = 3_600_000): Promise<void> {
    const untilMs = this.clock.now() + mostMs;
    const deadline = performance.now() + REAL_LIMIT_MS;
    await settle();
    while (!done()) {
      const next = this.clock.nextTimerAt();
      if ((next === null || next > untilMs) && performance.now() < deadline) {
        // No timer brings it about: what is waited for is a real file of this computer.
        await delay(1);
        continue;
      }
      if (next === null || next > untilMs) {
        throw new Error('It did not come to that in time.');
      }
      this.clock.step();
      await settle();
    }
  }

  /** Waits for a promise while time passes. */
  async pass<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = promise.finally(() => {
      over = true;
    });
    done.catch(() => undefined);
    await this.until(() => over);
    return done;
  }

  async rent(request: Partial<QuoteRequest> = {}, name?: string): Promise<Cluster> {
    const quote = await this.pass(this.service.quote(quoteRequestSchema.parse(request)));
    return this.pass(this.service.create({ quoteId: quote.id, ...(name === undefined ? {} : { name }) }));
  }

  async untilPhase(id: ClusterId, ...phases: readonly Cluster['phase'][]): Promise<Cluster> {
    await this.until(() => phases.includes(this.service.get(id).phase));
    return this.service.get(id);
  }

  /** Rentals that bill now. */
  billing() {
    return this.market.rentals().filter(({ endedAtMs }) => endedAtMs === null);
  }

  /** What the market bills for everything this cluster ever tried. */
  billed(id: ClusterId): bigint {
    const refs = this.service.get(id).nodes.flatMap(({ attempts }) => attempts.map(({ ref }) => ref));
    return refs.reduce((sum, ref) => sum + this.market.billed(ref), 0n);
  }
}
