/** The practice market as a network of a run: it sells in every way that any network does, and fails in every way too. */
import { costOver, type MicroUsd, parseMicroUsd } from '@hitch/contract';
import { type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import type { AttemptRecord } from '../../../backend-proxy/src/ledger/records.ts';
import type { Provider } from '../../../backend-proxy/src/providers/provider.ts';
import { SandboxMarket } from '../../../backend-proxy/src/providers/sandbox/market.ts';
import { memoryStorage, type Rental } from '../../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { isMislaid, priceAt } from '../../../backend-proxy/src/providers/sandbox/rental-view.ts';
import { SandboxProvider } from '../../../backend-proxy/src/providers/sandbox/sandbox-provider.ts';
import { outIn } from '../plan.ts';
import type { Watched } from '../watches.ts';
import { inTime, Strangers } from '../strangers.ts';
import { troubledNetwork } from '../troubled-network.ts';
import {
  type Bill,
  type Bought,
  type Bounds,
  type ChaosNetwork,
  exactly,
  type HowKnown,
  type NetworkTools,
  type Wish,
} from './network.ts';

const MINUTE = 60_000;
/** Micro-dollars that a cost may be off for each time that its records were forgotten, of which a run has few. */
const CUT = 100n;

export class PracticeNetwork implements ChaosNetwork, Watched {
  readonly id = 'sandbox';
  readonly deaths = [];
  readonly keeps;
  readonly #tools: NetworkTools;
  readonly #random: Random;
  readonly #runtime: NullRuntime;
  readonly #market: SandboxMarket;
  readonly #strangers: Strangers;
  readonly #provider: Provider;
  readonly #isOut: (nowMs: number) => boolean;
  #hasBegun = false;
  #blindUntilMs = 0;

  constructor(tools: NetworkTools) {
    const { seed, clock, plan } = tools;
    this.#tools = tools;
    this.keeps = plan.network;
    this.#random = seededRandom(seed + 0x3a2c);
    this.#isOut = outIn(plan, clock.now());
    this.#runtime = new NullRuntime({
      clock,
      jupyterDelayMs: randomInt(this.#random, 0, 20_000),
      engineDelayMs: randomInt(this.#random, 0, 30_000),
    });
    this.#market = this.#openMarket();
    this.#strangers = new Strangers(clock, this.#market, seed);
    this.#provider = troubledNetwork(new SandboxProvider(this.#market), {
      plan: plan.network,
      strangers: () => this.#strangers.shown(),
      // Of two installations the other one may be asked to wait for longer.
      onListFailed: retryAfterMs => this.#noteBlind(retryAfterMs),
      onAskedToWait: retryAfterMs => this.#noteBlind(retryAfterMs),
      random: seededRandom(seed + 0x2e7),
      isOver: tools.isOver,
      onFault: tools.onFault,
    });
  }

  open(): Provider {
    this.#hasBegun = true;
    return this.#provider;
  }

  settle(): Promise<void> {
    return this.#strangers.settle(this.#random);
  }

  /** In half of all cases only what ends its billing alone. */
  wish(random: Random): Wish {
    const alone = random.next() < 0.5 ? {} : { endsBillingAlone: true };
    return { filter: { markets: ['spot', 'on_demand'], ...alone }, nodes: randomInt(random, 1, 3) };
  }

  bought(): readonly Bought[] {
    const nowMs = this.#tools.clock.now();
    return this.#market.rentals().map(rental => ({
      id: rental.id,
      mark: rental.ref,
      endedAtMs: rental.endedAtMs,
      isShown: rental.visibleAtMs <= nowMs && !isMislaid(rental, nowMs),
      isMislaid: rental.mislaid !== null,
      isEndAsked: rental.destroyTries > 0,
      timesMore: rental.timesMore,
    }));
  }

  othersHarmed(): number {
    return this.#strangers.destroyed();
  }

  /** Its machines take a cluster's key with their order, if any. */
  accountKeys(): readonly [] {
    return [];
  }

  lockedOut(): readonly [] {
    return [];
  }

  #noteBlind(waitMs: number): void {
    this.#blindUntilMs = Math.max(this.#blindUntilMs, this.#tools.clock.now() + waitMs);
  }

  blindUntilMs(nowMs: number): number {
    return this.#isOut(nowMs) ? nowMs : this.#blindUntilMs;
  }

  look(): void {
    // Its machines end when it is asked for them.
  }

  calm(): void {
    // Its faults are those of its plan, which end by themselves.
  }

  async end(): Promise<void> {
    for (const { id } of this.#market.rentals()) {
      await this.#settleRental(id);
    }
  }

  billOf(ref: string, _attempt: AttemptRecord, { isForgotten }: HowKnown): Bill {
    const rental = this.#rentalOf(ref);
    return rental === undefined ? {} : { all: this.#bounds(rental, isForgotten) };
  }

  complaints(): readonly string[] {
    return [];
  }

  lines(): readonly string[] {
    return this.#market.rentals().map(rental => JSON.stringify(rental));
  }

  // ---- what is looked at all the time

  #rentalOf(ref: string): Rental | undefined {
    return this.#strangers.has(ref) ? undefined : this.#market.rentals(ref)[0];
  }

  costsOtherThan(ref: string, perHour: MicroUsd | null, nowMs: number): boolean {
    const rental = this.#rentalOf(ref);
    return (
      rental !== undefined &&
      rental.endedAtMs === null &&
      !isMislaid(rental, nowMs) &&
      priceAt(rental, nowMs) !== perHour
    );
  }

  answers(ref: string, nowMs: number): boolean {
    const rental = this.#rentalOf(ref);
    return (
      rental !== undefined &&
      [rental.endedAtMs, rental.endAtMs, rental.preemptAtMs, rental.destroyAtMs].every(
        atMs => atMs === null || atMs > nowMs,
      ) &&
      !isMislaid(rental, nowMs) &&
      this.#runtime.answers(rental)
    );
  }

  // ---- the market

  #openMarket(): SandboxMarket {
    const { seed, clock, plan, onFault } = this.#tools;
    return new SandboxMarket({
      clock,
      storage: memoryStorage(),
      runtime: this.#runtime,
      seed,
      offersPerModel: 2,
      faults: plan.market,
      onFault: kind => {
        // Before the first daemon lives it strikes nobody who is looked at here.
        if (this.#hasBegun) {
          onFault(kind);
        }
      },
      bootDelayMs: randomInt(this.#random, 500, 2 * MINUTE),
      visibilityDelayMs: randomInt(this.#random, 0, MINUTE),
    });
  }

  /**
   * The bill to the micro-dollar. Where the price changed on the way Hitch can know the change only when it looks, so the
   * bill lies between all of it at the one price and all of it at the other; that it looks in time is watched apart.
   */
  #bounds({ ref, reprice, ...rental }: Rental, isForgotten: boolean): Bounds {
    // Each stretch is rounded up by itself, and where a floor lasts to is rounded to the millisecond.
    const rounding = isForgotten ? CUT : 0n;
    const billed = this.#market.billed(ref);
    const { boughtAtMs, endedAtMs } = rental;
    if (reprice === null || endedAtMs === null || reprice.atMs >= endedAtMs) {
      return isForgotten ? { lowest: billed - CUT, highest: billed + CUT } : exactly(billed);
    }
    const once = parseMicroUsd(rental.nonRefundableMicroUsd);
    const least = parseMicroUsd(rental.floorMicroUsd);
    const [low, high] = [rental.pricePerHourMicroUsd, reprice.pricePerHourMicroUsd]
      .map(price => costOver(parseMicroUsd(price), endedAtMs - boughtAtMs))
      .map(used => once + (used < least ? least : used))
      .sort((a, b) => (a < b ? -1 : 1));
    // Here too each stretch is rounded up by itself.
    return { lowest: (low ?? billed) - rounding, highest: (high ?? billed) + rounding + 3n };
  }

  /** Has the market notice that a rental's own end has come. */
  async #settleRental(id: string): Promise<void> {
    const { clock } = this.#tools;
    for (let tries = 0; tries < 200; tries++) {
      try {
        await inTime(clock, this.#market.show(id, new AbortController().signal));
        return;
      } catch {
        clock.jump(MINUTE);
      }
    }
  }
}
