/** A real adapter whose machines are records, which no key opens and which are reached as records are. */
import type { Instance, Provider } from '../../backend-proxy/src/providers/provider.ts';
import { powersOf } from '../chaos/networks/addressed.ts';

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
    ...powersOf(adapter, inside),
  };
}

export const inside = (instance: Instance): Instance => ({
  ...instance,
  members: instance.members.map(member => ({ ...member, ssh: null })),
});
