/**
 * The offers that were seen, in pages: asks for what stands in the view only, takes back what is not wanted any more,
 * and keeps what was shown until something newer is there.
 */
import type { Offer, OfferFilter, OfferPage, OfferQuery } from '@hitch/contract';

export const PAGE_SIZE = 100;
const MAX_PAGES = 80;

type Query = (query: OfferQuery, signal: AbortSignal) => Promise<OfferPage>;
type Facts = Pick<OfferPage, 'matched' | 'total' | 'sources' | 'hint' | 'hides'>;
type Question = Pick<OfferQuery, 'sort'> & { readonly filter: OfferFilter };

interface Page {
  readonly offers: readonly Offer[];
  /** Shown until it is asked for anew. */
  readonly stale: boolean;
}

/** What stands behind the rows: one question, its pages and the requests under way. */
export class PageCache {
  readonly #changed: () => void;
  #query: Query | null = null;
  #question: Question = { filter: {}, sort: { key: 'best', descending: false } };
  /** Grows with each question and refresh: an answer to an older one is dropped, also where nobody heard the abort. */
  #generation = 0;
  /** What the pages belong to; older than the generation while the first answer is on its way. */
  #shown = -1;
  readonly #pages = new Map<number, Page>();
  readonly #requests = new Map<number, AbortController>();
  #facts: Facts | null = null;
  #problem: unknown = null;
  #wanted: { first: number; end: number } = { first: 0, end: 0 };

  /** @param changed rows, facts, or the problem are other than before */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Null before the first answer. */
  get facts(): Facts | null {
    return this.#facts;
  }

  /** Why the last request failed; null when it did not. */
  get problem(): unknown {
    return this.#problem;
  }

  get loading(): boolean {
    return this.#requests.size > 0;
  }

  /** The rows belong to the question that was asked before this one. */
  get outdated(): boolean {
    return this.#shown !== this.#generation;
  }

  row(index: number): Offer | null {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.offers[index % PAGE_SIZE] ?? null;
  }

  /** Where an offer stands among the loaded rows. */
  indexOf(offerId: string): number | null {
    for (const [page, { offers }] of this.#pages) {
      const at = offers.findIndex(({ id }) => id === offerId);
      if (at >= 0) {
        return page * PAGE_SIZE + at;
      }
    }
    return null;
  }

  /** Another question: what was shown stays until its first answer is there. */
  ask(query: Query | null, question: Question): void {
    this.#query = query;
    this.#question = question;
    this.#generation++;
    this.#abortAll();
    this.#problem = null;
    this.want(0, PAGE_SIZE);
  }

  /** The same question again, for what stands in the view. */
  refresh(): void {
    this.#abortAll();
    this.#problem = null;
    for (const [index, page] of this.#pages) {
      this.#pages.set(index, { ...page, stale: true });
    }
    this.want(this.#wanted.first, this.#wanted.end);
  }

  /** These rows stand in the view. */
  want(first: number, end: number): void {
    this.#wanted = { first, end };
    const pages = this.#pagesOf(first, end);
    for (const [page, request] of this.#requests) {
      if (!pages.has(page)) {
        this.#requests.delete(page);
        request.abort();
      }
    }
    for (const page of pages) {
      const there = this.outdated ? undefined : this.#pages.get(page);
      if (!this.#requests.has(page) && (there === undefined || there.stale)) {
        this.#fetch(page);
      }
    }
  }

  /** Until a question has its first answer, and where nothing matches, it is the first page that tells. */
  #pagesOf(first: number, end: number): ReadonlySet<number> {
    const matched = this.#facts?.matched ?? 0;
    if (this.outdated || matched === 0) {
      return new Set([0]);
    }
    const pages = new Set<number>();
    for (let row = first; row < Math.min(end, matched); row++) {
      pages.add(Math.floor(row / PAGE_SIZE));
    }
    return pages;
  }

  /** Nobody looks any more. */
  stop(): void {
    this.#abortAll();
  }

  #abortAll(): void {
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const request of requests) {
      request.abort();
    }
  }

  #fetch(page: number): void {
    const query = this.#query;
    // A failed request is repeated when a person or the host asks, not by every scroll.
    if (query === null || this.#problem !== null) {
      return;
    }
    const request = new AbortController();
    const generation = this.#generation;
    this.#requests.set(page, request);
    const isCurrent = () => this.#requests.get(page) === request && generation === this.#generation;
    const question = {
      ...this.#question,
      offset: page * PAGE_SIZE,
      limit: PAGE_SIZE,
      explain: true as const,
    };
    Promise.resolve()
      .then(() => query(question, request.signal))
      .then(
        answer => {
          if (isCurrent()) {
            this.#requests.delete(page);
            this.#take(page, generation, answer);
          }
        },
        (error: unknown) => {
          if (isCurrent()) {
            this.#abortAll();
            this.#problem = error;
            this.#changed();
          }
        },
      );
  }

  #take(page: number, generation: number, answer: OfferPage): void {
    if (this.#shown !== generation) {
      this.#pages.clear();
      this.#shown = generation;
    }
    this.#problem = null;
    this.#facts = {
      matched: answer.matched,
      total: answer.total,
      sources: answer.sources,
      hint: answer.hint,
      hides: answer.hides,
    };
    this.#pages.set(page, { offers: answer.offers, stale: false });
    for (const index of this.#pages.keys()) {
      if (index > 0 && index * PAGE_SIZE >= answer.matched) {
        this.#pages.delete(index);
      }
    }
    this.#evict(page);
    this.#changed();
  }

  /** Lets the pages go that are farthest from the one that came last. */
  #evict(near: number): void {
    if (this.#pages.size > MAX_PAGES) {
      const far = [...this.#pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
      for (const page of far.slice(0, this.#pages.size - MAX_PAGES)) {
        this.#pages.delete(page);
      }
    }
  }
}
