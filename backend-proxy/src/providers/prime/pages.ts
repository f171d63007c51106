/** Lists that Prime Intellect gives by offset, or by the number of the page. */
import { type NextPage, ProviderError } from '../provider.ts';

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many there are on all pages. */
  readonly total: number;
  /** What comes after it is not wanted. */
  readonly isEnough?: boolean;
}

/** What a list is read with beside its pages. */
export interface Reading<Row> {
  /** What is the same of a row on whatever page it stands; null: its rows have nothing of the kind. */
  readonly idOf: ((row: Row) => string) | null;
  readonly nextPage: NextPage | undefined;
}

/**
 * The rows of all pages, each once. One that ends or begins while they are read moves those after it, and one of them is on no
 * page: so as many are wanted as any page said. Nor does it go on with a list that brings nothing new.
 * @param ask by how many came before, and the number of the page, from 1
 * @throws ProviderError for a list of which a part is missing.
 */
export async function allPages<Row>(
  ask: (offset: number, page: number) => Promise<Page<Row>>,
  { idOf, nextPage }: Reading<Row>,
): Promise<readonly Row[]> {
  const all = new Map<string, Row>();
  let [passed, most, before] = [0, 0, ''];
  for (let number = 1; ; number++) {
    const { rows, total, isEnough = false } = await ask(passed, number);
    const size = all.size;
    rows.forEach((row, at) => all.set(idOf?.(row) ?? (passed + at).toString(), row));
    passed += rows.length;
    most = Math.max(most, total);
    if (isEnough || all.size >= most) {
      return [...all.values()];
    }
    const text = idOf === null ? JSON.stringify(rows) : '';
    const isOld = all.size === size || (idOf === null && text === before);
    if (isOld || passed >= total) {
      throw new ProviderError(
        'retryable',
        `Prime Intellect sent only a part of its list (${all.size.toString()} of ${most.toString()}).`,
      );
    }
    before = text;
    await nextPage?.();
  }
}
