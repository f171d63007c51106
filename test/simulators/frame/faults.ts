/** What can go wrong between a simulator and whoever asks it: rules on requests, drawn by a seed or counted. */
import type { SimAnswer, SimRequest } from './simulator.ts';

/**
 * - `lose-reply`: it is done, and the connection breaks before its answer is there · `before`: the connection breaks before
 *   anything is done · `refuse`: nobody is connected with at all
 * - `answer`: this is answered, and nothing is done · `answer-after`: it is done, and this is answered
 * - `slow`: it is answered so much later
 * - `cut`: the answer ends in its middle
 */
export type Fault =
  | { readonly does: 'lose-reply' | 'before' | 'refuse' | 'cut' }
  | { readonly does: 'answer' | 'answer-after'; readonly answer: SimAnswer }
  | { readonly does: 'slow'; readonly ms: number };

export interface FaultRule {
  /** Which requests: a method and a path, such as `/^PUT \/api\/v0\/asks\//`. */
  readonly route: RegExp;
  /** The so-manieth of them, the first is 1; left out: any. */
  readonly nth?: number;
  /** Share of them, 0 … 1; left out: each. */
  readonly chance?: number;
  /** How many times at most; left out: always. */
  readonly times?: number;
  readonly fault: Fault;
}

/** A web page that somebody on the way answers with, in the place of the network. */
export const CAPTIVE_PORTAL: SimAnswer = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Welcome to our network</title>',
};

export class Faults {
  readonly #rules: { readonly rule: FaultRule; seen: number; done: number }[];
  readonly #random: () => number;

  /** @param random uniform in 0 … 1 */
  constructor(rules: readonly FaultRule[], random: () => number) {
    this.#rules = rules.map(rule => ({ rule, seen: 0, done: 0 }));
    this.#random = random;
  }

  add(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0, done: 0 });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** What happens to this request; null: nothing. The first rule that fits counts. */
  of({ method, path }: SimRequest): Fault | null {
    for (const counted of this.#rules) {
      const { rule } = counted;
      if (!rule.route.test(`${method} ${path}`)) {
        continue;
      }
      counted.seen += 1;
      const fits =
        (rule.nth === undefined || rule.nth === counted.seen) &&
        (rule.times === undefined || counted.done < rule.times) &&
        (rule.chance === undefined || this.#random() < rule.chance);
      if (fits) {
        counted.done += 1;
        return rule.fault;
      }
    }
    return null;
  }
}
