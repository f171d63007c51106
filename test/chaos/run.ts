/**
 * One chaos run: a person rents, stops, extends and removes clusters on a market where things go wrong, while the
 * daemon is killed again and again. Then everything is asked to stop, and the run ends when the market is quiet.
 */
import { HitchError } from '@hitch/contract';
import { type Clusters, createClusters } from '../../backend-proxy/src/clusters/create-clusters.ts';
import { OfferBook } from '../../backend-proxy/src/offers/offer-book.ts';
import { VirtualClock } from '../../backend-proxy/src/platform/clock.ts';
import { silentLog } from '../../backend-proxy/src/platform/log.ts';
import { homeAt } from '../../backend-proxy/src/platform/paths.ts';
import {
  createIds,
  pick,
  type Random,
  randomInt,
  seededRandom,
} from '../../backend-proxy/src/platform/random.ts';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import { memoryStorage, type Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { SandboxProvider } from '../../backend-proxy/src/providers/sandbox/sandbox-provider.ts';
import { MemoryDisk } from '../../backend-proxy/src/store/memory-disk.ts';
import { openStore } from '../../backend-proxy/src/store/open.ts';
import type { Store } from '../../backend-proxy/src/store/store.ts';
import { Mortal } from './mortal.ts';
import { Person } from './person.ts';
import { drawFaults } from './plan.ts';
import { emptyReport, type Report } from './report.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface ChaosOptions {
  readonly seed: number;
  /** Virtual time after which a run that is not quiet counts as one that never ends. */
  readonly patienceMs?: number;
  /** Hears what still stands at the end of a run that did not come to rest. */
  readonly tell?: (line: string) => void;
  /** Breaks the daemon on purpose, to see that the run notices. */
  readonly plant?: {
    readonly store?: (store: Store) => Store;
    readonly provider?: (provider: Provider) => Provider;
  };
}

