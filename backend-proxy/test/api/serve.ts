/** The API on a real port, over fakes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchClient, HitchError, PROTOCOL } from '@hitch/contract';
import { ClusterUrls } from '../../src/access/cluster-urls.ts';
import { createPorts } from '../../src/access/ports/ports.ts';
import { createRelay } from '../../src/access/relay.ts';
import { SshHosts } from '../../src/access/ssh/hosts.ts';
import { sshPart } from '../../src/access/ssh/user-config.ts';
import { linkTo } from '../../src/api/agent-calls.ts';
import type { ApiParts } from '../../src/api/parts.ts';
import { createApiServer, type Slowest } from '../../src/api/server.ts';
import { Approvals } from '../../src/approvals/approvals.ts';
import type { JobQuotes } from '../../src/jobs/rented/job-quotes.ts';
import { Copies } from '../../src/copies/copies.ts';
import { type Clock, systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { Networks } from '../../src/networks/networks.ts';
import { Recordings } from '../../src/networks/recordings.ts';
import { Recorder } from '../../src/providers/recorder.ts';
import { OwnMachineTasks } from '../../src/networks/own-machine-tasks.ts';
import { RateLimiter } from '../../src/clusters/rate-limiter.ts';
import { Logins } from '../../src/secrets/logins.ts';
import { SecretStore } from '../../src/secrets/secret-store.ts';
import { MemoryKeychain } from '../secrets/memory-keychain.ts';
import { OfferBook } from '../../src/offers/offer-book.ts';
import { Presets } from '../../src/offers/presets.ts';
import { createTemplates } from '../../src/templates/compose.ts';
import { ids, offer, START_MS } from '../store/records.ts';
import { FakeClusters, parseClusterId } from './fake-clusters.ts';

export const TOKEN = 'token-of-this-start';
export const PAGE_TOKEN = 'token-of-pages';
export const CHALLENGE_KEY = 'key-of-this-start';

/** Networks where there are none. */
export const noNetworks = (clock: Clock, book = new OfferBook()): Networks =>
  new Networks({
    log: silentLog,
    providers: new Map(),
    book,
    logins: new Logins(new SecretStore('/nonexistent/logins.json', new MemoryKeychain())),
    calls: new RateLimiter(clock, new AbortController().signal, silentLog),
    accounts: {
      shown: () => null,
      ask: async () => undefined,
      say: () => undefined,
      forget: () => undefined,
      standing: () => [],
    },
    billsOf: () => [],
    notOursOf: () => [],
    keys: { takeOut: () => Promise.resolve(), leftOn: () => [] },
    lookAtBills: () => Promise.resolve(),
    recordings: new Recordings({
      clock,
      providers: new Map(),
      recorder: new Recorder(clock),
      logins: { maskAll: text => text },
    }),
    adapterWith: provider => provider,
    onLogin: () => undefined,
    machines: new OwnMachineTasks({
      clock,
      ids,
      log: silentLog,
      machines: null,
      onChange: () => Promise.resolve(),
    }),
  });

const noJob = (): never => {
  throw new HitchError('NOT_FOUND', 'There is no such job.');
};

/** Jobs where there are none. */
export const noJobs: ApiParts['jobs'] = {
  begin: noJob,
  list: () => Promise.resolve([]),
  get: noJob,
  stop: noJob,
  again: noJob,
  ofRay: () => Promise.resolve({ jobs: [], more: 0 }),
  log: noJob,
  openLog: noJob,
  search: noJob,
  metrics: noJob,
  metricPoints: noJob,
};

/** Jobs that rent where there are none. */
export const noJobQuotes: ApiParts['jobQuotes'] & Pick<JobQuotes, 'get'> = {
  quote: noJob,
  approve: noJob,
  discard: () => Promise.resolve(),
  get: noJob,
};

