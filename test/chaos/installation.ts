/** One Hitch of a run: its computer, its daemons one after the other, the person in front of it, and what it comes to. */
import { isGone } from '@hitch/contract';
import type { VirtualClock } from '@hitch/platform/src/clock.ts';
import { pick, type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import type { AttemptRecord } from '../../backend-proxy/src/ledger/records.ts';
import { Agents } from './agents.ts';
import { Daemons, type Plant } from './daemons.ts';
import { ANY_BILL, isLeftUnwritten, isUnknowable, type Judged, meterError } from './judge.ts';
import { LaptopClock } from './laptop-clock.ts';
import type { Bought, ChaosNetwork, Wish } from './networks/network.ts';
import { PracticeNetwork } from './networks/practice.ts';
import type { Found } from './orphans.ts';
import type { Passing } from './passing.ts';
import { Person } from './person.ts';
import type { RunPlan } from './plan.ts';
import type { Report } from './report.ts';
import { SavedFiles } from './saves.ts';
import type { AddressBook } from './ssh/address-book.ts';
import { ClusterKeys } from './ssh/cluster-keys.ts';
import { troubledElsewhere } from './troubled-network.ts';
import { Watches } from './watches.ts';
import { Written } from './written.ts';

export interface InstallationOptions {
  readonly seed: number;
  readonly plan: RunPlan;
  readonly plant: Plant | undefined;
  readonly report: Report;
  readonly clock: VirtualClock;
  readonly networks: readonly ChaosNetwork[];
  readonly book: AddressBook;
}

const LONGEST_WAIT_MS = 3_600_000;

/** Amounts are written as they are. */
const shown = (value: object): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner));

/** Of which network something is, beside what it is. */
interface Rented extends Found {
  readonly network: ChaosNetwork;
}

export class Installation {
  readonly laptop: LaptopClock;
  readonly daemons: Daemons;
  readonly watches: Watches;
  readonly #options: InstallationOptions;
  readonly #random: Random;
  readonly #written: Written;
  readonly #saves: SavedFiles;
  readonly #person: Person;
  readonly #keys = new ClusterKeys();
  /** How often each purchase was asked for, by its ref. */
  readonly #asked = new Map<string, number>();
  /** Marks of all that it ever asked for, by network: whatever else stands there is somebody else's. */
  readonly #marks = new Set<string>();

