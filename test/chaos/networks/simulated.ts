/**
 * A simulated network in a run, through its real adapter. The daemon is killed between the requests too, so between the pages
 * of a list and the steps of a purchase; answers are lost, and the network lies and is down as the real one is.
 */
import { pick, type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { NETWORK_PAUSE_LONGEST_MS } from '../../../backend-proxy/src/clusters/limits.ts';
import type { AttemptRecord } from '../../../backend-proxy/src/ledger/records.ts';
import {
  type HttpAnswer,
  type HttpRequest,
  type Transport,
  TransportError,
} from '../../../backend-proxy/src/providers/http/transport.ts';
import type { Provider } from '../../../backend-proxy/src/providers/provider.ts';
import { NullRuntime } from '../../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { type Fault, type FaultRule, Faults } from '../../simulators/frame/faults.ts';
import type { SimAnswer, SimRental, SimRequest, Simulator } from '../../simulators/frame/simulator.ts';
import { httpAnswer, transportTo } from '../../simulators/frame/transport.ts';
import type { Mortal } from '../mortal.ts';
import type { Place } from '../ssh/address-book.ts';
import { retryAfterOf } from '../troubled-network.ts';
import { addressed } from './addressed.ts';
import type { Bill, Bought, ChaosNetwork, HowKnown, NetworkTools, Wish } from './network.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A machine that runs, as its agent sees it. */
export interface RunningMachine {
  readonly ref: string;
  readonly gpuCount: number;
  readonly gpuModel: string;
  /** The keys that it lets in now; left out: its network's simulator does not say, and any. */
  readonly publicKeys?: readonly string[];
  /** What its environment has to prove its host key with; left out: nothing. */
  readonly proof?: string | undefined;
}

/** What differs from one simulated network to the next. */
export interface Simulated {
  readonly simulator: Simulator & { readonly complaints: readonly string[] };
  /** Its real adapter. */
  readonly adapter: (transport: Transport) => Provider;
  /** What goes wrong with requests in this run. */
  readonly rules: readonly FaultRule[];
  /** What it answers to a key that it does not know. */
  readonly refusesKey: SimAnswer;
  readonly deaths: readonly string[];
  /** The instance that a rental is to its adapter; left out: it has the same id. */
  readonly instanceId?: (rental: SimRental) => string;
  /** What is behind one of its instances; null: nothing runs there. */
  readonly running: (instanceId: string, rank: number) => RunningMachine | null;
  readonly isShown?: (rental: SimRental) => boolean;
  readonly timesMore?: (rental: SimRental) => number;
  /** Keys that the account has now; left out: it keeps none for machines. */
  readonly accountKeys?: () => readonly { readonly id: string; readonly name: string }[];
  /** The keys that the account had when a machine was made; left out: it needs none of them. */
  readonly keysAtPurchase?: (rental: SimRental) => readonly string[];
  /** Purchases of others beside the usual three, in some runs: more than a page of its list. */
  readonly manyOthers?: number;
  /** Rents something that is no installation's of the run, under this mark. */
  readonly rentForOthers: (mark: string | null, random: Random) => Promise<void>;
  readonly wish: (random: Random) => Wish;
  readonly billOf: (mark: string, attempt: AttemptRecord) => Bill;
  /** It begins to lie, and lies no more. */
  readonly begin?: () => void;
  readonly calm: () => void;
  /** Time has passed. */
  readonly look?: (nowMs: number) => void;
}

/** Of a machine that has, beside its GPUs, whatever was asked for. */
const ROOMY = { cpuCores: 8, vramMiB: 1_000_000, diskGiB: 100_000 };

interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly does: 'refuses connections' | 'answers 502' | 'refuses the key';
}

export class SimulatedNetwork implements ChaosNetwork {
  readonly id: string;
  readonly deaths: readonly string[];
  readonly keeps;
  readonly #of: Simulated;
  readonly #tools: NetworkTools;
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #simulated: Transport;
  readonly #runtime: NullRuntime;
  readonly #outage: Outage;
  readonly #others = new Set<string>();
  readonly #othersKeys = new Set<string>();
  /** Machines that have an address, by their instances, and which of their ranks. */
  readonly #placed = new Map<string, Set<number>>();
  /** Instances of which a daemon was told a price. */
  readonly #priced = new Set<string>();
  #blindUntilMs = 0;

