/** Lists that Prime Intellect gives by offset, or by the number of the page. */
import { type NextPage, ProviderError } from '../provider.ts';

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many there are on all pages. */
  readonly total: number;
}

/**
 * The rows of all pages. One that ends while they are read moves those after it to earlier places, and one of them is on no
 * page: so as many are wanted as any page said.
 * @param ask by how many came before, and the number of the page, from 1
 * @throws ProviderError for a list of which a part is missing.
 */
export async function allPages<Row>(
  ask: (offset: number, page: number) => Promise<Page<Row>>,
  nextPage: NextPage | undefined,
): Promise<readonly Row[]> {
  const all: Row[] = [];
  let most = 0;
  for (let number = 1; ; number++) {
    const { rows, total } = await ask(all.length, number);
    all.push(...rows);
    most = Math.max(most, total);
    if (all.length >= most) {
      return all;
    }
    if (rows.length === 0 || all.length >= total) {
      throw new ProviderError(
        'retryable',
        `Prime Intellect sent only a part of its list (${all.length.toString()} of ${most.toString()}).`,
      );
    }
    await nextPage?.();
  }
}
