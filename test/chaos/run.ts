/**
 * One chaos run: a person rents, stops, extends and removes clusters on a market where things go wrong, while the
 * daemon is killed again and again. Then everything is asked to stop, and the run ends when the market is quiet.
 */
import { HitchError, isGone } from '@hitch/contract';
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
import { FakeSaves } from '../../backend-proxy/test/clusters/fake-saves.ts';
import { meterError, standing } from './judge.ts';
import { Mortal } from './mortal.ts';
import { Orphans } from './orphans.ts';
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
  readonly #orphans: Orphans;
  readonly #person: Person;
  #mortal: Mortal | null = null;
  #clusters: Clusters | null = null;
  #calm = false;

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
    this.#orphans = new Orphans(
      this.#report,
      outage === undefined
        ? null
        : {
            fromMs: openedAtMs + outage.afterMs,
            untilMs: openedAtMs + outage.afterMs + outage.durationMs,
          },
    );
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
      saves: new FakeSaves(clock, (_, signal) =>
        mortal.step('save', async () => {
          await clock.sleep(randomInt(this.#random, 0, MINUTE), signal);
          return { copiedFiles: 1, copiedBytes: 1 };
        }),
      ),
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
      this.#orphans.begin(this.#clock.now());
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

  #look(): void {
    const service = this.#clusters?.service;
    if (service !== undefined) {
      this.#orphans.look(
        this.#clock.now(),
        () => this.#ours(),
        () =>
          new Set(
            service
              .list()
              .flatMap(({ nodes }) => nodes.flatMap(({ attempts }) => attempts))
              .filter(({ state }) => state === 'owned' || state === 'releasing' || state === 'intended')
              .map(({ ref }) => ref),
          ),
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
    standing(this.#clusters?.service, this.#market).forEach(line => this.#options.tell?.(line));
    this.#report.problems.push('It did not come to rest.');
  }

  #isQuiet(): boolean {
    return this.#clusters?.service.list().every(isGone) ?? false;
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
      const service = this.#clusters?.service;
      if (service === undefined) {
        throw new Error('no daemon to ask');
      }
      report.meterErrorMicroUsd += await meterError(service, this.#market, refs);
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
}

/** Lets every promise that can go on do so. */
function turn(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve);
  });
}