  constructor(of: Simulated, tools: NetworkTools) {
    const { simulator } = of;
    const { clock, seed } = tools;
    this.#of = of;
    this.#tools = tools;
    this.id = simulator.id;
    this.deaths = of.deaths;
    this.keeps = { hasRefs: true, hasHistory: of.adapter(neverAsked).history !== undefined };
    this.#random = seededRandom(seed + saltOf(simulator.id));
    this.#outage = drawOutage(this.#random, clock.now());
    this.#faults = new CountedFaults(
      () => this.#random.next(),
      ({ does }) => {
        tools.onFault(NAMES[does]);
      },
    );
    this.#simulated = transportTo(simulator, { clock, faults: this.#faults });
    this.#runtime = new NullRuntime({ clock, jupyterDelayMs: randomInt(this.#random, 0, 20_000) });
  }

  open(mortal: Mortal): Provider {
    const adapter = this.#of.adapter((request, signal) =>
      mortal.step(stepName(request), () => this.#send(request, signal)),
    );
    return addressed(
      adapter,
      (instanceId, rank) => this.#placeOf(instanceId, rank),
      async (signal, nextPage) => {
        try {
          const list = await adapter.list(signal, nextPage);
          if ((adapter.listLeftOut?.() ?? null) !== null) {
            // Of a product it gave none.
            this.#noteBlind(0);
          }
          return list;
        } catch (error) {
          this.#noteBlind(retryAfterOf(error));
          throw error;
        }
      },
      ({ id, rates }) => {
        if (rates.length > 0) {
          this.#priced.add(id);
        }
      },
    );
  }

  async settle(): Promise<void> {
    for (const mark of othersOf(this.#random, this.#of.manyOthers ?? 26)) {
      await this.#of.rentForOthers(mark, this.#random);
      this.#tools.clock.jump(20_000);
    }
    this.#of.simulator.rentals().forEach(({ id }) => this.#others.add(id));
    this.#of.rules.forEach(rule => {
      this.#faults.add(rule);
    });
    this.#of.begin?.();
    this.accountKeys().forEach(({ id }) => this.#othersKeys.add(id));
  }

  wish(random: Random): Wish {
    return this.#of.wish(random);
  }

  bought(): readonly Bought[] {
    const { simulator, instanceId, isShown, timesMore } = this.#of;
    return simulator.rentals().map(rental => ({
      id: instanceId?.(rental) ?? rental.id,
      mark: rental.mark,
      endedAtMs: rental.endedAtMs,
      isShown: isShown?.(rental) ?? true,
      isMislaid: false,
      isEndAsked: rental.endedAtMs !== null,
      timesMore: timesMore?.(rental) ?? 0,
    }));
  }

  othersHarmed(): number {
    const ended = this.#of.simulator
      .rentals()
      .filter(({ id, endedAtMs }) => this.#others.has(id) && endedAtMs !== null);
    const kept = new Set(this.accountKeys().map(({ id }) => id));
    return ended.length + [...this.#othersKeys].filter(id => !kept.has(id)).length;
  }

  accountKeys(): ReturnType<ChaosNetwork['accountKeys']> {
    return this.#of.accountKeys?.() ?? [];
  }

  lockedOut(isOf: (mark: string, publicKeys: readonly string[]) => boolean): readonly string[] {
    const { simulator, keysAtPurchase } = this.#of;
    return keysAtPurchase === undefined
      ? []
      : simulator
          .rentals()
          .flatMap(rental =>
            rental.mark === null || isOf(rental.mark, keysAtPurchase(rental)) ? [] : [rental.mark],
          );
  }

  answers(ref: string, nowMs: number): boolean {
    return (
      this.blindUntilMs(nowMs) < nowMs &&
      [...this.#placed].some(([id, ranks]) =>
        [...ranks].some(
          rank => this.#of.running(id, rank)?.ref === ref && this.#runtime.answersAt({ id }, rank),
        ),
      )
    );
  }

  blindUntilMs(nowMs: number): number {
    return this.#isOut(nowMs) ? nowMs : this.#blindUntilMs;
  }

  /** What a machine did is over with it. */
  look(nowMs: number): void {
    this.#of.look?.(nowMs);
    for (const [id, ranks] of this.#placed) {
      for (const rank of ranks) {
        if (this.#of.running(id, rank) === null) {
          void this.#runtime.endMember({ id }, rank);
          this.#tools.book.free(this.#nameOf(id, rank));
          ranks.delete(rank);
        }
      }
    }
  }

  calm(): void {
    this.#faults.clear();
    this.#of.calm();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  /** Of some parts these networks say no times, and then this computer's count. */
  billOf(mark: string, attempt: AttemptRecord, { wasClockWrong }: HowKnown): Bill | null {
    return wasClockWrong || this.#isPriceUntold(attempt) ? null : this.#of.billOf(mark, attempt);
  }

  /** It ended while no daemon lived to ask, and its network tells nothing of what is over: its offer's price stands. */
  #isPriceUntold({ state, instanceId }: AttemptRecord): boolean {
    return !this.keeps.hasHistory && state === 'gone' && instanceId !== null && !this.#priced.has(instanceId);
  }

  complaints(): readonly string[] {
    return this.#of.simulator.complaints;
  }

  lines(): readonly string[] {
    return this.#of.simulator
      .rentals()
      .map(
        ({ id, mark, boughtAtMs, endedAtMs }) =>
          `${this.id} ${id} ${mark ?? ''} from ${boughtAtMs.toString()} until ${endedAtMs?.toString() ?? 'now'}`,
      );
  }

  async #send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await (this.#isOut(this.#tools.clock.now())
      ? this.#answerWhileOut()
      : this.#simulated(request, signal));
    if (answer.status === 429) {
      this.#noteBlind(Number(answer.headers['retry-after'] ?? 0) * 1000);
    }
    return answer;
  }

  #noteBlind(forMs: number): void {
    const waitMs = Number.isFinite(forMs) ? Math.min(forMs, NETWORK_PAUSE_LONGEST_MS) : 0;
    this.#blindUntilMs = Math.max(this.#blindUntilMs, this.#tools.clock.now() + waitMs);
  }

  #isOut(nowMs: number): boolean {
    const { fromMs, untilMs } = this.#outage;
    return !this.#tools.isOver() && nowMs >= fromMs && nowMs < untilMs;
  }

  #answerWhileOut(): Promise<HttpAnswer> {
    const { does } = this.#outage;
    this.#tools.onFault(`a network that ${does}`);
    switch (does) {
      case 'refuses connections':
        return Promise.reject(new TransportError('the connection was refused', { mayHaveArrived: false }));
      case 'answers 502':
        return Promise.resolve(httpAnswer({ status: 502, body: 'Bad gateway' }, this.#tools.clock));
      case 'refuses the key':
        return Promise.resolve(httpAnswer(this.#of.refusesKey, this.#tools.clock));
    }
  }

  /** Where one of its machines is reached; null: it does not run. */
  #placeOf(id: string, rank: number): Place | null {
    const machine = this.#of.running(id, rank);
    if (machine === null) {
      return null;
    }
    const ranks = this.#placed.get(id) ?? new Set();
    this.#placed.set(id, ranks.add(rank));
    const { ref, gpuCount, gpuModel, proof = null } = machine;
    return this.#tools.book.placeOf(this.#nameOf(id, rank), {
      publicKeys: () => this.#of.running(id, rank)?.publicKeys ?? null,
      proof,
      host: () => this.#runtime.host({ id, ref }, rank, { fixed: { ...ROOMY, gpuCount, gpuModel } }),
    });
  }

  #nameOf(id: string, rank: number): string {
    return `${this.id} ${id} ${rank.toString()}`;
  }
}

