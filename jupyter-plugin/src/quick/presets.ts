/** What is usually rented, with what each costs now: looked up when somebody opens a list of them. */
import {
  lastRented,
  presetPrice,
  presetQuery,
  type Cluster,
  type Preset,
  type PresetList,
} from '@hitch/contract';
import { type ISignal, Signal } from '@lumino/signaling';
import { sentenceOf } from '../actions/report.ts';
import type { IHitch } from '../tokens.ts';

/** Prices this young are not asked for again. */
const FRESH_MS = 15_000;
const ASK_MS = 20_000;

export class QuickPresets {
  readonly #hitch: IHitch;
  readonly #now: () => number;
  readonly #changed = new Signal<this, void>(this);
  readonly #prices = new Map<string, string>();
  #list: PresetList | null = null;
  #problem: string | null = null;
  #lookedAtMs = -Infinity;

  constructor(hitch: IHitch, now: () => number) {
    this.#hitch = hitch;
    this.#now = now;
  }

  /** The list, its problem, or a price is another. */
  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  get list(): PresetList | null {
    return this.#list;
  }

  /** Why there is no list; null: there is one, or it is still coming. */
  get problem(): string | null {
    return this.#problem;
  }

  get all(): readonly Preset[] {
    return this.#list?.presets ?? [];
  }

  /** What was rented last and is over; null: nothing. */
  get last(): Cluster | null {
    return lastRented(this.#hitch.clusters);
  }

  find(id: string): Preset | undefined {
    return this.all.find(preset => preset.id === id);
  }

  /** `$0.38/h`; null while it is not known. */
  priceOf(id: string): string | null {
    return this.#prices.get(id) ?? null;
  }

  /** Another list was written. */
  take(list: PresetList): void {
    this.#list = list;
    this.#lookedAtMs = -Infinity;
    this.#changed.emit();
  }

  /** The list without the prices. Never rejects: {@link problem} says why there is none. */
  async load(): Promise<void> {
    try {
      this.#list = await this.#hitch.client.api.offers.presets(undefined, {
        signal: AbortSignal.timeout(ASK_MS),
      });
      this.#problem = null;
    } catch (error) {
      this.#problem = sentenceOf(error);
    }
    this.#changed.emit();
  }

  /** Somebody looks at them: the list anew, and the prices, which come one by one. Never rejects. */
  async look(): Promise<void> {
    if (this.#now() - this.#lookedAtMs < FRESH_MS) {
      return;
    }
    this.#lookedAtMs = this.#now();
    await this.load();
    await Promise.all(this.all.map(preset => this.#price(preset)));
  }

  async #price(preset: Preset): Promise<void> {
    try {
      const page = await this.#hitch.client.api.offers.query(presetQuery(preset), {
        signal: AbortSignal.timeout(ASK_MS),
      });
      this.#prices.set(preset.id, presetPrice(preset, page));
    } catch {
      // It can be rented without: the confirmation has the price in any case.
      this.#prices.delete(preset.id);
    }
    this.#changed.emit();
  }
}
