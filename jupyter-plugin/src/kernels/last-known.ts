/**
 * Lists of a place that may be slow, hung or away. An answer comes at once or it is the last known one; what comes
 * later is kept for the next question, and told. JupyterLab takes a session that is missing from one list for ended,
 * so a failure never empties a list.
 */
export interface LastKnownOptions<T> {
  readonly fetch: (signal: AbortSignal) => Promise<readonly T[]>;
  readonly idOf: (item: T) => string;
  /** The list became another one after it had been asked for. */
  readonly changed: () => void;
  readonly now: () => number;
}

/** A real end: a hung call would keep one of the browser's few connections. */
const ABORT_MS = 2_000;
/** So long JupyterLab may be kept waiting. */
const PATIENCE_MS = 250;
/** A list this young needs no other. */
const FRESH_MS = 1_500;

export class LastKnown<T> {
  readonly #options: LastKnownOptions<T>;
  #items: readonly T[] = [];
  #known = false;
  #failed = false;
  #fetchedAtMs = -Infinity;
  #running: Promise<void> | null = null;
  /** Counts changes made from here: a list asked for before one of them does not know it. */
  #generation = 0;

  constructor(options: LastKnownOptions<T>) {
    this.#options = options;
  }

  /** Whether the place has ever answered. */
  get known(): boolean {
    return this.#known;
  }

  /** Whether the last question got no answer. */
  get failed(): boolean {
    return this.#failed;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  async list(): Promise<readonly T[]> {
    if (this.#options.now() - this.#fetchedAtMs > FRESH_MS) {
      const running = (this.#running ??= this.#fetch().finally(() => (this.#running = null)));
      await Promise.race([running, after(PATIENCE_MS)]);
    }
    return this.#items;
  }

  put(item: T): void {
    const { idOf } = this.#options;
    this.#generation += 1;
    this.#fetchedAtMs = -Infinity;
    this.#items = [...this.#items.filter(other => idOf(other) !== idOf(item)), item];
  }

  drop(id: string): void {
    this.#generation += 1;
    this.#fetchedAtMs = -Infinity;
    this.#items = this.#items.filter(other => this.#options.idOf(other) !== id);
  }

  async #fetch(): Promise<void> {
    const { fetch, changed, now } = this.#options;
    const generation = this.#generation;
    const startedAtMs = now();
    try {
      const items = await fetch(AbortSignal.timeout(ABORT_MS));
      this.#failed = false;
      if (generation !== this.#generation) {
        return;
      }
      const different = !this.#known || JSON.stringify(items) !== JSON.stringify(this.#items);
      this.#items = items;
      this.#known = true;
      this.#fetchedAtMs = now();
      if (different && now() - startedAtMs >= PATIENCE_MS) {
        changed();
      }
    } catch {
      this.#failed = true;
    }
  }
}

function after(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms);
  });
}
