/**
 * A chaos run on simulated Vast.ai, through its real adapter: the daemon is killed between the requests too, so between the
 * pages of a list and the steps of a purchase, and the network loses answers, lies and is down as the real one is.
 */
import { inspect } from 'node:util';
import { costOver, isGone, type MicroUsd } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { pick, type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import {
  type HttpRequest,
  type Transport,
  TransportError,
} from '../../backend-proxy/src/providers/http/transport.ts';
import type { Instance, Provider } from '../../backend-proxy/src/providers/provider.ts';
import { NullRuntime } from '../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { VastProvider } from '../../backend-proxy/src/providers/vast/vast-provider.ts';
import { Faults } from '../simulators/frame/faults.ts';
import type { SimRental } from '../simulators/frame/simulator.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { endOf, isOver, runningAt } from '../simulators/vast/contracts.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import { Agents, withAgents } from './agents.ts';
import { Daemons } from './daemons.ts';
import { LaptopClock } from './laptop-clock.ts';
import { troubledElsewhere } from './networks.ts';
import { Passing } from './passing.ts';
import { Person } from './person.ts';
import { emptyReport, type Report } from './report.ts';
import { SavedFiles } from './saves.ts';
import { drawLies, drawRules, planFor } from './vast-plan.ts';
import { Written } from './written.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BASE = 'https://vast.example';
/** Purchases of other people, and of another Hitch: in some runs more than one page of a list holds. */
const othersOf = (random: Random): readonly (string | null)[] =>
  ['hitch-anotherhitch0000', null, 'somebody-elses'].concat(
    random.next() < 0.4 ? Array.from({ length: 26 }, (_, number) => `theirs-${number.toString()}`) : [],
  );

export interface VastRunOptions {
  readonly seed: number;
  /** Breaks the adapter on purpose, to see that the run notices. */
  readonly plant?: (provider: Provider) => Provider;
  /** Virtual time after which a run that is not quiet counts as one that never ends. */
  readonly patienceMs?: number;
  /** Hears what still stands at the end of a run that did not come to rest. */
  readonly tell?: (line: string) => void;
}

export async function vastRun(options: VastRunOptions): Promise<Report> {
  const run = new VastRun(options);
  try {
    return await run.run();
  } finally {
    run.close();
  }
}

class VastRun {
  readonly #options: VastRunOptions;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #report: Report;
  readonly #written: Written;
  readonly #simulator: VastSimulator;
  readonly #faults: Faults;
  readonly #runtime: NullRuntime;
  readonly #saves: SavedFiles;
  readonly #daemons: Daemons;
  readonly #passing: Passing;
  readonly #person: Person;
  readonly #asked = new Map<string, number>();
  readonly #others = new Set<string>();
  readonly #outage: { readonly fromMs: number; readonly untilMs: number };

  constructor(options: VastRunOptions) {
    this.#options = options;
    const random = seededRandom(options.seed + 0x7a57);
    this.#random = random;
    const clock = this.#clock;
    this.#report = emptyReport(options.seed);
    this.#written = new Written(this.#report.visits);
    const plan = planFor(random, options.seed, clock.now());
    const fromMs = clock.now() + randomInt(random, 0, HOUR);
    this.#outage = { fromMs, untilMs: fromMs + (random.next() < 0.3 ? randomInt(random, 0, HOUR) : 0) };
    this.#simulator = new VastSimulator({
      clock,
      seed: options.seed,
      machineCount: 22,
      limits: random.next() < 0.4,
      bootMs: randomInt(random, 500, 2 * MINUTE),
    });
    this.#faults = new Faults([], () => random.next());
    this.#runtime = new NullRuntime({ clock, jupyterDelayMs: randomInt(random, 0, 20_000) });
    const trouble = {
      random: seededRandom(options.seed + 0x5a7e),
      isOver: () => this.#daemons.calm,
      onFault: (name: string) => this.#report.visits.fault(name),
    };
    this.#saves = new SavedFiles({ plan: plan.saves, ...trouble });
    const agents = new Agents({ plan: plan.agents, clock, ...trouble });
    this.#daemons = new Daemons({
      plan,
      plant: undefined,
      report: this.#report,
      written: this.#written,
      clock,
      laptop: new LaptopClock(clock),
      random,
      daemonRandom: seededRandom(options.seed + 0x5eed),
      network: withAgents(options.plant?.(this.#network()) ?? this.#network(), agents),
      elsewhere: troubledElsewhere({ trouble: plan.elsewhere, ...trouble }),
      agents,
      saves: this.#saves,
      onCreate: ref => this.#noteCreate(ref),
    });
    const onTwoForOne = () => {
      this.#report.doublePurchases += 1;
    };
    this.#person = new Person(random, clock, onTwoForOne, true);
    this.#passing = new Passing({
      clock,
      daemons: this.#daemons,
      onBegin: () => undefined,
      onLook: nowMs => this.#endMachines(nowMs),
    });
  }

  async run(): Promise<Report> {
    await this.#settleOthers();
    drawRules(this.#random).forEach(rule => this.#faults.add(rule));
    drawLies(this.#random).forEach(rule => this.#simulator.lies.add(rule));
    await this.#passing.start();
    const actions = randomInt(this.#random, 3, 9);
    for (let action = 0; action < actions; action++) {
      await this.#passing.pass(randomInt(this.#random, 0, 12 * MINUTE));
      await this.#act();
    }
    await this.#stopAll();
    await this.#judge();
    return this.#report;
  }

  close(): void {
    this.#daemons.close();
    this.#saves.close();
  }

  // ---- what there is

  /** Whoever asks is bound to the daemon that lives then: what it asks later dies with it. */
  #network(): Provider {
    const simulated = transportTo(this.#simulator, { clock: this.#clock, faults: this.#faults });
    const open = (): VastProvider => {
      const { mortal } = this.#daemons;
      const transport: Transport = (request, signal) => {
        const step = stepName(request);
        const send = () => (this.#isOut ? Promise.reject(OUT()) : simulated(request, signal));
        return mortal === null ? send() : mortal.step(step, send);
      };
      const login = () => Promise.resolve({ apiKey: VAST_KEY });
      return new VastProvider({ base: BASE, clock: this.#clock, transport, login });
    };
    const shape = new VastProvider({
      base: BASE,
      clock: this.#clock,
      transport: simulated,
      login: () => Promise.resolve(null),
    });
    const { id, title, kind, verifiedLive, capabilities } = shape;
    return {
      id,
      title,
      kind,
      verifiedLive,
      // Its machines are records, which no key opens.
      capabilities: { ...capabilities, sshKeys: 'none', bootSecret: false },
      login: null,
      offers: signal => open().offers(signal),
      create: async (request, signal) => inside(await open().create(request, signal)),
      get: async (instanceId, signal) => inside(await open().get(instanceId, signal)),
      list: async (signal, nextPage) => (await open().list(signal, nextPage)).map(inside),
      destroy: (instanceId, signal) => open().destroy(instanceId, signal),
      history: async (mark, signal, nextPage) => (await open().history(mark, signal, nextPage)).map(inside),
      host: instance => Promise.resolve(this.#host(instance.id)),
      dial: instanceId => Promise.resolve(this.#host(instanceId)),
    };
  }

  get #isOut(): boolean {
    const nowMs = this.#clock.now();
    return !this.#daemons.calm && nowMs >= this.#outage.fromMs && nowMs < this.#outage.untilMs;
  }

  #host(id: string) {
    const contract = this.#simulator.market.contract(Number(id));
    if (contract === undefined || runningAt(contract, this.#clock.now()) === undefined) {
      throw new Error(`Nothing runs at ${id}.`);
    }
    const fixed = {
      cpuCores: 8,
      gpuCount: contract.gotGpus,
      gpuModel: contract.gotGpuName,
    };
    return this.#runtime.host({ id, ref: contract.label ?? id }, 0, { fixed });
  }

  /** What a machine did is over with its container. */
  #endMachines(nowMs: number): void {
    for (const contract of this.#simulator.market.contracts()) {
      if (isOver(contract, nowMs) || runningAt(contract, nowMs) === undefined) {
        void this.#runtime.endMember({ id: contract.id.toString() }, 0);
      }
    }
  }

  #ours(): readonly SimRental[] {
    return this.#simulator.rentals().filter(({ id }) => !this.#others.has(id));
  }

  // ---- what happens

  async #settleOthers(): Promise<void> {
    for (const label of othersOf(this.#random)) {
      const free = [...this.#simulator.market.asks()].filter(ask => this.#simulator.market.isFree(ask));
      // Some are left for whoever is looked at here.
      const ask = free.length > 10 ? pick(this.#random, free) : null;
      await this.#simulator.handle({
        method: 'PUT',
        path: `/api/v0/asks/${(ask?.id ?? 0).toString()}/`,
        query: new URLSearchParams(),
        headers: { authorization: `Bearer ${VAST_KEY}`, 'user-agent': 'a web page' },
        body: { image: 'ubuntu:24.04', disk: 10, label },
      });
      this.#clock.jump(20_000);
    }
    this.#simulator.rentals().forEach(({ id }) => this.#others.add(id));
  }

  #noteCreate(ref: string): void {
    const times = (this.#asked.get(ref) ?? 0) + 1;
    this.#asked.set(ref, times);
    this.#report.purchases += 1;
    this.#report.doublePurchases += times > 1 ? 1 : 0;
  }

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
    while (this.#clock.now() < giveUpAtMs) {
      if (killsLeft-- === 0) {
        this.#daemons.calm = true;
        this.#faults.clear();
        this.#simulator.lies.clear();
        this.#daemons.mortal?.kill('at the last kill');
      }
      await this.#passing.revive();
      await this.#passing.each((service, id) => service.stop(id, { skipSave: killsLeft < -30 }));
      await this.#passing.pass(5 * MINUTE);
      if (this.#daemons.calm && this.#isQuiet()) {
        return;
      }
    }
    this.#standing().forEach(line => this.#options.tell?.(line));
    this.#report.problems.push('It did not come to rest.');
  }

  #isQuiet(): boolean {
    const clusters = this.#daemons.clusters?.service.list() ?? null;
    return clusters?.every(isGone) === true && this.#ours().every(({ endedAtMs }) => endedAtMs !== null);
  }

  #standing(): readonly string[] {
    const clusters = this.#daemons.clusters?.service.list() ?? [];
    return [
      ...clusters.map(cluster => JSON.stringify([cluster.phase, cluster.message, cluster.conditions])),
      ...this.#written.attempts().map(({ ref, state, message }) => `${ref} ${state}: ${message}`),
      ...this.#simulator.market
        .contracts()
        .map(
          ({ ask, ...contract }) => `${ask.id.toString()} ${inspect(contract, { breakLength: Infinity })}`,
        ),
    ];
  }

  // ---- what it comes to

  async #judge(): Promise<void> {
    const report = this.#report;
    const ours = this.#ours();
    report.problems.push(...this.#simulator.complaints);
    report.leaks += ours.filter(({ endedAtMs }) => endedAtMs === null).length;
    const marks = ours.map(({ mark }) => mark);
    report.doublePurchases += marks.length - new Set(marks).size;
    report.foreignDestroyed += this.#simulator
      .rentals()
      .filter(({ id, endedAtMs }) => this.#others.has(id) && endedAtMs !== null).length;
    report.damagedFiles += this.#saves.damaged().length;
    await this.#passing.attempt(async () => {
      const service = this.#daemons.clusters?.service;
      if (service === undefined) {
        throw new Error('no daemon to ask');
      }
      const { costMicroUsd } = await service.usageTotal(0, Number.MAX_SAFE_INTEGER);
      report.meterErrorMicroUsd += outside(BigInt(costMicroUsd), this.#bounds());
    });
  }

  /**
   * The network says when a disk began to be charged, not when a GPU did, nor when either ended: what is counted lies between
   * the disks alone while they stood there, and all of it from the intent until Hitch was told that it is gone. What had
   * ended before the database was lost, no record speaks of.
   */
  #bounds(): { readonly lowest: MicroUsd; readonly highest: MicroUsd } {
    const attempts = new Map(this.#written.attempts().map(attempt => [attempt.ref, attempt]));
    const bounds = { lowest: 0n, highest: 0n };
    for (const contract of this.#simulator.market.contracts()) {
      const attempt = attempts.get(contract.label ?? '');
      if (attempt !== undefined && !this.#others.has(contract.id.toString())) {
        const { createdAtMs, diskMicroUsd, gpuMicroUsd } = contract;
        const endMs = endOf(contract, this.#clock.now()) ?? this.#clock.now();
        const fromMs = Math.min(createdAtMs, attempt.createdAtMs);
        const untilMs = Math.max(endMs, attempt.endedAtMs ?? 0);
        bounds.lowest += costOver(diskMicroUsd, endMs - createdAtMs) - ROUNDING;
        bounds.highest += costOver(diskMicroUsd + gpuMicroUsd, untilMs - fromMs) + ROUNDING;
      }
    }
    return bounds;
  }
}

/** Micro-dollars: each stretch of each part is rounded up by itself. */
const ROUNDING = 8n;
/** Such as `GET /api/v1/instances/ (a later page)`. */
function stepName({ method, url }: HttpRequest): string {
  const { pathname, searchParams } = new URL(url);
  const page = searchParams.has('after_token') ? ' (a later page)' : '';
  return `${method} ${pathname.replace(/\/[0-9]+\//g, '/#/')}${page}`;
}

const OUT = () => new TransportError('the connection was refused', { mayHaveArrived: false });

/** Its machines are reached as records are, not by ssh. */
const inside = (instance: Instance): Instance => ({
  ...instance,
  members: instance.members.map(member => ({ ...member, ssh: null })),
});

const outside = (cost: bigint, { lowest, highest }: { lowest: bigint; highest: bigint }): bigint =>
  cost < lowest ? lowest - cost : cost > highest ? cost - highest : 0n;
