/**
 * Whether a login may take the place of another while something stands at its network. Another account does not show what
 * was rented with this one: it would be taken for gone while it costs on.
 */
import { HitchError } from '@hitch/contract';
import type { Accounts } from '../clusters/accounts.ts';
import type { RateLimiter } from '../clusters/rate-limiter.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import type { AccountSaid, LoginValues, Provider } from '../providers/provider.ts';
import type { Logins } from '../secrets/logins.ts';

export interface SameAccountParts {
  readonly logins: Pick<Logins, 'has'>;
  readonly calls: Pick<RateLimiter, 'withLogin'>;
  readonly accounts: Pick<Accounts, 'shown' | 'ask' | 'standing'>;
  /** The network's adapter, as it is for somebody who is logged in with these values. */
  readonly adapterWith: (provider: Provider, values: LoginValues) => Provider;
}

/** A login that was tried, and what the network said of it; null: nothing of whose it is. */
export interface Tried {
  readonly values: LoginValues;
  readonly said: AccountSaid | null;
}

/**
 * Asks the network for what neither of the two accounts' names tells: a login that shows one of the machines is of their
 * account. @throws HitchError CONFLICT where it is another account's, or nothing shows that it is not.
 */
export async function checkSameAccount(
  parts: SameAccountParts,
  provider: Provider,
  { values, said }: Tried,
): Promise<void> {
  const { accounts, logins } = parts;
  const standing = accounts.standing(provider.id);
  if (standing.length === 0) {
    return;
  }
  if (accounts.shown(provider) === null && logins.has(provider.id)) {
    // One that is not accepted any more cannot say whose it was.
    await accounts.ask(provider).catch(() => undefined);
  }
  const known = accounts.shown(provider);
  if (said !== null && said.id !== null && known !== null && known.id !== null) {
    if (known.id !== said.id) {
      throw new HitchError(
        'CONFLICT',
        `This is the login of another account (${said.name}). ${standingWords(standing, provider)} with ${known.name}, and cannot be ended from another account.`,
        { field: 'values', next: nextWords(`log in with a key of ${known.name}`, provider) },
      );
    }
    return;
  }
  if (!(await showsOneOf(parts, provider, values, standing))) {
    throw new HitchError(
      'CONFLICT',
      `This login shows none of what Hitch rents at ${provider.title}: it may be of another account, from which nothing of it could be seen or ended while it costs on.`,
      {
        field: 'values',
        next: nextWords('log in with a key of the account that it was rented with', provider),
      },
    );
  }
}

async function showsOneOf(
  { calls, adapterWith }: SameAccountParts,
  provider: Provider,
  values: LoginValues,
  standing: readonly AttemptRecord[],
): Promise<boolean> {
  if (provider.capabilities.refVia === 'none') {
    return false;
  }
  const adapter = adapterWith(provider, values);
  const listed = await calls.withLogin(provider, 'list', values, (signal, nextPage) =>
    adapter.list(signal, nextPage),
  );
  return listed.some(({ id, mark }) =>
    standing.some(attempt => attempt.instanceId === id || attempt.mark === mark),
  );
}

const nextWords = (use: string, { id }: Provider): string =>
  `Stop it first, or ${use}. If that account is lost to you, see “hitch networks login ${id} --other-account”.`;

export const standingWords = ({ length }: readonly unknown[], { title }: Provider): string =>
  length === 1 ? `Something is rented at ${title}` : `${length.toString()} machines are rented at ${title}`;
