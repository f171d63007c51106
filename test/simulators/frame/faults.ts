/** What can go wrong between a simulator and whoever asks it: rules on requests, drawn by a seed or counted. */
import type { SimAnswer, SimRequest } from './simulator.ts';

/**
 * - `lose-reply`: it is done, and the connection breaks before its answer is there · `before`: the connection breaks before
 *   anything is done · `refuse`: nobody is connected with at all
 * - `answer`: this is answered, and nothing is done · `answer-after`: it is done, and this is answered
 * - `slow`: it is answered so much later
 * - `cut`: the answer ends in its middle
 * - `duplicate-reply`: it is done, and what answered the request before it on the same route answers once more; the first one has
 *   its own. So connections behave that a proxy reuses out of step (RFC 9112, section 9.3.2: answers are told apart by their
 *   order alone), and caches of answers to a request that is taken for the same
 */
export type Fault =
  | { readonly does: 'lose-reply' | 'before' | 'refuse' | 'cut' | 'duplicate-reply' }
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

interface Counted {
  readonly rule: FaultRule;
  seen: number;
  done: number;
  /** What the network itself answered last on this route, where a rule needs it. */
  last: SimAnswer | null;
}

export class Faults {
  readonly #rules: Counted[];
  readonly #random: () => number;

  /** @param random uniform in 0 … 1 */
  constructor(rules: readonly FaultRule[], random: () => number) {
    this.#rules = rules.map(counted);
    this.#random = random;
  }

  add(rule: FaultRule): void {
    this.#rules.push(counted(rule));
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /**
   * The network itself has answered so. @returns what goes back for it: that, or what answered the request before.
   */
  answered({ method, path }: SimRequest, answer: SimAnswer, fault: Fault | null): SimAnswer {
    let given = answer;
    for (const known of this.#rules) {
      const { rule } = known;
      if (rule.fault.does === 'duplicate-reply' && rule.route.test(`${method} ${path}`)) {
        given = rule.fault === fault ? (known.last ?? answer) : given;
        known.last = answer;
      }
    }
    return given;
  }

  /** What happens to this request; null: nothing. The first rule that fits counts. */
  of({ method, path }: SimRequest): Fault | null {
    for (const known of this.#rules) {
      const { rule } = known;
      if (!rule.route.test(`${method} ${path}`)) {
        continue;
      }
      known.seen += 1;
      const fits =
        (rule.nth === undefined || rule.nth === known.seen) &&
        (rule.times === undefined || known.done < rule.times) &&
        (rule.chance === undefined || this.#random() < rule.chance);
      if (fits) {
        known.done += 1;
        return rule.fault;
      }
    }
    return null;
  }
}

const counted = (rule: FaultRule): Counted => ({ rule, seen: 0, done: 0, last: null });
