/** The networks of a daemon: what clients ask about them, over the adapters, the logins and the clusters rented there. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import type { Clusters } from '../clusters/create-clusters.ts';
import type { OfferBook } from '../offers/offer-book.ts';
import type { OfferRefresh } from '../offers/refresh.ts';
import type { Providers } from '../providers/registry.ts';
import type { Logins } from '../secrets/logins.ts';
import { Networks } from './networks.ts';
import { OwnMachineTasks } from './own-machine-tasks.ts';
import { Recordings } from './recordings.ts';

export interface NetworksGround {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly providers: Providers;
  readonly book: OfferBook;
  readonly logins: Logins;
  readonly clusters: Clusters;
  readonly refresh: OfferRefresh;
}

export function createNetworks(ground: NetworksGround): Networks {
  const { clock, ids, log, providers, book, logins, clusters, refresh } = ground;
  return new Networks({
    log,
    providers: providers.all,
    book,
    logins,
    calls: clusters.calls,
    accounts: clusters.accounts,
    billsOf: id => clusters.bills.of(id),
    notOursOf: id => clusters.notOurs(id),
    keys: clusters.keys,
    lookAtBills: provider => clusters.bills.lookAt(provider),
    recordings: new Recordings({ clock, providers: providers.all, recorder: providers.recorder, logins }),
    adapterWith: providers.adapterWith,
    onLogin: id => {
      void refresh.now(id);
      clusters.lookAtAccount(id);
    },
    machines: new OwnMachineTasks({
      clock,
      ids,
      log,
      machines: providers.ownMachines,
      onChange: () => refresh.now(providers.ownMachines?.network),
    }),
  });
}
