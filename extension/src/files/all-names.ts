/** The names of all outcomes of a copy, however many there are. */
import type { Copy, HitchApi, Outcome, OutcomeName } from '@hitch/contract';
import { OUTCOMES } from '@hitch/contract/src/copies.ts';

/** A document with more is of no use to anybody. */
const MOST_NAMES = 100_000;

/** Names in one answer. */
const PAGE = 10_000;

type Asked = Pick<HitchApi, 'copies'>;

export async function allNames(
  api: Asked,
  copy: Copy,
): Promise<ReadonlyMap<Outcome, readonly OutcomeName[]>> {
  const found = new Map<Outcome, readonly OutcomeName[]>();
  for (const outcome of OUTCOMES) {
    const { count, names } = copy.account.outcomes[outcome] ?? { count: 0, names: [] };
    if (count > 0) {
      // A daemon that came after the copy does not know it: then what came with the account is all there is.
      const all = count > names.length ? await namesOf(api, copy, outcome).catch(() => names) : names;
      found.set(outcome, all);
    }
  }
  return found;
}

async function namesOf({ copies }: Asked, { id: copyId }: Copy, outcome: Outcome): Promise<OutcomeName[]> {
  const names: OutcomeName[] = [];
  for (let after: number | null = 0; after !== null && names.length < MOST_NAMES;) {
    const page: Awaited<ReturnType<typeof copies.names>> = await copies.names({
      copyId,
      outcome,
      after,
      limit: PAGE,
    });
    names.push(...page.names);
    after = page.next;
  }
  return names;
}
