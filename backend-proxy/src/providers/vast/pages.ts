/** Lists that Vast.ai gives page by page. */
import { type NextPage, ProviderError } from '../provider.ts';

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many there are on all pages; null or left out: not said. */
  readonly total: number | null | undefined;
  /** What the page after this is asked for with; null, left out or empty: there is none. */
  readonly next: string | null | undefined;
  readonly isRefused: boolean;
}

/** The rows of all pages. @throws ProviderError for a list of which a part is missing. */
export async function allPages<Row>(
  ask: (token: string | null) => Promise<Page<Row>>,
  nextPage: NextPage | undefined,
): Promise<readonly Row[]> {
  const all: Row[] = [];
  const asked = new Set<string>();
  let token: string | null = null;
  let most = 0;
  for (;;) {
    const page: Page<Row> = await ask(token);
    all.push(...page.rows);
    // One that ends meanwhile moves those after it to earlier pages: the last page's count alone would not miss any.
    most = Math.max(most, page.total ?? 0);
    const next = page.next ?? '';
    const isShort = next === '' && all.length < most;
    if (page.isRefused || isShort || asked.has(next)) {
      const much = `${all.length.toString()} of ${Math.max(most, all.length).toString()}`;
      throw new ProviderError('retryable', `Vast.ai sent only a part of its list (${much}).`);
    }
    if (next === '') {
      return all;
    }
    asked.add(next);
    token = next;
    await nextPage?.();
  }
}
