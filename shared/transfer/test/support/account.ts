/** What one or more runs of a copy said about it, as a client would show it. */
import type { Outcome } from '@hitch/contract/src/copies.ts';
import { plainPath } from '../../src/names.ts';

export interface Said {
  readonly outcome: Outcome;
  readonly detail: string;
}

export class Account {
  readonly #root: string;
  readonly #said = new Map<string, Said[]>();
  copiedFiles = 0;
  copiedBytes = 0;
  sameFiles = 0;

  /** @param root as the copy was asked for it. */
  constructor(root: string) {
    this.#root = root;
  }

  add(outcome: Outcome, path: string, detail: string): void {
    const said = this.#said.get(path) ?? [];
    said.push({ outcome, detail });
    this.#said.set(path, said);
  }

  file(state: 'copied' | 'same', bytes: number): void {
    if (state === 'copied') {
      this.copiedFiles += 1;
      this.copiedBytes += bytes;
    } else {
      this.sameFiles += 1;
    }
  }

  /** All that was said of a path below the root. */
  of(path: string): readonly Said[] {
    const named = path === '' ? this.#root : this.#root === '' ? path : `${this.#root}/${path}`;
    return this.#said.get(plainPath(named) || '.') ?? [];
  }

  /** Below the root, of a path as it was said. */
  pathOf(said: string): string {
    return said.startsWith(`${this.#root}/`)
      ? said.slice(this.#root.length + 1)
      : said === this.#root
        ? ''
        : said;
  }

  has(path: string, ...outcomes: readonly Outcome[]): boolean {
    return this.of(path).some(({ outcome }) => outcomes.includes(outcome));
  }

  details(path: string, outcome: Outcome): string[] {
    return this.of(path)
      .filter(said => said.outcome === outcome)
      .map(({ detail }) => detail);
  }

  count(outcome: Outcome): number {
    return this.all().filter(said => said.outcome === outcome).length;
  }

  all(): readonly (Said & { readonly path: string })[] {
    return [...this.#said].flatMap(([path, said]) => said.map(each => ({ path, ...each })));
  }
}
