/**
 * One chaos run: persons rent, stop, extend and remove clusters on networks where things go wrong, from computers that fail as
 * well, while the daemons are killed again and again. Then everything is asked to stop, and the run ends when the networks
 * are quiet. Which networks stand in it is drawn by its seed, and whether two installations share their accounts.
 */
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { turn } from '../../backend-proxy/test/clusters/turn.ts';
import type { Plant } from './daemons.ts';
import { Installation } from './installation.ts';
import { standing } from './judge.ts';
import { drawNetworks, NETWORK_IDS, openNetwork } from './networks/all.ts';
import type { ChaosNetwork } from './networks/network.ts';
import { Passing } from './passing.ts';
import { drawPlan, type RunPlan } from './plan.ts';
import { emptyReport, failuresOf, type Report } from './report.ts';
import { AddressBook } from './ssh/address-book.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface ChaosOptions {
  readonly seed: number;
  /** The networks from which those of the run are drawn; left out: all that there are. */
  readonly networks?: readonly string[];
  /** Virtual time after which a run that is not quiet counts as one that never ends. */
  readonly patienceMs?: number;
  /** Hears what stands at the end of a run that did not hold, a line each. */
  readonly tell?: (line: string) => void;
  /** How often an address is given to another machine once it is free, 0 to 1; left out: drawn. */
  readonly recycleChance?: number;
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
  readonly #clock = new VirtualClock();
  readonly #report: Report;
  readonly #networks: readonly ChaosNetwork[];
  readonly #book: AddressBook;
  readonly #installations: readonly Installation[];
  readonly #passing: Passing;
  #isCalm = false;

  constructor(options: ChaosOptions) {
    const { seed } = options;
    this.#options = options;
    this.#random = seededRandom(seed);
    const ids = drawNetworks(seed, options.networks ?? NETWORK_IDS);
    this.#report = emptyReport(seed, ids);
    const clock = this.#clock;
    const plan = drawPlan(this.#random, seed, clock.now());
    const trouble = {
      isOver: () => this.#isCalm,
      onFault: (name: string) => {
        this.#report.visits.fault(name);
      },
    };
    const random = seededRandom(seed + 0xadd2);
    const drawn = random.next() < 0.5 ? random.next() : 0;
    const recycleChance = options.recycleChance ?? drawn;
    this.#book = new AddressBook({ random, recycleChance, ...trouble });
    this.#networks = ids.map(id => openNetwork(id, { seed, clock, plan, book: this.#book, ...trouble }));
    this.#report.betweenRequests.push(...this.#networks.flatMap(({ deaths }) => deaths));
    this.#installations = this.#install(plan);
    this.#passing = new Passing({
      clock,
      all: this.#installations.map(({ daemons }) => daemons),
      onBegin: (begun, nowMs) => {
        this.#installations.find(({ daemons }) => daemons === begun)?.watches.begin(nowMs);
      },
      onLook: nowMs => {
        this.#networks.forEach(network => {
          network.look(nowMs);
        });
        this.#installations.forEach(installation => {
          installation.look(nowMs);
        });
      },
    });
  }

  async run(): Promise<Report> {
    for (const network of this.#networks) {
      await network.settle();
    }
    for (const { daemons } of this.#installations) {
      await this.#passing.start(daemons);
    }
    const actions = randomInt(this.#random, 3, 9);
    // In some runs little is asked for, so that hours that are paid ahead come to their end.
    const longestMs = this.#random.next() < 0.15 ? 40 * MINUTE : 12 * MINUTE;
    for (let action = 0; action < actions; action++) {
      await this.#passing.pass(randomInt(this.#random, 0, longestMs));
      for (const installation of this.#installations) {
        installation.jumpWall(action);
        await turn();
        await this.#passing.revive();
        await installation.act(this.#passing);
      }
    }
    await this.#passing.pass(randomInt(this.#random, 0, 20 * MINUTE));
    this.#installations.forEach(({ laptop, daemons }) => {
      laptop.correct();
      daemons.endElders();
    });
    // From here on it may still die, but not for ever.
    await this.#stopAll();
    await this.#judge();
    if (failuresOf(this.#report).length > 0) {
      this.#tellStanding();
    }
    return this.#report;
  }

  close(): void {
    this.#installations.forEach(installation => {
      installation.close();
    });
  }

  /** Some runs have two, each with records of its own, on the same accounts. */
  #install(plan: RunPlan): readonly Installation[] {
    const { seed, plant } = this.#options;
    const isAlone = seededRandom(seed + 0x2105).next() >= 0.15;
    if (!isAlone) {
      this.#report.visits.fault('another Hitch on the same account');
    }
    const shared = {
      plan,
      plant,
      report: this.#report,
      clock: this.#clock,
      networks: this.#networks,
      book: this.#book,
    };
    return [seed, ...(isAlone ? [] : [seed + 0x10_0000])].map(
      own => new Installation({ ...shared, plan: this.#planFor(plan), seed: own }),
    );
  }

  /** Half of all runs aim between the requests of a network where it has any. */
  #planFor(plan: RunPlan): RunPlan {
    const { seed } = this.#options;
    const between = this.#networks.flatMap(({ deaths }) => deaths);
    const aim = seed % 2 === 0 ? undefined : between[((seed - 1) / 2) % Math.max(1, between.length)];
    return { ...plan, aim: aim ?? plan.aim };
  }

  async #stopAll(): Promise<void> {
    const giveUpAtMs = this.#clock.now() + (this.#options.patienceMs ?? 24 * HOUR);
    let killsLeft = 3;
    while (this.#clock.now() < giveUpAtMs) {
      if (killsLeft-- <= 0) {
        this.#calm();
      }
      await this.#passing.revive();
      for (const { daemons } of this.#installations) {
        // A person waits for what is to be saved, but not for days.
        await this.#passing.each(daemons, (service, id) => service.stop(id, { skipSave: killsLeft < -30 }));
      }
      await this.#passing.pass(5 * MINUTE);
      for (const installation of this.#installations) {
        await installation.tidy(this.#passing);
      }
      if (this.#isCalm && this.#installations.every(installation => installation.isQuiet())) {
        return;
      }
      if (killsLeft === -1) {
        // The last ones before the calm, so that what follows runs with daemons that live.
        this.#installations.forEach(({ daemons }) => daemons.mortal?.kill('at the last kill'));
      }
    }
    this.#report.problems.push('It did not come to rest.');
  }

  #calm(): void {
    if (!this.#isCalm) {
      this.#isCalm = true;
      this.#networks.forEach(network => {
        network.calm();
      });
      this.#installations.forEach(({ daemons }) => {
        daemons.calm = true;
      });
    }
  }

  #tellStanding(): void {
    const { tell } = this.#options;
    for (const installation of this.#installations) {
      standing(installation.daemons.clusters?.service).forEach(line => tell?.(line));
      installation.lines().forEach(line => tell?.(line));
    }
    this.#networks.flatMap(network => network.lines()).forEach(line => tell?.(line));
  }

  async #judge(): Promise<void> {
    const report = this.#report;
    for (const network of this.#networks) {
      await network.end();
      report.problems.push(...network.complaints());
      report.foreignDestroyed += network.othersHarmed();
    }
    for (const installation of this.#installations) {
      await this.#passing.pass(installation.costsOnMs(this.#clock.now()));
      await installation.judge(this.#passing);
    }
  }
}
