/** Logins at networks and the accounts behind them: part of the contract in `provider.ts`. */
import type { LoginField, MicroUsd, ProviderId, ScopeAdvice } from '@hitch/contract';
import type { NextPage, Provider } from './provider.ts';

/** Values of a login, by the names of its fields. */
export type LoginValues = Readonly<Record<string, string>>;

export interface LoginNeeds {
  readonly fields: readonly LoginField[];
  /** The variable of the environment from which the command line may take each field, by its name. */
  readonly variables: Readonly<Record<string, string>>;
  readonly needed: { readonly offers: boolean; readonly rent: true };
  /** What a key should be allowed to do: no more than that. */
  readonly scopes: readonly ScopeAdvice[];
}

/** Who is logged in. */
export interface LoginState {
  has(network: ProviderId): boolean;
  /** The text without any value of a login: networks repeat what they were sent. */
  mask?(text: string, values?: LoginValues): string;
}

/** Whether it cannot be asked for something because nobody is logged in there. */
export const lacksLogin = (
  { id, login }: Pick<Provider, 'id' | 'login'>,
  logins: LoginState,
  what: 'offers' | 'rent',
): boolean => login?.needed[what] === true && !logins.has(id);

/** Whether real money can be spent: somebody is logged in at a network that takes it, or one that is on asks for no login. */
export const isLoggedInSomewhere = (
  providers: Iterable<Pick<Provider, 'id' | 'kind' | 'login' | 'notRentable'>>,
  logins: LoginState,
): boolean =>
  [...providers].some(
    ({ id, kind, login, notRentable }) =>
      kind === 'network' && notRentable === undefined && (login === null || logins.has(id)),
  );

/** What a network says of an account. */
export interface AccountSaid {
  /** The same for every login of this account; null: nothing that it says is. */
  readonly id: string | null;
  readonly name: string;
  /** What this login may do; null: it does not say. */
  readonly scopes: readonly string[] | null;
  readonly balanceMicroUsd: MicroUsd | null;
  /** The most that all of it may cost an hour; null: it does not say. */
  readonly spendLimitPerHourMicroUsd: MicroUsd | null;
}

/** A key for ssh that an account keeps. */
export interface AccountKey {
  readonly id: string;
  readonly name: string;
  /** As OpenSSH writes it; null: the network does not say. */
  readonly publicKey: string | null;
}

/** For networks that take no key with an order: a machine lets in whoever's key the account has when it is made. */
export interface AccountKeys {
  /** Every key of the account, whoever put it there. A partial list is an error. */
  list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly AccountKey[]>;
  /** Puts a key there that the account does not have yet, under a name of its own. The caller has stored the name durably. */
  add(name: string, publicKey: string, signal: AbortSignal): Promise<AccountKey>;
  /** Takes a key out; machines that let it in keep it. One that is not there resolves. */
  remove(keyId: string, signal: AbortSignal): Promise<void>;
}
