/** Networks as people look after them: who is logged in where, what is left, how often may be asked, and own machines. */
import {
  type BillCheck,
  HitchError,
  type Login,
  type NetworkInfo,
  type NetworkTest,
  type NotOurs,
  type OwnMachine,
  type ProviderId,
} from '@hitch/contract';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { AccountKeysOf } from '../clusters/account-keys.ts';
import type { Accounts } from '../clusters/accounts.ts';
import type { RateLimiter } from '../clusters/rate-limiter.ts';
import type { OfferBook } from '../offers/offer-book.ts';
import { type LoginNeeds, type LoginValues, type Provider, ProviderError } from '../providers/provider.ts';
import type { Logins } from '../secrets/logins.ts';
import type { OwnMachineTasks } from './own-machine-tasks.ts';
import type { Recordings } from './recordings.ts';
import { checkSameAccount, type SameAccountParts, standingWords, type Tried } from './same-account.ts';

export interface NetworksOptions {
  readonly log: Log;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly book: Pick<OfferBook, 'sources'>;
  readonly logins: Logins;
  readonly calls: Pick<RateLimiter, 'provider' | 'withLogin' | 'loginProblem' | 'forgetLogin' | 'uses'>;
  readonly accounts: Pick<Accounts, 'shown' | 'ask' | 'say' | 'forget' | 'standing'>;
  /** What a network billed beside what was counted. */
  readonly billsOf: (network: ProviderId) => readonly BillCheck[];
  /** What its list showed last that no record here speaks of. */
  readonly notOursOf: (network: ProviderId) => readonly NotOurs[];
  readonly machines: OwnMachineTasks;
  readonly keys: AccountKeysOf;
  readonly recordings: Recordings;
  /** Asks a network now what it billed. */
  readonly lookAtBills: (provider: Provider) => Promise<void>;
  readonly adapterWith: SameAccountParts['adapterWith'];
  /** Somebody logged in or out there. */
  readonly onLogin: (network: ProviderId) => void;
}

export class Networks {
  readonly machines: OwnMachineTasks;
  readonly recordings: Recordings;
  readonly #options: NetworksOptions;

  constructor(options: NetworksOptions) {
    this.#options = options;
    this.machines = options.machines;
    this.recordings = options.recordings;
  }

  /** Answers from memory. */
  list(): readonly NetworkInfo[] {
    const { providers, book, accounts, calls, billsOf, notOursOf } = this.#options;
    const sources = new Map(book.sources().map(source => [source.provider, source]));
    return [...providers.values()].map(provider => {
      const source = sources.get(provider.id);
      const machines = this.#machinesOf(provider.id);
      const isPartOnly = machines.problem === null && source?.isPartOnly === true;
      return {
        id: provider.id,
        title: provider.title,
        kind: provider.kind,
        verifiedLive: provider.verifiedLive,
        ...(provider.notRentable === undefined ? {} : { notRentable: provider.notRentable }),
        login: provider.login === null ? null : this.#loginOf(provider, provider.login),
        account: accounts.shown(provider),
        limits: [...calls.uses(provider)],
        bills: [...billsOf(provider.id)],
        notOurs: [...notOursOf(provider.id)],
        machines: machines.list,
        offers: source?.count ?? 0,
        fetchedAtMs: source?.fetchedAtMs ?? null,
        problem: machines.problem ?? source?.problem ?? null,
        ...(isPartOnly ? { isPartOnly } : {}),
      };
    });
  }