export async function chaosRun(options: ChaosOptions): Promise<Report> {
  return new ChaosRun(options).run();
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #random: Random;
  /** The daemon's own source, so that what the person does is the same whatever the daemon draws. */
  readonly #daemonRandom: Random;
  readonly #clock = new VirtualClock();
  readonly #disk = new MemoryDisk();
  readonly #market: SandboxMarket;
  readonly #provider: SandboxProvider;
  readonly #book = new OfferBook();
  readonly #report: Report;
  readonly #strangers: readonly string[];
  readonly #asked = new Map<string, number>();
  readonly #orphanSince = new Map<string, number>();
  /** As above, counted anew from each moment at which the market does not answer. */
  readonly #findableSince = new Map<string, number>();
  readonly #outage: { readonly fromMs: number; readonly untilMs: number } | null;
  readonly #person: Person;
  #mortal: Mortal | null = null;
  #clusters: Clusters | null = null;
  #calm = false;
  #lastLookMs = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#daemonRandom = seededRandom(options.seed + 0x5eed);
    this.#report = emptyReport(options.seed);
    const clock = this.#clock;
    const openedAtMs = clock.now();
    this.#person = new Person(this.#random, clock, () => {
      this.#report.doublePurchases += 1;
    });
    const runtime = new NullRuntime({
      clock,
      jupyterDelayMs: randomInt(this.#random, 0, 20_000),
      engineDelayMs: randomInt(this.#random, 0, 30_000),
    });
    const faults = drawFaults(this.#random);
    const outage = faults.rules.find(rule => rule.fault === 'outage');
    this.#outage =
      outage === undefined
        ? null
        : {
            fromMs: openedAtMs + outage.afterMs,
            untilMs: openedAtMs + outage.afterMs + outage.durationMs,
          };
    this.#market = new SandboxMarket({
      clock,
      storage: memoryStorage(),
      runtime,
      seed: options.seed,
      offersPerModel: 3,
      faults,
      bootDelayMs: randomInt(this.#random, 500, 2 * MINUTE),
      visibilityDelayMs: randomInt(this.#random, 0, MINUTE),
    });
    this.#provider = new SandboxProvider(this.#market);
    const ids = createIds(clock, seededRandom(options.seed + 0xf0e));
    this.#strangers = [ids.ref(), ids.ref(), 'somebody-else', ids.ref()];
  }

  async run(): Promise<Report> {
    await this.#settleStrangers();
    await this.#start();
    const actions = randomInt(this.#random, 3, 9);
    for (let action = 0; action < actions; action++) {
      await this.#pass(randomInt(this.#random, 0, 12 * MINUTE));
      await this.#act();
    }
    await this.#pass(randomInt(this.#random, 0, 20 * MINUTE));
    // From here on it may still die, but not for ever.
    await this.#stopAll();
    await this.#judge();
    this.#mortal?.kill('the end');
    this.#clusters?.close();
    return this.#report;
  }

  /** Machines of other people, and of another Hitch with other records, rented before ours. */
  async #settleStrangers(): Promise<void> {
    for (const ref of this.#strangers) {
      for (let tries = 0; tries < 50 && this.#market.rentals(ref).length === 0; tries++) {
        const entryId = (await this.#anyOffer())?.slice('sandbox:'.length) ?? '';
        await this.#inTime(
          this.#market.rent(
            { ref, entryId, maxPricePerHourMicroUsd: 1_000_000_000n, endAtMs: null },
            new AbortController().signal,
          ),
        ).catch(() => undefined);
      }
    }
  }

  async #anyOffer(): Promise<string | undefined> {
    const offers = await this.#inTime(this.#market.offers(new AbortController().signal)).catch(() => []);
    return offers.length === 0 ? undefined : pick(this.#random, offers).id;
  }

  /** Waits for a promise of the market's own, letting time pass. */
  async #inTime<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = promise.finally(() => {
      over = true;
    });
    done.catch(() => undefined);
    for (let steps = 0; !over && steps < 10_000; steps++) {
      await turn();
      if (!over && !this.#clock.step()) {
        this.#clock.jump(1_000);
      }
    }
    return done;
  }

  async #start(): Promise<void> {
    const steps = this.#calm ? Number.POSITIVE_INFINITY : Math.ceil(-Math.log(1 - this.#random.next()) * 150);
    const mortal = new Mortal(steps, () => {
      this.#report.kills += 1;
    });
    this.#mortal = mortal;
    this.#clusters = null;
    const real = this.#clock;
    const stored = await openStore({
      path: ':memory:',
      worker: false,
      now: () => real.now(),
      disk: this.#disk,
    });
    const store = this.#options.plant?.store?.(stored) ?? stored;
    const provider = this.#options.plant?.provider?.(this.#provider) ?? this.#provider;
    const clock = mortal.clock(real);
    const opening = createClusters({
      clock,
      random: this.#daemonRandom,
      ids: createIds(clock, this.#daemonRandom),
      log: silentLog,
      home: homeAt('/nonexistent/hitch'),
      store: mortal.store(store),
      providers: [mortal.provider(provider, ref => this.#noteCreate(ref))],
      offers: this.#book,
      agentBundlePath: '/nonexistent/agent.mjs',
      save: ({ signal }) =>
        mortal.step('save', async () => {
          await clock.sleep(randomInt(this.#random, 0, MINUTE), signal);
          return [];
        }),
    });
    void opening.then(
      clusters => {
        if (this.#mortal === mortal && !mortal.dead) {
          this.#clusters = clusters;
        }
      },
      () => mortal.kill('at its start'),
    );
    await turn();
  }

  /** Counts what is asked of the market, as the market's own staff would. */
  #noteCreate(ref: string): void {
    const times = (this.#asked.get(ref) ?? 0) + 1;
    this.#asked.set(ref, times);
    this.#report.purchases += 1;
    const node = this.#clusters?.service
      .list()
      .flatMap(({ nodes }) => nodes)
      .find(({ attempts }) => attempts.some(attempt => attempt.ref === ref));
    const busy = node?.attempts.some(
      attempt => attempt.ref !== ref && (attempt.state === 'owned' || attempt.state === 'intended'),
    );
    if (times > 1 || busy === true) {
      this.#report.doublePurchases += 1;
    }
  }

  /** Lets so much time pass, with a daemon that dies and comes back. */
  async #pass(ms: number): Promise<void> {
    const untilMs = this.#clock.now() + ms;
    while (this.#clock.now() < untilMs) {
      await this.#revive();
      const next = this.#clock.nextTimerAt();
      if (next === null || next > untilMs) {
        this.#clock.jump(untilMs - this.#clock.now());
      } else {
        this.#clock.step();
      }
      await turn();
      this.#look();
    }
  }

  async #revive(): Promise<void> {
    if (this.#mortal?.dead === true) {
      const downMs =
        this.#random.next() < 0.7
          ? randomInt(this.#random, 0, 30_000)
          : randomInt(this.#random, 0, 40 * MINUTE);
      this.#clock.jump(downMs);
      this.#orphanSince.clear();
      this.#findableSince.clear();
      this.#lastLookMs = this.#clock.now();
      await this.#refreshOffers();
      await this.#start();
    }
  }

  async #refreshOffers(): Promise<void> {
    const offers = await this.#inTime(this.#market.offers(new AbortController().signal)).catch(() => null);
    if (offers !== null) {
      this.#book.replace('sandbox', offers, this.#clock.now());
    }
  }

  /** How long something bills that no record knows to exist, while a daemon is there to find it. */
  #look(): void {
    const nowMs = this.#clock.now();
    if (this.#clusters === null || nowMs - this.#lastLookMs < 1_000) {
      return;
    }
    this.#lastLookMs = nowMs;
    const known = new Set(
      this.#clusters.service
        .list()
        .flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts))
        .filter(({ state }) => state === 'owned' || state === 'releasing' || state === 'intended')
        .map(({ ref }) => ref),
    );
    for (const rental of this.#ours()) {
      const orphan = rental.endedAtMs === null && !known.has(rental.ref);
      if (!orphan) {
        this.#orphanSince.delete(rental.id);
        this.#findableSince.delete(rental.id);
        continue;
      }
      const since = this.#orphanSince.get(rental.id) ?? nowMs;
      this.#orphanSince.set(rental.id, since);
      this.#report.worstOrphanSeconds = Math.max(
        this.#report.worstOrphanSeconds,
        Math.round((nowMs - since) / 1000),
      );
      const out = this.#outage !== null && nowMs >= this.#outage.fromMs && nowMs < this.#outage.untilMs;
      const findableSince = out ? nowMs : (this.#findableSince.get(rental.id) ?? nowMs);
      this.#findableSince.set(rental.id, findableSince);
      this.#report.worstFindSeconds = Math.max(
        this.#report.worstFindSeconds,
        Math.round((nowMs - findableSince) / 1000),
      );
    }
  }

  #ours(): readonly Rental[] {
    return this.#market.rentals().filter(({ ref }) => !this.#strangers.includes(ref));
  }

  /** One thing a person does. What a dying daemon does not answer, the person sees later. */
  async #act(): Promise<void> {
    await this.#revive();
    await this.#refreshOffers();
    const service = this.#clusters?.service;
    if (service !== undefined) {
      const deed = this.#person.next(service);
      await this.#try(() => deed());
    }
  }

  /** A refusal with a sentence is an answer; anything else is a defect. A dead daemon does not answer at all. */
  async #try(act: () => Promise<unknown>): Promise<void> {
    const mortal = this.#mortal;
    let over = false;
    const done = act().then(
      () => {
        over = true;
      },
      (error: unknown) => {
        over = true;
        if (!(error instanceof HitchError)) {
          throw error;
        }
      },
    );
    for (let steps = 0; !over && mortal?.dead === false && steps < 100_000; steps++) {
      await turn();
      if (!over && !mortal.dead) {
        this.#clock.step();
      }
    }
    if (over) {
      await done;
    } else {
      done.catch(() => undefined);
    }
  }

  async #stopAll(): Promise<void> {
    const giveUpAtMs = this.#clock.now() + (this.#options.patienceMs ?? 24 * HOUR);
    let killsLeft = 3;
    while (this.#clock.now() < giveUpAtMs) {
      this.#calm = killsLeft-- <= 0;
      await this.#revive();
      const service = this.#clusters?.service;
      for (const { id } of service?.list() ?? []) {
        await this.#try(async () => service?.stop(id, { skipSave: false }));
      }
      await this.#pass(5 * MINUTE);
      if (this.#calm && this.#isQuiet()) {
        return;
      }
      if (this.#calm && this.#mortal !== null && !this.#mortal.dead && killsLeft === -1) {
        // The last one before the calm, so that what follows runs with a daemon that lives.
        this.#mortal.kill('the last kill');
      }
    }
    this.#describe();
    this.#report.problems.push('It did not come to rest.');
  }

  /** What still stands, for a person who replays a run. */
  #describe(): void {
    for (const cluster of this.#clusters?.service.list() ?? []) {
      this.#tell(
        `${cluster.name} ${cluster.phase} (${cluster.message}) ${JSON.stringify(cluster.conditions)}`,
      );
      for (const node of cluster.nodes) {
        this.#tell(`  node ${node.index.toString()} ${node.phase}: ${node.message}`);
        for (const attempt of node.attempts) {
          this.#tell(`    ${attempt.state} ${attempt.instanceId ?? ''} ${attempt.ref}: ${attempt.message}`);
        }
      }
    }
    for (const rental of this.#market.rentals()) {
      this.#tell(JSON.stringify(rental));
    }
  }

  #tell(line: string): void {
    this.#options.tell?.(line);
  }

  #isQuiet(): boolean {
    const clusters = this.#clusters?.service.list();
    return (
      clusters !== undefined &&
      clusters.every(
        ({ phase, conditions }) =>
          (phase === 'stopped' || phase === 'expired' || phase === 'failed') &&
          conditions.cleanup.status === 'yes',
      )
    );
  }

  async #judge(): Promise<void> {
    for (const rental of this.#market.rentals()) {
      await this.#settleRental(rental.id);
    }
    const report = this.#report;
    report.leaks += this.#ours().filter(({ endedAtMs }) => endedAtMs === null).length;
    const refs = this.#ours().map(({ ref }) => ref);
    report.doublePurchases += refs.length - new Set(refs).size;
    report.foreignDestroyed += this.#market
      .rentals()
      .filter(({ ref, destroyTries }) => this.#strangers.includes(ref) && destroyTries > 0).length;
    await this.#try(async () => {
      report.meterErrorMicroUsd += await this.#meterError();
    });
  }

  /** Has the market notice that a rental's own end has come. */
  async #settleRental(id: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      try {
        await this.#inTime(this.#market.show(id, new AbortController().signal));
        return;
      } catch {
        this.#clock.jump(MINUTE);
      }
    }
  }

  async #meterError(): Promise<bigint> {
    const service = this.#clusters?.service;
    if (service === undefined) {
      throw new Error('no daemon to ask');
    }
    const billed = [...new Set(this.#ours().map(({ ref }) => ref))].reduce(
      (sum, ref) => sum + this.#market.billed(ref),
      0n,
    );
    const { costMicroUsd } = await service.usageTotal(0, Number.MAX_SAFE_INTEGER);
    const total = absolute(BigInt(costMicroUsd) - billed);
    const apart = service
      .list()
      .flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts))
      .reduce(
        (sum, { ref, costMicroUsd: cost }) => sum + absolute(BigInt(cost) - this.#market.billed(ref)),
        0n,
      );
    return total > apart ? total : apart;
  }
}

function absolute(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

/** Lets every promise that can go on do so. */
function turn(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve);
  });
}
