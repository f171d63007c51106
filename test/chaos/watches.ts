/** What is looked at all the time while a run goes on, and begins anew with each of its daemons. */
import type { SandboxMarket } from '../../backend-proxy/src/providers/sandbox/market.ts';
import type { Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import type { NullRuntime } from '../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { isMislaid } from '../../backend-proxy/src/providers/sandbox/rental-view.ts';
import { Orphans } from './orphans.ts';
import { blindIn, fullIn, type RunPlan } from './plan.ts';
import { PriceWatch } from './price-watch.ts';
import { ReachWatch } from './reach-watch.ts';
import type { Report } from './report.ts';
import type { Written } from './written.ts';

export interface WatchesOptions {
  readonly plan: RunPlan;
  readonly report: Report;
  readonly written: Written;
  readonly market: SandboxMarket;
  readonly runtime: NullRuntime;
  readonly openedAtMs: number;
  /** What the market ever rented to us. */
  readonly ours: () => readonly Rental[];
  /** Refs of which nobody could know. */
  readonly unknowable: () => ReadonlySet<string>;
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #orphans: Orphans;
  readonly #prices: PriceWatch;
  readonly #reach: ReachWatch;

  constructor(options: WatchesOptions) {
    const { plan, report, written, runtime, openedAtMs } = options;
    this.#options = options;
    const isBlind = blindIn(plan, openedAtMs);
    this.#orphans = new Orphans({ report, isBlind, isShown });
    this.#prices = new PriceWatch(report, written, isBlind);
    this.#reach = new ReachWatch({
      report,
      written,
      rentalOf: ref => this.#rentalOf(ref),
      answers: rental => runtime.answers(rental),
      isFull: fullIn(plan),
    });
  }

  begin(nowMs: number): void {
    this.#orphans.begin(nowMs);
    this.#prices.begin();
    this.#reach.begin();
  }

  /** The market was asked what there is, and did not say. */
  noteListFailed(): void {
    this.#prices.begin();
  }

  look(nowMs: number): void {
    const { ours } = this.#options;
    this.#prices.look(nowMs, ref => this.#rentalOf(ref));
    this.#orphans.look(nowMs, ours, () => this.#known());
    this.#reach.look(nowMs);
  }

  #rentalOf(ref: string): Rental | undefined {
    return this.#options.market.rentals(ref)[0];
  }

  #known(): ReadonlySet<string> {
    const { written, unknowable } = this.#options;
    const known = written
      .attempts()
      .filter(({ state }) => state === 'owned' || state === 'releasing' || state === 'intended');
    return new Set([...known.map(({ ref }) => ref), ...unknowable()]);
  }
}

const isShown = (rental: Rental, nowMs: number): boolean =>
  rental.visibleAtMs <= nowMs && !isMislaid(rental, nowMs);
