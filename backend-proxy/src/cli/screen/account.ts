/** The account of a copy for programs: every name, however many there are. */
import { type Copy, type copyNamesSchema, OUTCOMES } from '@hitch/contract';
import type * as z from 'zod';
import type { Context } from '../context.ts';

const OUTCOME_PAGE = 10_000;

/** Every name of the account, a line each. */
export async function writeNames(context: Context, copy: Copy): Promise<void> {
  const { api } = await context.session();
  for (const outcome of OUTCOMES) {
    const count = copy.account.outcomes[outcome]?.count ?? 0;
    for (let after: number | null = count === 0 ? null : 0; after !== null;) {
      const page: z.output<typeof copyNamesSchema> = await api.copies.names({
        copyId: copy.id,
        outcome,
        after,
        limit: OUTCOME_PAGE,
      });
      page.names.forEach(name => context.io.jsonLine({ type: 'outcome', outcome, ...name }));
      after = page.next;
    }
  }
}
