/**
 * One chaos run: a person rents, stops, extends and removes clusters on a market where things go wrong, from a computer
 * that fails as well, while the daemon is killed again and again. Then everything is asked to stop, and the run ends when
 * the market is quiet.
 */
import { isGone } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import { memoryStorage, type Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { SandboxProvider } from '../../backend-proxy/src/providers/sandbox/sandbox-provider.ts';
import { Agents, withAgents } from './agents.ts';
import { Daemons, type Plant } from './daemons.ts';
import { isLeftUnwritten, isUnknowable, meterError, standing, timesTooOften } from './judge.ts';
import { LaptopClock } from './laptop-clock.ts';
import { troubledElsewhere, troubledNetwork } from './networks.ts';
import { Passing } from './passing.ts';
import { Person } from './person.ts';
import { drawPlan, type RunPlan } from './plan.ts';
import { emptyReport, type Report } from './report.ts';
import { SavedFiles } from './saves.ts';
import { inTime, Strangers } from './strangers.ts';
import { turn } from '../../backend-proxy/test/clusters/turn.ts';
import { Watches } from './watches.ts';
import { Written } from './written.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface ChaosOptions {
  readonly seed: number;
  /** Virtual time after which a run that is not quiet counts as one that never ends. */
  readonly patienceMs?: number;
  /** Hears what still stands at the end of a run that did not come to rest. */
  readonly tell?: (line: string) => void;
  /** Breaks the daemon on purpose, to see that the run notices. */
  readonly plant?: Plant;
}

