/** The networks as clients see them: what they can do, whether they are ready, how old their offers are. */
import type { ProviderInfo } from '@hitch/contract';
import type { OfferBook } from '../offers/offer-book.ts';
import type { LoginState, Provider } from '../providers/provider.ts';

export function providerList(
  providers: Iterable<Provider>,
  book: OfferBook,
  logins: LoginState,
): readonly ProviderInfo[] {
  const sources = new Map(book.sources().map(source => [source.provider, source]));
  return [...providers].map(provider => {
    const source = sources.get(provider.id);
    return {
      id: provider.id,
      title: provider.title,
      kind: provider.kind,
      enabled: true,
      credentials: provider.login === null ? 'not_needed' : logins.has(provider.id) ? 'present' : 'absent',
      verifiedLive: provider.verifiedLive,
      ...(provider.notRentable === undefined ? {} : { notRentable: provider.notRentable }),
      capabilities: {
        ...provider.capabilities,
        extend: provider.extend !== undefined,
        account: provider.account !== undefined,
      },
      offers: source?.count ?? 0,
      fetchedAtMs: source?.fetchedAtMs ?? null,
      problem: source?.problem ?? null,
    };
  });
}
