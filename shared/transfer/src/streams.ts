/** A few streams at a time. The first that fails ends the others, and is thrown. */
export class Streams {
  readonly #most: number;
  readonly #fail: (error: unknown) => void;
  readonly #running = new Set<Promise<void>>();
  #error: { readonly cause: unknown } | null = null;

  constructor(most: number, fail: (error: unknown) => void) {
    this.#most = most;
    this.#fail = fail;
  }

  async add(run: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#most) {
      await Promise.race(this.#running);
    }
    if (this.#error !== null) {
      await this.done();
    }
    const running = run()
      .catch((cause: unknown) => {
        this.#error ??= { cause };
        this.#fail(cause);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async done(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#error !== null) {
      throw this.#error.cause;
    }
  }
}