/** Such as `GET /api/v1/instances/ (a later page)`. */
function stepName({ method, url }: HttpRequest): string {
  const { pathname, searchParams } = new URL(url);
  const isAfter = (name: string, first: number): boolean => Number(searchParams.get(name) ?? first) > first;
  const isLater =
    searchParams.has('after_token') ||
    searchParams.has('cursor') ||
    // Prime Intellect’s pages of offers begin with 1, those of io.net are asked for from the second on.
    (pathname.includes('/availability/') ? isAfter('page', 1) : searchParams.has('page')) ||
    isAfter('offset', 0) ||
    isAfter('skip', 0);
  const shape = pathname
    .replace(/\/[0-9a-f]{8}-[0-9a-f-]{27}(?=\/|$)/g, '/#')
    .replace(/\/[0-9]+(?=\/|$)/g, '/#')
    .replace(/\/(?:pod|cluster_|key-|deployment[0-9]+at)[0-9]+(?=\/|$)/g, '/#');
  return `${method} ${shape}${isLater ? ' (a later page)' : ''}`;
}

/** Purchases of other people, and of another Hitch: in some runs more than one page of a list holds. */
const othersOf = (random: Random, many: number): readonly (string | null)[] =>
  ['hitch-anotherhitch0000', null, 'somebody-elses'].concat(
    random.next() < 0.4 ? Array.from({ length: many }, (_, number) => `theirs-${number.toString()}`) : [],
  );

function drawOutage(random: Random, nowMs: number): Outage {
  const fromMs = nowMs + randomInt(random, 0, HOUR);
  const forMs = random.next() < 0.3 ? (random.next() < 0.5 ? HOUR : randomInt(random, 0, HOUR)) : 0;
  const does = pick(random, ['refuses connections', 'answers 502', 'refuses the key'] as const);
  return { fromMs, untilMs: fromMs + forMs, does };
}

/** How what goes wrong with a request is named in {@link file://../sources.ts}. */
const NAMES: Readonly<Record<Fault['does'], string>> = {
  'lose-reply': 'an answer that is lost',
  before: 'a request that is lost',
  refuse: 'a connection that is refused',
  cut: 'an answer that ends in its middle',
  answer: 'an answer that is not the network’s own',
  'answer-after': 'a gateway that gives up on what was done',
  slow: 'an answer that comes late',
  'duplicate-reply': 'an answer to another request',
};

/** Says each time that one strikes. */
class CountedFaults extends Faults {
  readonly #strikes: (fault: Fault) => void;

  constructor(random: () => number, strikes: (fault: Fault) => void) {
    super([], random);
    this.#strikes = strikes;
  }

  override of(request: SimRequest): Fault | null {
    const fault = super.of(request);
    if (fault !== null) {
      this.#strikes(fault);
    }
    return fault;
  }
}

const neverAsked: Transport = () => Promise.reject(new Error('Nobody asks here.'));

/** What one network draws says nothing of what another does. */
const saltOf = (id: string): number => Buffer.from(id).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7);