  constructor(options: InstallationOptions) {
    const { seed, plan, report, clock, networks } = options;
    this.#options = options;
    this.#random = seededRandom(seed + 0x1a57);
    this.laptop = new LaptopClock(clock);
    this.#written = new Written(report.visits);
    const trouble = (salt: number) => ({
      random: seededRandom(seed + salt),
      isOver: () => this.daemons.calm,
      onFault: (name: string) => {
        report.visits.fault(name);
      },
    });
    this.#saves = new SavedFiles({ plan: plan.saves, ...trouble(0x5a7e) });
    this.#person = new Person(
      this.#random,
      clock,
      () => this.#wish(),
      () => {
        report.doublePurchases += 1;
      },
    );
    this.daemons = new Daemons({
      ...options,
      written: this.#written,
      laptop: this.laptop,
      random: this.#random,
      daemonRandom: seededRandom(seed + 0x5eed),
      elsewhere: troubledElsewhere({ trouble: plan.elsewhere, ...trouble(0xe15e) }),
      agents: new Agents({ plan: plan.agents, clock, ...trouble(0xa9e) }),
      saves: this.#saves,
      keys: this.#keys,
      onCreate: (network, ref, mark) => {
        this.#noteCreate(network, ref, mark);
      },
      onDestroy: (network, instanceId) => {
        this.#noteDestroy(network, instanceId);
      },
      onKeyRemoved: (network, keyId) => {
        this.#noteKeyRemoved(network, keyId);
      },
    });
    this.watches = new Watches({
      plan,
      report,
      written: this.#written,
      networks,
      watched: networks.filter(network => network instanceof PracticeNetwork),
      ours: () => this.#known(),
    });
  }

  close(): void {
    this.daemons.close();
    this.#saves.close();
    this.#keys.close();
  }

  look(nowMs: number): void {
    if (this.daemons.clusters !== null) {
      this.watches.look(nowMs);
    }
  }

  jumpWall(action: number): void {
    const byMs = this.#options.plan.wallJumps[action];
    if (byMs !== undefined) {
      this.#options.report.visits.fault('the wall clock jumps');
      this.laptop.jumpWall(byMs);
    }
  }

  /** One thing a person does. What a dying daemon does not answer, the person sees later. */
  async act(passing: Passing): Promise<void> {
    const { plan } = this.#options;
    const service = this.daemons.clusters?.service;
    if (service !== undefined) {
      const deed = this.#person.next(service);
      await passing.attempt(this.daemons, () => deed());
    }
    await this.tidy(passing);
    if (this.#random.next() < plan.secondDaemonChance && !this.daemons.isDead) {
      await passing.start(this.daemons);
    }
  }

  async tidy(passing: Passing): Promise<void> {
    if (this.#options.plan.removesAtOnce) {
      await passing.each(this.daemons, (service, id) => service.remove(id));
    }
  }

  /** Nothing is left on the list that is not gone, nor anything that a network may still show. */
  isQuiet(): boolean {
    const isOver = this.daemons.clusters?.service
      .list()
      .every(cluster => isGone(cluster) || cluster.conditions.cleanup.reason === 'cannot_look');
    return (
      isOver === true &&
      this.#known().every(({ bought }) => bought.endedAtMs !== null) &&
      this.#keysLeft().length === 0
    );
  }

  /**
   * How long what is over costs on: a network that reckons in blocks (Akash) says of an end the moment that so many of them
   * take on average, which may still be to come. A moment that is further off a wrong clock wrote, and nobody judges it.
   */
  costsOnMs(nowMs: number): number {
    const soon = this.#written.ends().filter(endMs => endMs <= nowMs + LONGEST_WAIT_MS);
    return Math.max(nowMs, ...soon) - nowMs;
  }

  /** Keys of ours on the accounts. */
  #keysLeft(): readonly string[] {
    return this.#options.networks.flatMap(network =>
      network.accountKeys().flatMap(({ name }) => (this.#written.wasIntended(name) ? [name] : [])),
    );
  }

  #isOurs({ id }: ChaosNetwork, mark: string | null): boolean {
    return this.#marks.has(`${id} ${mark ?? ''}`);
  }

  async judge(passing: Passing): Promise<void> {
    const { report } = this.#options;
    const ours = this.#ours();
    report.leaks += this.#known().filter(({ bought }) => bought.endedAtMs === null).length;
    const keys = ours.map(({ network, bought }) => `${network.id} ${bought.mark ?? ''}`);
    report.doublePurchases += keys.length - new Set(keys).size;
    report.doublePurchases += ours.reduce(
      (sum, { bought }) => sum + Math.max(0, bought.timesMore - this.#written.timesMore(bought.mark ?? '')),
      0,
    );
    report.damagedFiles += this.#saves.damaged().length;
    report.leftKeys += this.#keysLeft().length;
    report.lockedOut += this.#options.networks.reduce(
      (sum, network) => sum + this.#lockedOutAt(network).length,
      0,
    );
    await passing.attempt(this.daemons, async () => {
      const service = this.daemons.clusters?.service;
      if (service === undefined) {
        throw new Error('no daemon to ask');
      }
      report.meterErrorMicroUsd += await meterError(service, this.#judged(), this.#written);
    });
  }

  /** What was counted and what was billed, a line for each purchase, for a person who replays a run. */
  lines(): readonly string[] {
    const judged = this.#judged();
    return this.#written.attempts().map(({ id, ref, provider, instanceId, state, createdAtMs, endedAtMs }) =>
      shown({
        ...{ ref, provider, instanceId, state, createdAtMs, endedAtMs },
        segments: this.#written
          .segmentsOf(id)
          .map(({ kind, label, amountMicroUsd, startMs, endMs }) => [
            kind,
            label,
            amountMicroUsd,
            startMs,
            endMs,
          ]),
        ...judged.get(ref),
      }),
    );
  }

  /** What had ended before the database was lost, no record speaks of. */
  #judged(): ReadonlyMap<string, Judged> {
    const judged = new Map<string, Judged>();
    for (const { network, bought } of this.#known()) {
      const attempt = this.#attemptOf(network, bought);
      if (attempt !== undefined) {
        const isForgotten = this.#written.isForgotten(attempt.ref);
        const how = { isForgotten, wasClockWrong: this.laptop.wasWrong };
        const bill = this.#isLeftUnwritten(bought, attempt)
          ? null
          : network.billOf(bought.mark ?? '', attempt, how);
        judged.set(attempt.ref, { bill: bill ?? ANY_BILL, isForgotten });
      }
    }
    return judged;
  }

  #isLeftUnwritten(bought: Bought, attempt: AttemptRecord): boolean {
    const { fullAtMs, errorChance } = this.#options.plan.store;
    return (fullAtMs !== null || errorChance > 0) && isLeftUnwritten(bought, attempt);
  }

  #ours(): readonly Rented[] {
    return this.#options.networks.flatMap(network =>
      network
        .bought()
        .filter(({ mark }) => this.#isOurs(network, mark))
        .map(bought => ({
          network,
          bought,
          key: `${network.id} ${bought.id}`,
          blindUntilMs: network.blindUntilMs(this.#options.clock.now()),
        })),
    );
  }

  /** Those of which somebody could know. */
  #known(): readonly Rented[] {
    return this.#ours().filter(
      ({ network, bought }) => !isUnknowable(bought, this.#attemptOf(network, bought), network.keeps),
    );
  }

  #attemptOf({ id }: ChaosNetwork, { mark }: Bought): AttemptRecord | undefined {
    return this.#written
      .attempts()
      .find(attempt => attempt.provider === id && (attempt.mark === mark || attempt.ref === mark));
  }

  /** Counts what is asked of a network, as its own staff would. */
  #noteCreate(network: ChaosNetwork, ref: string, mark: string): void {
    const { report } = this.#options;
    const times = (this.#asked.get(ref) ?? 0) + 1;
    this.#asked.set(ref, times);
    this.#marks.add(`${network.id} ${ref}`).add(`${network.id} ${mark}`);
    report.purchases += 1;
    const attempts = this.#written.attempts();
    const nodeId = attempts.find(attempt => attempt.ref === ref)?.nodeId;
    const busy = attempts.some(
      attempt =>
        attempt.nodeId === nodeId &&
        attempt.ref !== ref &&
        (attempt.state === 'owned' || attempt.state === 'intended'),
    );
    if (times > 1 || busy) {
      report.doublePurchases += 1;
    }
  }

  /** What this installation never asked for, is not its to end: another's on the same account among it. */
  #noteDestroy(network: ChaosNetwork, instanceId: string): void {
    const theirs = network.bought().some(({ id, mark }) => id === instanceId && !this.#isOurs(network, mark));
    this.#options.report.foreignDestroyed += theirs ? 1 : 0;
  }

  /** Machines that no key of their cluster ever opened. */
  #lockedOutAt(network: ChaosNetwork): readonly string[] {
    const attempts = this.#written.attempts().filter(({ provider }) => provider === network.id);
    return network.lockedOut((mark, publicKeys) => {
      const clusterId = attempts.find(attempt => attempt.mark === mark)?.clusterId;
      return clusterId === undefined || this.#keys.wasOf(clusterId, publicKeys);
    });
  }

  #noteKeyRemoved(network: ChaosNetwork, keyId: string): void {
    const theirs = network
      .accountKeys()
      .some(({ id, name }) => id === keyId && !this.#written.wasIntended(name));
    this.#options.report.foreignDestroyed += theirs ? 1 : 0;
  }

  /** Mostly from one network, sometimes from any that has it. */
  #wish(): Wish {
    const network = pick(this.#random, this.#options.networks);
    const { filter, nodes } = network.wish(this.#random);
    return this.#random.next() < 0.2
      ? { filter: {}, nodes: randomInt(this.#random, 1, 2) }
      : { filter: { ...filter, providers: [network.id] }, nodes };
  }
}
