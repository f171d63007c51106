/** A real adapter whose machines stand in a run's book of addresses: what it says of where they are is replaced. */
import type { Instance, Provider } from '../../../backend-proxy/src/providers/provider.ts';
import type { Place } from '../ssh/address-book.ts';

/** Where one of an instance's machines is; null: it does not run. */
export type PlaceOf = (instanceId: string, rank: number) => Place | null;

/** @param onSeen is told of what daemons are told of. */
export function addressed(
  adapter: Provider,
  placeOf: PlaceOf,
  list: Provider['list'],
  onSeen: (instance: Instance) => void,
): Provider {
  const { id, title, kind, verifiedLive, capabilities, accountKeys } = adapter;
  const placed = (instance: Instance): Instance => {
    onSeen(instance);
    return withPlaces(instance, placeOf);
  };
  return {
    id,
    title,
    kind,
    verifiedLive,
    capabilities,
    login: null,
    offers: (signal, nextPage) => adapter.offers(signal, nextPage),
    create: async (request, signal) => placed(await adapter.create(request, signal)),
    get: async (instanceId, signal) => placed(await adapter.get(instanceId, signal)),
    list: async (signal, nextPage) => (await list(signal, nextPage)).map(placed),
    destroy: (instanceId, signal) => adapter.destroy(instanceId, signal),
    ...(accountKeys === undefined ? {} : { accountKeys }),
    ...powersOf(adapter, placed),
  };
}

/** What only some networks can do. @param placed what is made of each machine that they answer with */
export function powersOf(
  adapter: Provider,
  placed: (instance: Instance) => Instance,
): Pick<
  Provider,
  | 'price'
  | 'markOf'
  | 'advance'
  | 'history'
  | 'buyTime'
  | 'letIn'
  | 'listNear'
  | 'listLeftOut'
  | 'offersLeftOut'
  | 'offerStays'
> {
  return {
    ...(adapter.listNear === undefined
      ? {}
      : { listNear: async (...args) => ((await adapter.listNear?.(...args)) ?? missing()).map(placed) }),
    ...(adapter.listLeftOut === undefined ? {} : { listLeftOut: () => adapter.listLeftOut?.() ?? null }),
    ...(adapter.offersLeftOut === undefined
      ? {}
      : { offersLeftOut: () => adapter.offersLeftOut?.() ?? null }),
    ...(adapter.offerStays === undefined
      ? {}
      : { offerStays: offer => adapter.offerStays?.(offer) === true }),
    ...(adapter.price === undefined
      ? {}
      : { price: async (...args) => (await adapter.price?.(...args)) ?? missing() }),
    ...(adapter.markOf === undefined ? {} : { markOf: request => adapter.markOf?.(request) ?? missing() }),
    ...(adapter.advance === undefined
      ? {}
      : { advance: async (...args) => placed((await adapter.advance?.(...args)) ?? missing()) }),
    ...(adapter.history === undefined
      ? {}
      : { history: async (...args) => (await adapter.history?.(...args)) ?? missing() }),
    ...(adapter.buyTime === undefined
      ? {}
      : { buyTime: async (...args) => placed((await adapter.buyTime?.(...args)) ?? missing()) }),
    ...(adapter.letIn === undefined
      ? {}
      : { letIn: async (...args) => (await adapter.letIn?.(...args)) ?? undefined }),
  };
}

const withPlaces = (instance: Instance, placeOf: PlaceOf): Instance => ({
  ...instance,
  members: instance.members.map(member => ({
    ...member,
    ssh: member.status === 'running' ? placeOf(instance.id, member.rank) : null,
  })),
});

function missing(): never {
  throw new Error('There is no such power.');
}
