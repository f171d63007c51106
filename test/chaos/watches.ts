/** What is looked at all the time while a run goes on, of one installation, and begins anew with each of its daemons. */
import type { MicroUsd } from '@hitch/contract';
import type { ChaosNetwork } from './networks/network.ts';
import { type Found, Orphans } from './orphans.ts';
import { fullIn, type RunPlan } from './plan.ts';
import { PriceWatch } from './price-watch.ts';
import { ReachWatch } from './reach-watch.ts';
import type { Report } from './report.ts';
import type { Written } from './written.ts';

/** A network that says at each moment what its machines cost. */
export interface Watched {
  costsOtherThan(ref: string, perHour: MicroUsd | null, nowMs: number): boolean;
  blindUntilMs(nowMs: number): number;
}

export interface WatchesOptions {
  readonly plan: RunPlan;
  readonly report: Report;
  readonly written: Written;
  readonly watched: readonly Watched[];
  readonly networks: readonly Pick<ChaosNetwork, 'answers'>[];
  /** What the networks ever rented to this installation, and nobody could not know of. */
  readonly ours: () => readonly Found[];
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #orphans: Orphans;
  readonly #prices: readonly { readonly of: Watched; readonly watch: PriceWatch }[];
  readonly #reach: ReachWatch;
  readonly #isFull: (nowMs: number) => boolean;

  constructor(options: WatchesOptions) {
    const { plan, report, written, watched, networks } = options;
    this.#options = options;
    const isFull = fullIn(plan);
    this.#isFull = isFull;
    this.#orphans = new Orphans(report);
    this.#prices = watched.map(of => ({
      of,
      watch: new PriceWatch(report, written, nowMs => (isFull(nowMs) ? nowMs : of.blindUntilMs(nowMs))),
    }));
    this.#reach = new ReachWatch({
      report,
      written,
      answers: (ref, nowMs) => networks.some(network => network.answers(ref, nowMs)),
      isFull,
    });
  }

  begin(nowMs: number): void {
    this.#orphans.begin(nowMs);
    this.#prices.forEach(({ watch }) => {
      watch.begin();
    });
    this.#reach.begin();
  }

  look(nowMs: number): void {
    for (const { of, watch } of this.#prices) {
      watch.look(nowMs, (ref, perHour) => of.costsOtherThan(ref, perHour, nowMs));
    }
    const isFull = this.#isFull(nowMs);
    this.#orphans.look(
      nowMs,
      () => this.#options.ours().map(found => (isFull ? { ...found, blindUntilMs: nowMs } : found)),
      () => this.#known(),
    );
    this.#reach.look(nowMs);
  }

  #known(): ReadonlySet<string> {
    const known = this.#options.written
      .attempts()
      .filter(({ state }) => state === 'owned' || state === 'releasing' || state === 'intended');
    return new Set(known.flatMap(({ ref, mark }) => [ref, mark]));
  }
}
