/**
 * The daemon, a table of contents. It takes the store (whoever holds it is the daemon), remembers every cluster from
 * it, knows the networks and what they offer, moves the clusters forward, relays notebooks to them, and answers the
 * clients over loopback. It can be killed at any line: the next one goes on from the store.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { clusterIdSchema, environmentRequestSchema, HitchError, PROTOCOL } from '@hitch/contract';
import { agentPort } from './access/agent-port.ts';
import type { Patience } from './access/patience.ts';
import { createRelay } from './access/relay.ts';
import { SshHosts } from './access/ssh/hosts.ts';
import { sshPart } from './access/ssh/user-config.ts';
import { linkTo, sshLink } from './api/agent-calls.ts';
import { Approvals } from './approvals/approvals.ts';
import { createApiServer } from './api/server.ts';
import { Copies } from './copies/copies.ts';
import { EnvironmentLocks } from './clusters/environment-locks.ts';
import { createClusters } from './clusters/create-clusters.ts';
import { Jobs } from './jobs/jobs.ts';
import { TemplateDrafts } from './jobs/template-drafts.ts';
import { createRenting } from './jobs/rented/compose.ts';
import { removeDiscovery, writeDiscovery } from '@hitch/client-node/src/discovery.ts';
import { checksOfAll } from './daemon/checks.ts';
import { runDoctor } from './daemon/doctor.ts';
import { agentBundlePath, hitchProgramPath } from './daemon/files.ts';
import { patienceFrom } from './daemon/patience.ts';
import { listenOnKeptPort } from './daemon/port.ts';
import { clusterUrlsOf } from './daemon/cluster-urls.ts';
import { portsOf } from './daemon/ports.ts';
import { prepareHome } from '@hitch/client-node/src/prepare-home.ts';
import { providerList } from './daemon/provider-list.ts';
import { becomeTheDaemon } from './daemon/singleton.ts';
import { type TakenStore, takeStore } from './daemon/take-store.ts';
import { VERSION } from '@hitch/platform/src/version.ts';
import { createNetworks } from './networks/create-networks.ts';
import { KeptOffers } from './offers/kept-offers.ts';
import { OfferBook } from './offers/offer-book.ts';
import { Presets } from './offers/presets.ts';
import { OfferRefresh } from './offers/refresh.ts';
import { Locks } from './machines/environments/locks.ts';
import { FarHosts } from './machines/far/far-hosts.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { keepTime, steadyClockBeside } from '@hitch/platform/src/kept-time.ts';
import { createLog, type Log } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { watchEventLoop } from '@hitch/platform/src/event-loop.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import { DiskReserve, withRoom } from '@hitch/platform/src/reserve.ts';
import { isLoggedInSomewhere, lacksLogin } from './providers/provider.ts';
import { buildProviders, providerSettingsFrom, type ProviderSettings } from './providers/registry.ts';
import { systemKeychain } from './secrets/keychain.ts';
import { Logins } from './secrets/logins.ts';
import { SecretStore } from './secrets/secret-store.ts';
import { purchasesOnDisk } from './store/purchase-file.ts';
import { PurchaseLog } from './store/purchase-log.ts';
import { createTemplates, policiesOf } from './templates/compose.ts';

const LOG_MAX_BYTES = 8 * 1024 * 1024;

export interface DaemonOptions {
  readonly home: Home;
  readonly environment: NodeJS.ProcessEnv;
  /** Another version than this program's: for tests of the hand-over. */
  readonly version?: string;
}

export interface RunningDaemon {
  readonly port: number;
  /** Ends it: requests under way finish, sockets close with 1012, the store is let go. No cluster is touched. */
  stop(): Promise<void>;
  /** Resolves once it has ended, whoever asked. */
  readonly ended: Promise<unknown>;
}

