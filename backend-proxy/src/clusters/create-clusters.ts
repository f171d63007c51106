/** Builds the cluster side: records from the store, reconcilers over them, the service before them. */
import type { ProviderId } from '@hitch/contract';
import { agentPort } from '../access/agent-port.ts';
import { Links, type OpenAgent } from '../access/links.ts';
import type { SshHosts } from '../access/ssh/hosts.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Home } from '../platform/paths.ts';
import type { Ids, Random } from '../platform/random.ts';
import type { Provider } from '../providers/provider.ts';
import type { OfferSource } from '../spend/quotes.ts';
import type { Store } from '../store/store.ts';
import { createBootstrap } from './bootstrap.ts';
import { Calls } from './calls.ts';
import { createClusterService } from './cluster-service.ts';
import { createEngine } from './engine.ts';
import { EventLog } from './event-log.ts';
import { createExpiry } from './expiry.ts';
import { createHealth } from './health.ts';
import { createLaunch } from './launch.ts';
import { Lists } from './lists.ts';
import type { Parts } from './parts.ts';
import { createQuarantine } from './quarantine.ts';
import { Runner } from './runner.ts';
import { createSave } from './save.ts';
import type { ClusterService } from './service.ts';
import { createSsh } from './ssh.ts';
import { sweepForEver } from './sweep.ts';
import { createTeardown } from './teardown.ts';
import { World } from './world.ts';

export interface ClusterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly home: Home;
  readonly store: Store;
  readonly providers: readonly Provider[];
  readonly offers: OfferSource;
  readonly agentBundlePath: string;
  readonly secrets?: Parts['secrets'];
  readonly webhookUrl?: string | null;
  /** Machines that `ssh` is led to; left out: none. */
  readonly ssh?: SshHosts;
  readonly saves: Parts['saves'];
  /** A stand-in for tests. */
  readonly openAgent?: OpenAgent;
}

export interface Clusters {
  readonly service: ClusterService;
  /** Ends every wait and call here. Machines keep running; their agents keep the limits. */
  close(): void;
}

/** Loads the records and sets everything to work on them. @throws HitchError as `Store.load` does. */
export async function createClusters(options: ClusterOptions): Promise<Clusters> {
  const { clock, log, store } = options;
  const providers = new Map<ProviderId, Provider>(options.providers.map(provider => [provider.id, provider]));
  const snapshot = await store.load();
  const titleOf = (id: ProviderId) => providers.get(id)?.title ?? id;
  const world = new World({ clock, store, snapshot, titleOf });
  const end = new AbortController();
  const calls = new Calls(clock, end.signal);
  const runner = new Runner({ clock, log, world });
  const parts: Parts = {
    clock,
    random: options.random,
    ids: options.ids,
    log,
    home: options.home,
    world,
    runner,
    calls,
    lists: new Lists(clock, calls),
    links: new Links(clock, options.openAgent ?? agentPort),
    providers,
    underWay: new Set(),
    agentConfigs: new Map(),
    live: new Map(),
    lastBusy: new Map(),
    agentBundlePath: options.agentBundlePath,
    secrets: options.secrets ?? (() => Promise.resolve({})),
    saves: options.saves,
    webhookUrl: options.webhookUrl ?? null,
    ending: end.signal,
  };
  const events = new EventLog(world, store);
  addReconcilers(parts);
  if (options.ssh !== undefined) {
    options.ssh.start(
      new Set([...world.states()].flatMap(({ cluster }) => (cluster.desired === 'up' ? [cluster.id] : []))),
    );
    runner.add(createSsh(parts, options.ssh));
  }
  runner.start();
  void sweepForEver(parts);
  return {
    service: createClusterService({ parts, store, events, offers: options.offers }),
    close() {
      runner.stop();
      end.abort(new Error('the daemon ends'));
      parts.links.closeAll();
    },
  };
}

function addReconcilers(parts: Parts): void {
  parts.runner.add(createTeardown(parts));
  parts.runner.add(createExpiry(parts));
  parts.runner.add(createQuarantine(parts));
  parts.runner.add(createLaunch(parts));
  parts.runner.add(createBootstrap(parts));
  parts.runner.add(createHealth(parts));
  parts.runner.add(createEngine(parts));
  parts.runner.add(createSave(parts));
}