export async function chaosRun(options: ChaosOptions): Promise<Report> {
  const run = new ChaosRun(options);
  try {
    return await run.run();
  } finally {
    run.close();
  }
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #random: Random;
  readonly #plan: RunPlan;
  readonly #clock = new VirtualClock();
  readonly #laptop = new LaptopClock(this.#clock);
  readonly #runtime: NullRuntime;
  readonly #market: SandboxMarket;
  readonly #report: Report;
  readonly #written: Written;
  readonly #strangers: Strangers;
  readonly #asked = new Map<string, number>();
  readonly #saves: SavedFiles;
  readonly #daemons: Daemons;
  readonly #watches: Watches;
  readonly #person: Person;
  readonly #passing: Passing;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#report = emptyReport(options.seed);
    this.#written = new Written(this.#report.visits);
    const clock = this.#clock;
    this.#plan = drawPlan(this.#random, options.seed, clock.now());
    this.#person = new Person(this.#random, clock, () => {
      this.#report.doublePurchases += 1;
    });
    this.#runtime = new NullRuntime({
      clock,
      jupyterDelayMs: randomInt(this.#random, 0, 20_000),
      engineDelayMs: randomInt(this.#random, 0, 30_000),
    });
    this.#market = this.#openMarket();
    this.#saves = new SavedFiles({ plan: this.#plan.saves, ...this.#trouble(0x5a7e) });
    this.#watches = new Watches({
      plan: this.#plan,
      report: this.#report,
      written: this.#written,
      market: this.#market,
      runtime: this.#runtime,
      openedAtMs: clock.now(),
      ours: () => this.#ours(),
      unknowable: () => this.#unknowable(),
    });
    this.#strangers = new Strangers(clock, this.#market, options.seed);
    this.#daemons = this.#prepareDaemons();
    this.#passing = new Passing({
      clock,
      daemons: this.#daemons,
      onBegin: nowMs => this.#watches.begin(nowMs),
      onLook: nowMs => this.#look(nowMs),
    });
  }

  async run(): Promise<Report> {
    await this.#strangers.settle(this.#random);
    await this.#passing.start();
    const actions = randomInt(this.#random, 3, 9);
    for (let action = 0; action < actions; action++) {
      await this.#passing.pass(randomInt(this.#random, 0, 12 * MINUTE));
      await this.#jumpWall(action);
      await this.#act();
      if (this.#plan.removesAtOnce) {
        await this.#passing.each((service, id) => service.remove(id));
      }
      if (this.#random.next() < this.#plan.secondDaemonChance && !this.#daemons.isDead) {
        await this.#passing.start();
      }
    }
    await this.#passing.pass(randomInt(this.#random, 0, 20 * MINUTE));
    this.#laptop.correct();
    // From here on it may still die, but not for ever.
    await this.#stopAll();
    await this.#judge();
    return this.#report;
  }

  close(): void {
    this.#daemons.close();
    this.#saves.close();
  }

  // ---- what there is

  #openMarket(): SandboxMarket {
    return new SandboxMarket({
      clock: this.#clock,
      storage: memoryStorage(),
      runtime: this.#runtime,
      seed: this.#options.seed,
      offersPerModel: 2,
      faults: this.#plan.market,
      onFault: kind => {
        // Before the first daemon lives it strikes nobody who is looked at here.
        if (this.#daemons.mortal !== null) {
          this.#report.visits.fault(kind);
        }
      },
      bootDelayMs: randomInt(this.#random, 500, 2 * MINUTE),
      visibilityDelayMs: randomInt(this.#random, 0, MINUTE),
    });
  }

  /** What every source of trouble is given: chance of its own, and when it must be over. */
  #trouble(salt: number) {
    return {
      random: seededRandom(this.#options.seed + salt),
      isOver: () => this.#daemons.calm,
      onFault: (name: string) => this.#report.visits.fault(name),
    };
  }

  #prepareDaemons(): Daemons {
    const clock = this.#clock;
    const agents = new Agents({ plan: this.#plan.agents, clock, ...this.#trouble(0xa9e) });
    const network = troubledNetwork(new SandboxProvider(this.#market), {
      plan: this.#plan.network,
      strangers: () => this.#strangers.shown(),
      onListFailed: () => this.#watches.noteListFailed(),
      ...this.#trouble(0x2e7),
    });
    return new Daemons({
      plan: this.#plan,
      plant: this.#options.plant,
      report: this.#report,
      written: this.#written,
      clock,
      laptop: this.#laptop,
      random: this.#random,
      daemonRandom: seededRandom(this.#options.seed + 0x5eed),
      network: withAgents(network, agents),
      elsewhere: troubledElsewhere({ trouble: this.#plan.elsewhere, ...this.#trouble(0xe15e) }),
      agents,
      saves: this.#saves,
      onCreate: ref => this.#noteCreate(ref),
    });
  }

  #ours(): readonly Rental[] {
    return this.#market.rentals().filter(({ ref }) => !this.#strangers.has(ref));
  }

  /** Of these nobody could know; see {@link isUnknowable}. */
  #unknowable(): ReadonlySet<string> {
    const attempts = new Map(this.#written.attempts().map(attempt => [attempt.ref, attempt]));
    return new Set(
      this.#ours()
        .filter(rental => isUnknowable(rental, attempts.get(rental.ref), this.#plan.network))
        .map(({ ref }) => ref),
    );
  }

  // ---- what happens

  /** Counts what is asked of the market, as the market's own staff would. */
  #noteCreate(ref: string): void {
    const times = (this.#asked.get(ref) ?? 0) + 1;
    this.#asked.set(ref, times);
    this.#report.purchases += 1;
    const attempts = this.#written.attempts();
    const nodeId = attempts.find(attempt => attempt.ref === ref)?.nodeId;
    const busy = attempts.some(
      attempt =>
        attempt.nodeId === nodeId &&
        attempt.ref !== ref &&
        (attempt.state === 'owned' || attempt.state === 'intended'),
    );
    if (times > 1 || busy) {
      this.#report.doublePurchases += 1;
    }
  }

  #look(nowMs: number): void {
    if (this.#daemons.clusters !== null) {
      this.#watches.look(nowMs);
    }
  }

  async #jumpWall(action: number): Promise<void> {
    const byMs = this.#plan.wallJumps[action];
    if (byMs !== undefined) {
      this.#report.visits.fault('the wall clock jumps');
      this.#laptop.jumpWall(byMs);
      await turn();
    }
  }

  /** One thing a person does. What a dying daemon does not answer, the person sees later. */
  async #act(): Promise<void> {
    await this.#passing.revive();
    const service = this.#daemons.clusters?.service;
    if (service !== undefined) {
      const deed = this.#person.next(service);
      await this.#passing.attempt(() => deed());
    }
  }

  async #stopAll(): Promise<void> {
    const giveUpAtMs = this.#clock.now() + (this.#options.patienceMs ?? 24 * HOUR);
    let killsLeft = 3;
    this.#daemons.endElders();
    while (this.#clock.now() < giveUpAtMs) {
      this.#daemons.calm = killsLeft-- <= 0;
      await this.#passing.revive();
      // A person waits for what is to be saved, but not for days.
      await this.#passing.each((service, id) => service.stop(id, { skipSave: killsLeft < -30 }));
      await this.#passing.pass(5 * MINUTE);
      if (this.#plan.removesAtOnce) {
        await this.#passing.each((service, id) => service.remove(id));
      }
      if (this.#daemons.calm && this.#isQuiet()) {
        return;
      }
      if (this.#daemons.calm && killsLeft === -1) {
        // The last one before the calm, so that what follows runs with a daemon that lives.
        this.#daemons.mortal?.kill('at the last kill');
      }
    }
    standing(this.#daemons.clusters?.service, this.#market).forEach(line => this.#options.tell?.(line));
    this.#report.problems.push('It did not come to rest.');
  }

  /** Nothing is left on the list that is not gone, nor anything that the market may still show. */
  #isQuiet(): boolean {
    const unknowable = this.#unknowable();
    const clusters = this.#daemons.clusters?.service.list() ?? null;
    const isOver = clusters?.every(
      cluster => isGone(cluster) || cluster.conditions.cleanup.reason === 'cannot_look',
    );
    return (
      isOver === true && this.#ours().every(({ endedAtMs, ref }) => endedAtMs !== null || unknowable.has(ref))
    );
  }

  // ---- what it comes to

  async #judge(): Promise<void> {
    for (const rental of this.#market.rentals()) {
      await this.#settleRental(rental.id);
    }
    const report = this.#report;
    const unknowable = this.#unknowable();
    const known = this.#ours().filter(({ ref }) => !unknowable.has(ref));
    report.leaks += known.filter(({ endedAtMs }) => endedAtMs === null).length;
    const refs = this.#ours().map(({ ref }) => ref);
    report.doublePurchases += refs.length - new Set(refs).size;
    report.doublePurchases += timesTooOften(this.#ours(), this.#written);
    report.foreignDestroyed += this.#strangers.destroyed();
    report.damagedFiles += this.#saves.damaged().length;
    // What had ended before the database was lost, no record speaks of; what had not must not have leaked.
    const written = new Set(this.#written.attempts().map(({ ref }) => ref));
    const counted = known.filter(({ ref }) => written.has(ref));
    await this.#passing.attempt(async () => {
      const service = this.#daemons.clusters?.service;
      if (service === undefined) {
        throw new Error('no daemon to ask');
      }
      report.meterErrorMicroUsd += await meterError(service, this.#market, counted, {
        isVague: rental => this.#isLeftUnwritten(rental),
        isForgotten: ({ ref }) => this.#written.isForgotten(ref),
      });
    });
  }

  #isLeftUnwritten(rental: Rental): boolean {
    const { fullAtMs, errorChance } = this.#plan.store;
    const attempt = this.#written.attempts().find(({ ref }) => ref === rental.ref);
    return (fullAtMs !== null || errorChance > 0) && isLeftUnwritten(rental, attempt);
  }

  /** Has the market notice that a rental's own end has come. */
  async #settleRental(id: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      try {
        await inTime(this.#clock, this.#market.show(id, new AbortController().signal));
        return;
      } catch {
        this.#clock.jump(MINUTE);
      }
    }
  }
}
