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
  /** Runs it so much later. @returns what prevents it. */
  readonly later?: (run: () => void, ms: number) => () => void;
}

/** A real end: a hung call would keep one of the browser's few connections. */
const ABORT_MS = 2_000;
/** So long JupyterLab may be kept waiting. */
const PATIENCE_MS = 250;
/** A list this young needs no other. */
const FRESH_MS = 1_500;
/** A place that has never answered is asked again by itself: whoever lists it may not come back for a minute. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export class LastKnown<T> {
  readonly #options: LastKnownOptions<T>;
  #items: readonly T[] = [];
  #known = false;
  #failed = false;
  #fetchedAtMs = -Infinity;
  #running: Promise<void> | null = null;
  /** Somebody went away with less than what is being fetched. */
  #owed = false;
  #retryMs = FIRST_RETRY_MS;
  #unretry: () => void = () => undefined;
  #disposed = false;
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
      await Promise.race([this.#begin(), after(PATIENCE_MS)]);
      this.#owed ||= this.#running !== null;
    }
    return this.#items;
  }

  /** The place is gone: nothing is asked any more. */
  dispose(): void {
    this.#disposed = true;
    this.#unretry();
  }

  #begin(): Promise<void> {
    return (this.#running ??= this.#fetch().finally(() => (this.#running = null)));
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
    try {
      const items = await fetch(AbortSignal.timeout(ABORT_MS));
      this.#failed = false;
      if (generation !== this.#generation) {
        this.#retry();
        return;
      }
      const different = !this.#known || JSON.stringify(items) !== JSON.stringify(this.#items);
      this.#items = items;
      this.#known = true;
      this.#fetchedAtMs = now();
      if (different && this.#owed && !this.#disposed) {
        changed();
      }
      this.#owed = false;
    } catch {
      this.#failed = true;
      this.#retry();
    }
  }

  #retry(): void {
    if (this.#known || this.#disposed) {
      return;
    }
    const { later = afterwards } = this.#options;
    this.#owed = true;
    this.#unretry();
    this.#unretry = later(() => void this.#begin(), this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS);
  }
}

function after(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms);
  });
}

function afterwards(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => {
    clearTimeout(timer);
  };
}
