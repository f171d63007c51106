/** All that a daemon knows of a copy, as the checks of {@link file://../../shared/transfer/test/support/arrival.ts} read it. */
import { type Copy, type HitchApi, OUTCOMES } from '@hitch/contract';
import { Account } from '../../shared/transfer/test/support/account.ts';

const PAGE = 1_000;

/** @param root as the copy was asked for it. */
export async function accountOf(api: Pick<HitchApi, 'copies'>, copy: Copy, root: string): Promise<Account> {
  const account = new Account(root);
  account.copiedFiles = copy.account.copiedFiles;
  account.copiedBytes = copy.account.copiedBytes;
  account.sameFiles = copy.account.sameFiles;
  for (const outcome of OUTCOMES) {
    const count = copy.account.outcomes[outcome]?.count ?? 0;
    for (let after: number | null = count === 0 ? null : 0; after !== null;) {
      const { names, next }: Awaited<ReturnType<HitchApi['copies']['names']>> = await api.copies.names({
        copyId: copy.id,
        outcome,
        after,
        limit: PAGE,
      });
      names.forEach(({ path, detail }) => account.add(outcome, path, detail));
      after = next;
    }
  }
  return account;
}
