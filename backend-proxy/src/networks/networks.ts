/** Networks as people look after them: who is logged in where, what is left, how often may be asked, and own machines. */
import { HitchError, type NetworkInfo, type NetworkTest, type ProviderId } from '@hitch/contract';
import type { OfferBook } from '../offers/offer-book.ts';
import type { Provider } from '../providers/provider.ts';
import type { OwnMachineTasks } from './own-machine-tasks.ts';

export interface NetworksOptions {
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly book: Pick<OfferBook, 'sources'>;
  readonly machines: OwnMachineTasks;
}

export class Networks {
  readonly machines: OwnMachineTasks;
  readonly #options: NetworksOptions;

  constructor(options: NetworksOptions) {
    this.#options = options;
    this.machines = options.machines;
  }

  /** Answers from memory. @throws HitchError when the list of machines cannot be read. */
  list(): readonly NetworkInfo[] {
    const sources = new Map(this.#options.book.sources().map(source => [source.provider, source]));
    return [...this.#options.providers.values()].map(provider => {
      const source = sources.get(provider.id);
      return {
        id: provider.id,
        title: provider.title,
        kind: provider.kind,
        verifiedLive: provider.verifiedLive,
        login: null,
        account: null,
        limits: [],
        bills: [],
        machines: this.machines.of(provider.id),
        offers: source?.count ?? 0,
        fetchedAtMs: source?.fetchedAtMs ?? null,
        problem: source?.problem ?? null,
      };
    });
  }

  /** @throws HitchError NOT_FOUND, or CONFLICT for one that needs no login. */
  login(id: ProviderId, _values: Readonly<Record<string, string>>): Promise<NetworkTest> {
    return Promise.reject(needsNone(this.#provider(id)));
  }

  /** @throws HitchError as {@link login} */
  logout(id: ProviderId): Promise<void> {
    return Promise.reject(needsNone(this.#provider(id)));
  }

  /** @throws HitchError as {@link login} */
  test(id: ProviderId): Promise<NetworkTest> {
    return Promise.reject(needsNone(this.#provider(id)));
  }

  /** @throws HitchError NOT_FOUND */
  titleOf(id: ProviderId): string {
    return this.#provider(id).title;
  }

  /** Whether these can be tried as a login there; asks nobody. @throws HitchError as {@link login} */
  checkLogin(id: ProviderId, _values: Readonly<Record<string, string>>): void {
    throw needsNone(this.#provider(id));
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

const needsNone = ({ title }: Provider): HitchError =>
  new HitchError('CONFLICT', `${title} needs no login.`, { field: 'provider' });
