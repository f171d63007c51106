/** Something that several may want at once, and that is done once for all of them. */
import { givenUp, orGivenUp } from '../../access/tunnel/ssh-process.ts';

interface Work<T> {
  readonly answer: Promise<T>;
  readonly ending: AbortController;
  waiting: number;
}

export class SharedWork<T> {
  readonly #works = new Map<string, Work<T>>();

  /**
   * Waits for the work of this name that goes on, or begins it. Who gives up ends nobody's waiting but its own; the work is
   * given up once nobody waits for it, and who comes then begins another.
   * @throws what the work throws, or the signal's reason
   */
  async join(name: string, signal: AbortSignal, begin: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) {
      throw givenUp(signal);
    }
    const work = this.#works.get(name) ?? this.#begin(name, begin);
    work.waiting++;
    try {
      return await orGivenUp(work.answer, signal);
    } finally {
      work.waiting--;
      if (work.waiting === 0) {
        this.#over(name, work);
        work.ending.abort(new Error('Nobody waits for it any more.'));
      }
    }
  }

  #begin(name: string, begin: (signal: AbortSignal) => Promise<T>): Work<T> {
    const ending = new AbortController();
    const work: Work<T> = { ending, waiting: 0, answer: begin(ending.signal) };
    this.#works.set(name, work);
    work.answer.catch(() => undefined).finally(() => this.#over(name, work));
    return work;
  }

  #over(name: string, work: Work<T>): void {
    if (this.#works.get(name) === work) {
      this.#works.delete(name);
    }
  }
}