/** @throws AlreadyRunning when another daemon does the work; HitchError with a sentence for all else. */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const { home, environment, version = VERSION } = options;
  const settings = providerSettingsFrom(environment);
  const patience = patienceFrom(environment);

  prepareHome(home);
  const log = createLog({
    file: join(home.logs, 'daemon.log'),
    level: environment['HITCH_LOG_LEVEL'] ?? 'info',
    maxBytes: LOG_MAX_BYTES,
  });

  const clock = steadyClockBeside(home.clock);
  const reserve = new DiskReserve(home.reserve, log);
  const { taken, purchaseLog } = await becomeTheDaemon({
    home,
    version,
    clock,
    log,
    open: async () => {
      const purchaseLog = new PurchaseLog(purchasesOnDisk(home.purchases), log);
      return { purchaseLog, taken: await takeStore({ home, clock, log, reserve, purchaseLog }) };
    },
  });
  const { store } = taken;
  keepTime(clock, home.clock, log);
  log.info('The daemon has the store', { version, pid: process.pid, home: home.root });
  try {
    return await compose({
      home,
      environment,
      version,
      settings,
      patience,
      log,
      clock,
      taken,
      purchaseLog,
      reserve,
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Ground {
  readonly home: Home;
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  readonly settings: ProviderSettings;
  readonly patience: Patience;
  readonly log: Log;
  readonly clock: Clock;
  readonly taken: TakenStore;
  readonly purchaseLog: PurchaseLog;
  readonly reserve: DiskReserve;
}

/** Builds every part on the store, wires them, and listens. */
async function compose(ground: Ground): Promise<RunningDaemon> {
  const { home, environment, version, settings, patience, log, clock, taken, purchaseLog, reserve } = ground;
  const { store } = taken;
  const ids = createIds(clock, systemRandom);

  const keychain = systemKeychain(keychainName(home), clock);
  const secrets = new SecretStore(home.secrets, keychain);

  const logins = new Logins(
    new SecretStore(home.logins, systemKeychain(`${keychainName(home)}-logins`, clock)),
  );
  const providers = buildProviders(settings, { home, clock, login: id => logins.values(id) });
  const book = new OfferBook({
    loggedIn: () => isLoggedInSomewhere(providers.all.values(), logins),
    titleOf: id => providers.all.get(id)?.title ?? id,
    lacksLogin: id => {
      const provider = providers.all.get(id);
      return provider !== undefined && lacksLogin(provider, logins, 'rent');
    },
  });

  const sshHosts = new SshHosts({
    home,
    log,
    program: { node: process.execPath, hitch: hitchProgramPath(), environment },
  });

  rmSync(home.copies, { recursive: true, force: true });
  const copies = new Copies({
    clock,
    ids,
    log,
    folder: home.copies,
    linkFor: id => linkTo(clusters.service, id),
  });
  const locks = new Locks(home.locks);
  const policies = policiesOf(home);
  const clusters = await createClusters({
    clock,
    random: systemRandom,
    ids,
    log,
    home,
    store,
    snapshot: taken.snapshot,
    ...(taken.lost === null ? {} : { lost: taken.lost }),
    purchaseLog,
    reserve,
    providers: [...providers.all.values()],
    openAgent: link => providers.agentAt(link.address) ?? agentPort(link),
    logins,
    offers: book,
    agentBundlePath: agentBundlePath(),
    secrets: names => secrets.values(names),
    webhookUrl: environment['HITCH_WEBHOOK'] ?? null,
    busy: settings.busy,
    patience,
    ssh: sshHosts,
    far: new FarHosts({
      shells: providers.shells,
      clock,
      ownTarget: providers.ownTarget,
      folder: join(home.ssh, 'far'),
      keyOf: sshHosts.files.identity,
      webProxy: sshHosts.files.webProxy,
    }),
    locks,
    policies,
    saves: copies,
    endJobs: id => jobs.endAll(id),
  });
  const jobs = new Jobs({
    clock,
    ids,
    log,
    ledger: clusters.ledger,
    folder: home.jobs,
    linkFor: id => linkTo(clusters.service, id),
  });
  book.useHistories(clusters.histories);
  const refresh = new OfferRefresh({
    clock,
    log,
    book,
    calls: clusters.calls,
    providers: [...providers.all.values()],
    logins,
    kept: new KeptOffers({ folder: home.offers, log }),
  });
  const environments = new EnvironmentLocks({
    locks,
    local: providers.machines.environments,
    clusterOf: id => clusters.service.get(id),
  });
  const { templates, close: closeTemplates } = createTemplates({
    ...{ home, environment, hitch: version, clock, ids, log, policies },
    offers: filter => book.every(filter),
  });
  const renting = createRenting({
    clock,
    ids,
    log,
    ledger: clusters.ledger,
    folder: home.jobs,
    clusters: clusters.service,
    copies,
    templates,
    environment,
    web: providers.web,
    linkFor: id => linkTo(clusters.service, id),
    fresh: () => refresh.fresh(),
    secrets: names => secrets.values(names),
    lock: (request, signal) => environments.lock(environmentRequestSchema.parse(request), null, signal),
  });
  const networks = createNetworks({ clock, ids, log, providers, book, logins, clusters, refresh });
  const urls = clusterUrlsOf({ file: home.clusterUrls, ids, log, clusters });
  const relay = createRelay({
    clock,
    log,
    answerMs: patience.answerMs,
    linkFor: id => {
      const parsed = clusterIdSchema.safeParse(id);
      if (!parsed.success) {
        throw new HitchError('NOT_FOUND', 'There is no such cluster.');
      }
      return linkTo(clusters.service, parsed.data);
    },
    sshLinkFor: alias => sshLink(clusters.service, alias),
  });

  const loop = watchEventLoop();
  const startedAtMs = clock.now();
  const [token, pageToken, challengeKey] = [ids.secret(), ids.secret(), ids.secret()];
  const ended = Promise.withResolvers<undefined>();
  let port = 0;
  const origin = (): string => `http://127.0.0.1:${port.toString()}`;
  const approvals = new Approvals({
    clusters: clusters.service,
    jobs: renting.quotes,
    networks,
    clock,
    ids,
    log,
    origin,
  });
  const api = createApiServer({
    clock,
    log,
    version,
    token,
    pageToken,
    challengeKey,
    answerMs: patience.answerMs,
    parts: {
      clusters: clusters.service,
      approvals,
      copies,
      jobs,
      jobQuotes: renting.quotes,
      offers: {
        look: () => refresh.look(),
        fresh: () => refresh.fresh(),
        query: query => book.query(query),
        refresh: provider => refresh.now(provider),
      },
      presets: new Presets(home.presets),
      providers: () => providerList(providers.all.values(), book, logins),
      environments,
      networks,
      templates,
      drafts: new TemplateDrafts({
        ledger: clusters.ledger,
        clusters: clusters.service,
        lockOf: id => locks.get(id),
        templates,
      }),
      secrets,
      ssh: sshPart(sshHosts),
      relay,
      urls,
      origin,
      ports: portsOf({ clock, log, ids, clusters, port: () => port }),
      info: () => ({
        version,
        protocol: PROTOCOL,
        pid: process.pid,
        startedAtMs,
        nowMs: clock.now(),
        home: home.root,
        platform: process.platform,
        nodeVersion: process.versions.node,
        eventLoopDelayP99Ms: loop.p99Ms(),
        notices: [...clusters.notices()],
      }),
      doctor: signal =>
        runDoctor(
          {
            home,
            keychain,
            port: () => port,
            namedPython: settings.python,
            more: () => checksOfAll(networks, clusters, clock),
          },
          signal,
        ),
      stop: () => void stop(),
    },
  });

  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= end());
  const end = async (): Promise<void> => {
    log.info('The daemon ends; clusters keep running', { pid: process.pid });
    if (!reserve.isGiven) {
      // On a full disk the next daemon needs the room that the file takes; that its process is gone is seen.
      removeDiscovery(home, process.pid);
    }
    refresh.stop();
    await api.close();
    await refresh.close();
    renting.close();
    closeTemplates();
    jobs.close();
    clusters.close();
    copies.close();
    await networks.machines.close();
    await providers.close();
    // Last of all: whoever takes over waits for this lock.
    await store.close();
    ended.resolve(undefined);
  };

  try {
    refresh.start();
    jobs.start();
    renting.start();
    void clusters.bills.watch();
    port = await listenOnKeptPort(home, wanted => api.listen(wanted), log);
    const discovery = {
      protocol: PROTOCOL,
      version,
      pid: process.pid,
      port,
      token,
      pageToken,
      challengeKey,
      startedAtMs,
    };
    withRoom(reserve, () => writeDiscovery(home, discovery));
    reserve.keep();
    log.info('The daemon listens', { port });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop, ended: ended.promise };
}

/** What this home's entries in the keychain stand under. */
const keychainName = (home: Home): string =>
  `hitch-${createHash('sha256').update(home.root).digest('hex').slice(0, 10)}`;