  /** A list that cannot be read is its own network's trouble. */
  #machinesOf(id: ProviderId): { list: OwnMachine[] | null; problem: string | null } {
    try {
      return { list: this.machines.of(id), problem: null };
    } catch (error) {
      return { list: [], problem: errorText(error) };
    }
  }

  /**
   * Keeps the values once the network has said whose they are.
   * @param isOther a person knows that it is another account's, and ends at the network itself what stands at this one
   * @throws HitchError NOT_FOUND, CONFLICT for one that needs no login, and for another account's while something stands
   * with the account that is known, BAD_INPUT for values that are none of its fields,
   * LOGIN_NEEDED with the network's words for a login that it does not accept.
   */
  async login(id: ProviderId, given: LoginValues, isOther = false): Promise<NetworkTest> {
    const { logins, accounts, calls, log, onLogin } = this.#options;
    const values = trimmed(given);
    this.checkLogin(id, values);
    const provider = this.#provider(id);
    const said = await this.#tried(provider, values);
    if (!isOther) {
      await this.#checkSame(provider, { values, said });
    }
    const warning = await logins.set(id, values);
    calls.forgetLogin(provider);
    if (said !== null) {
      accounts.say(id, said);
    }
    log.info('Somebody logged in to a network', { provider: id });
    onLogin(id);
    return {
      message: `You are logged in to ${provider.title}.`,
      account: accounts.shown(provider),
      warning,
    };
  }

  /**
   * Keys for ssh that Hitch put on the account go first, with this login. One that its network does not take out keeps nobody
   * logged in: its name is said from then on (`Login.problem`), and it goes with the next login.
   * @throws HitchError NOT_FOUND, also where nobody is logged in, or CONFLICT for one that needs no login, and while
   * something stands there that could not be ended without it.
   */
  async logout(id: ProviderId): Promise<void> {
    const { logins, accounts, calls, keys, log, onLogin } = this.#options;
    const provider = this.#provider(id);
    needsOf(provider);
    if (!logins.has(id)) {
      throw new HitchError('NOT_FOUND', `You are not logged in to ${provider.title}.`, { field: 'provider' });
    }
    const standing = accounts.standing(id);
    if (standing.length > 0) {
      throw new HitchError(
        'CONFLICT',
        `${standingWords(standing, provider)}, and cannot be ended without this login.`,
        { field: 'provider', next: 'Stop it first. To use another key of the same account, log in again.' },
      );
    }
    await keys.takeOut(provider).catch((error: unknown) => {
      log.warn('Keys of ours may be left on an account', {
        provider: id,
        keys: keys.leftOn(id).join(', '),
        error: errorText(error),
      });
    });
    await logins.remove(id);
    accounts.forget(id);
    calls.forgetLogin(provider);
    log.info('Somebody logged out of a network', { provider: id });
    onLogin(id);
  }

  /** @throws HitchError NOT_FOUND, LOGIN_NEEDED, or PROVIDER_ERROR with the network's words. */
  async test(id: ProviderId): Promise<NetworkTest> {
    const { logins, accounts, calls } = this.#options;
    const provider = this.#provider(id);
    if (provider.login !== null && !logins.has(id)) {
      throw new HitchError('LOGIN_NEEDED', `You are not logged in to ${provider.title}.`, {
        next: `Log in: hitch networks login ${id}`,
      });
    }
    try {
      if (provider.account === undefined) {
        await calls.provider(provider, 'list', signal => provider.list(signal));
      } else {
        await accounts.ask(provider);
      }
    } catch (error) {
      throw this.#sentence(provider, error);
    }
    return { message: `${provider.title} answers.`, account: accounts.shown(provider), warning: null };
  }

  /** What it billed, asked for now. @throws HitchError NOT_FOUND, or PROVIDER_ERROR with the network's words. */
  async bills(id: ProviderId): Promise<readonly BillCheck[]> {
    const provider = this.#provider(id);
    try {
      await this.#options.lookAtBills(provider);
    } catch (error) {
      throw this.#sentence(provider, error);
    }
    return this.#options.billsOf(id);
  }

  /** @throws HitchError NOT_FOUND */
  titleOf(id: ProviderId): string {
    return this.#provider(id).title;
  }

  /** Whether these can be tried as a login there; asks nobody. @throws HitchError as {@link login} */
  checkLogin(id: ProviderId, values: LoginValues): void {
    const provider = this.#provider(id);
    const names = needsOf(provider).fields.map(({ name }) => name);
    const unknown = Object.keys(values).find(name => !names.includes(name));
    const missing = names.find(name => (values[name] ?? '').trim() === '');
    if (unknown !== undefined || missing !== undefined) {
      throw new HitchError(
        'BAD_INPUT',
        unknown === undefined
          ? `The login of ${provider.title} is not complete: ${missing ?? ''} is missing.`
          : `The login of ${provider.title} has no field ${unknown}.`,
        { field: `values.${unknown ?? missing ?? ''}`, next: `Give: ${names.join(', ')}.` },
      );
    }
  }

  #loginOf(provider: Provider, needs: LoginNeeds): Login {
    const { logins, calls, keys } = this.#options;
    const keptIn = logins.keptIn(provider.id);
    const problem = keptIn === null ? null : calls.loginProblem(provider);
    const left = keptIn === null ? leftWords(provider, keys.leftOn(provider.id)) : null;
    return {
      state: keptIn === null ? 'absent' : problem === null ? 'present' : 'refused',
      fields: [...needs.fields],
      neededFor: needs.needed,
      scopes: [...needs.scopes],
      keptIn,
      variables: { ...needs.variables },
      problem: problem === null ? left : logins.mask(problem),
    };
  }

  /** What the network says of a login before it is kept; null: it cannot be asked. */
  async #tried(provider: Provider, values: LoginValues) {
    const { calls } = this.#options;
    const account = provider.account?.bind(provider);
    if (account === undefined) {
      return null;
    }
    try {
      return await calls.withLogin(provider, 'account', values, signal => account(signal, values));
    } catch (error) {
      throw this.#sentence(provider, error, values);
    }
  }

  async #checkSame(provider: Provider, tried: Tried): Promise<void> {
    try {
      await checkSameAccount(this.#options, provider, tried);
    } catch (error) {
      throw error instanceof HitchError ? error : this.#sentence(provider, error, tried.values);
    }
  }

  #sentence(provider: Provider, error: unknown, values: LoginValues = {}): HitchError {
    const words = this.#options.logins.mask(errorText(error), values);
    const isRefused = error instanceof ProviderError && error.kind === 'auth';
    return isRefused && error.lacks === 'login'
      ? new HitchError('LOGIN_NEEDED', words, {
          next: `Check the login, and log in again: hitch networks login ${provider.id}`,
        })
      : new HitchError(isRefused ? 'FUNDS_TOO_LOW' : 'PROVIDER_ERROR', words, {
          next: `Try again in a minute, or look at ${provider.title} itself.`,
        });
  }

  #provider(id: ProviderId): Provider {
    const provider = this.#options.providers.get(id);
    if (provider === undefined) {
      const ids = [...this.#options.providers.keys()];
      throw new HitchError('NOT_FOUND', `There is no network “${id}” here.`, {
        field: 'provider',
        next: `Choose from: ${ids.join(', ')}.`,
      });
    }
    return provider;
  }
}

function leftWords({ title }: Provider, names: readonly string[]): string | null {
  const [first, ...more] = names;
  if (first === undefined) {
    return null;
  }
  return more.length === 0
    ? `An SSH key that Hitch put on the account is left there: ${first}. Log in again to have it removed, or remove it at ${title}.`
    : `SSH keys that Hitch put on the account are left there: ${names.join(', ')}. Log in again to have them removed, or remove them at ${title}.`;
}

const trimmed = (values: LoginValues): LoginValues =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim()]));

/** @throws HitchError CONFLICT */
function needsOf({ title, login }: Provider): LoginNeeds {
  if (login === null) {
    throw new HitchError('CONFLICT', `${title} needs no login.`, { field: 'provider' });
  }
  return login;
}
