/** A real adapter whose machines are records, which no key opens and which are reached as records are. */
import type { Instance, Provider } from '../../../backend-proxy/src/providers/provider.ts';

type Ways = Required<Pick<Provider, 'host' | 'dial' | 'list'>>;

export function insideOut(adapter: Provider, ways: Ways): Provider {
  const { id, title, kind, verifiedLive, capabilities } = adapter;
  return {
    id,
    title,
    kind,
    verifiedLive,
    capabilities: { ...capabilities, sshKeys: 'none', bootSecret: false },
    login: null,
    offers: (signal, nextPage) => adapter.offers(signal, nextPage),
    create: async (request, signal) => inside(await adapter.create(request, signal)),
    get: async (instanceId, signal) => inside(await adapter.get(instanceId, signal)),
    destroy: (instanceId, signal) => adapter.destroy(instanceId, signal),
    ...ways,
    ...powersOf(adapter),
  };
}

/** What only some networks can do. */
function powersOf(adapter: Provider): Pick<Provider, 'price' | 'markOf' | 'advance' | 'history' | 'buyTime'> {
  return {
    ...(adapter.price === undefined
      ? {}
      : { price: async (...args) => (await adapter.price?.(...args)) ?? missing() }),
    ...(adapter.markOf === undefined ? {} : { markOf: request => adapter.markOf?.(request) ?? missing() }),
    ...(adapter.advance === undefined
      ? {}
      : { advance: async (...args) => inside((await adapter.advance?.(...args)) ?? missing()) }),
    ...(adapter.history === undefined
      ? {}
      : { history: async (...args) => ((await adapter.history?.(...args)) ?? missing()).map(inside) }),
    ...(adapter.buyTime === undefined
      ? {}
      : { buyTime: async (...args) => inside((await adapter.buyTime?.(...args)) ?? missing()) }),
  };
}

export const inside = (instance: Instance): Instance => ({
  ...instance,
  members: instance.members.map(member => ({ ...member, ssh: null })),
});

function missing(): never {
  throw new Error('There is no such power.');
}