export async function serve(port = 0, clock: Clock = systemClock, slowest: Partial<Slowest> = {}) {
  const clusters = new FakeClusters();
  const book = new OfferBook();
  book.replace('sandbox', [offer], START_MS);
  const stopped = { asked: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'hitch-serve-'));
  const copies = new Copies({
    clock,
    ids,
    log: silentLog,
    folder: join(folder, 'copies'),
    linkFor: id => linkTo(clusters, id),
  });
  const secrets = new Map<string, string>();
  const urls = new ClusterUrls({
    file: join(folder, 'cluster-urls.json'),
    ids,
    log: silentLog,
    isOpen: id => clusters.get(id).endedAtMs === null,
    onChange: () => undefined,
  });
  const networks = noNetworks(clock, book);
  const { templates } = createTemplates({
    home: homeAt(folder),
    environment: process.env,
    hitch: '0.1.0',
    clock,
    ids,
    log: silentLog,
    policies: { read: () => Promise.resolve([]) },
    offers: () => [],
  });
  const approvals = new Approvals({
    clusters,
    jobs: noJobQuotes,
    networks,
    clock,
    ids,
    log: silentLog,
    origin: () => `http://127.0.0.1:${listening.toString()}`,
  });
  const server = createApiServer({
    clock: systemClock,
    log: silentLog,
    version: '0.1.0',
    token: TOKEN,
    pageToken: PAGE_TOKEN,
    challengeKey: CHALLENGE_KEY,
    slowest,
    parts: {
      clusters,
      approvals,
      copies,
      jobs: noJobs,
      jobQuotes: noJobQuotes,
      offers: {
        look: async () => undefined,
        fresh: async () => undefined,
        query: query => book.query(query),
        refresh: async () => undefined,
      },
      presets: new Presets(join(folder, 'presets.yaml')),
      providers: () => [],
      networks,
      environments: {
        find: () => Promise.resolve({ files: [], notes: [] }),
        lock: () => Promise.resolve({ environment: null, problems: [] }),
        get: () => {
          throw new HitchError('NOT_FOUND', 'The fake daemon has no locks.');
        },
        clean: () => Promise.resolve({ removed: 0, freedBytes: 0 }),
      },
      templates,
      drafts: { write: noJob },
      secrets: {
        list: async () => ({ names: [...secrets.keys()], kind: 'keychain', warning: null }),
        set: async (name, value) => void secrets.set(name, value),
        remove: async name => void secrets.delete(name),
      },
      ssh: sshPart(
        new SshHosts({
          home: homeAt('/nonexistent/hitch'),
          log: silentLog,
          program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
        }),
        '/nonexistent',
      ),
      relay: createRelay({
        clock: systemClock,
        log: silentLog,
        linkFor: id => clusters.nodeLink(parseClusterId(id), 0),
      }),
      urls,
      origin: () => `http://127.0.0.1:${listening.toString()}`,
      ports: createPorts({
        clock,
        log: silentLog,
        secret: () => ids.secret(),
        port: () => listening,
        linkFor: (id, nodeIndex) => linkTo(clusters, id, nodeIndex),
        rayToken: () => 'token-of-ray',
      }),
      info: () => ({
        version: '0.1.0',
        protocol: PROTOCOL,
        pid: process.pid,
        startedAtMs: START_MS,
        nowMs: START_MS,
        home: '/home',
        platform: process.platform,
        nodeVersion: process.versions.node,
        notices: [],
        eventLoopDelayP99Ms: 0,
      }),
      doctor: async () => [],
      stop: () => (stopped.asked += 1),
    },
  });
  const listening = await server.listen(port);
  const close = async (): Promise<void> => {
    copies.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const baseUrl = `http://127.0.0.1:${listening}`;
  return {
    clusters,
    approvals,
    server,
    close,
    port: listening,
    baseUrl,
    stopped,
    secrets,
    client: new HitchClient({ baseUrl, token: () => TOKEN, clientId: 'test' }),
    /** As the bridge of a Jupyter server speaks for its pages. */
    page: new HitchClient({ baseUrl, token: () => PAGE_TOKEN, clientId: 'page' }),
  };
}
export type Served = Awaited<ReturnType<typeof serve>>;
