/** Builds the cluster side: records from the store, reconcilers over them, the service before them. */
import {
  type BusyLimits,
  DEFAULT_BUSY,
  type DoctorCheck,
  HitchError,
  type NotOurs,
  type ProviderId,
} from '@hitch/contract';
import { Links, type OpenAgent } from '../access/links.ts';
import { PATIENCE, type Patience } from '../access/patience.ts';
import type { SshHosts } from '../access/ssh/hosts.ts';
import { EventLog } from '../ledger/event-log.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { Snapshot, Store } from '../ledger/store.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { Ids, Random } from '@hitch/platform/src/random.ts';
import type { DiskReserve } from '@hitch/platform/src/reserve.ts';
import { SteadyClock } from '@hitch/platform/src/steady-clock.ts';
import { type Histories, historiesOf } from '../offers/histories.ts';
import type { LoginState, Provider } from '../providers/provider.ts';
import type { OfferSource } from '../spend/fitting-offers.ts';
import { money } from '../spend/usage.ts';
import type { LostStore } from '../store/damage.ts';
import type { PurchaseLog } from '../store/purchase-log.ts';
import {
  ACCOUNT_KEYS,
  type AccountKeysOf,
  AccountKeyTurns,
  createAccountKeys,
  keysLeftOn,
  takeOutKeys,
} from './account-keys.ts';
import { Accounts } from './accounts.ts';
import { Bills } from './bills.ts';
import { createBootstrap } from './bootstrap.ts';
import { RateLimiter } from './rate-limiter.ts';
import { createClusterService } from './cluster-service.ts';
import { governed, type GovernedOptions } from './governed.ts';
import { createEngine } from './engine.ts';
import { createEnvironment, EnvironmentChanges } from './environment.ts';
import { createExpiry } from './expiry.ts';
import { Prices } from './firm-prices.ts';
import { createForget } from './forget.ts';
import { createHandshake } from './handshake.ts';
import { createHealth } from './health.ts';
import { createLaunch } from './launch.ts';
import { createLetIn } from './let-in.ts';
import { STORE_LOOK_MS } from './limits.ts';
import { createMoreTime } from './more-time.ts';
import { Lists } from './lists.ts';
import type { Parts } from './parts.ts';
import { checksOf, noticesOf } from './notices.ts';
import { createQuarantine } from './quarantine.ts';
import { noteRefs, restoreLost } from './restore.ts';
import { Runner } from './runner.ts';
import { createSave } from './save.ts';
import { askSecondSource, sayJump } from './second-source.ts';
import type { ClusterService } from './service.ts';
import { createSsh, needsKey } from './ssh.ts';
import { createSweep, SWEEP } from './sweep.ts';
import { createTellAgents, createTellNetworks } from './tell-limits.ts';
import { tellWebhook } from './tell-webhook.ts';
import { createTeardown } from './teardown.ts';
import { createWorkersBusy } from './workers-busy.ts';

/** What `ssh` is told of clusters' machines, and the keys that open them. */
export type ClusterSsh = Pick<SshHosts, 'start' | 'publicKey' | 'note' | 'forget' | 'discardKey'>;

export interface ClusterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly home: Home;
  readonly store: Store;
  readonly providers: readonly Provider[];
  /** Who is logged in where; left out: whoever has to be, is. */
  readonly logins?: LoginState;
  readonly offers: OfferSource;
  readonly agentBundlePath: string;
  readonly secrets?: Parts['secrets'];
  readonly webhookUrl?: string | null;
  readonly busy?: BusyLimits;
  readonly patience?: Patience;
  /** Machines that `ssh` is led to; left out: none. */
  readonly ssh?: ClusterSsh;
  /** Ways in to machines behind ssh; left out: none. */
  readonly far?: NonNullable<Parts['far']>;
  readonly saves: Parts['saves'];
  /** Ends the jobs of a cluster before it is saved and destroyed; left out: there are none. */
  readonly endJobs?: Parts['endJobs'];
  /** What environments of clusters' own are made from; left out: there are none. */
  readonly locks?: Parts['locks'];
  /** What a team allows; left out: nothing is forbidden. */
  readonly policies?: GovernedOptions['policies'];
  /** Room on the disk for ending what runs; left out: none. */
  readonly reserve?: DiskReserve;
  /** Where every purchase is written too; left out: nowhere but in the store. */
  readonly purchaseLog?: PurchaseLog;
  /** What the store held when it was opened; left out: it is loaded here. */
  readonly snapshot?: Snapshot;
  /** Why the store that stood here before is not the one that was opened. */
  readonly lost?: LostStore;
  /** How many of the clusters taken off the list are kept whole; left out: as many as the limits say. */
  readonly removedKept?: number;
  /** Speaks to the agent behind a link. */
  readonly openAgent: OpenAgent;
}

export interface Clusters {
  readonly ledger: Ledger;
  readonly service: ClusterService;
  /** All calls to networks, whoever makes them: what one asks is asked of all. */
  readonly calls: RateLimiter;
  /** What networks say of the accounts that are rented on. */
  readonly accounts: Accounts;
  /** What networks billed beside what was counted; nobody looks before it is told to. */
  readonly bills: Bills;
  /** What became of the purchases of each host. */
  readonly histories: Histories;
  /** What a network's list showed last that no record here speaks of. */
  /** Somebody logged in there, or out: what stands on the account is looked at, or forgotten. */
  lookAtAccount(network: ProviderId): void;
  notOurs(network: ProviderId): readonly NotOurs[];
  /** Keys for ssh that Hitch put on accounts. */
  readonly keys: AccountKeysOf;
  /** What a person has to know before anything else, a sentence each. */
  notices(): readonly string[];
  /** Doctor's: the store, and what the networks list that no record speaks of. Asks the networks. */
  checks(): Promise<readonly DoctorCheck[]>;
  /** Ends every wait and call here. Machines keep running; their agents keep the limits. */
  close(): void;
}

/** Loads the records and sets everything to work on them. @throws HitchError as `Store.load` does. */
export async function createClusters(options: ClusterOptions): Promise<Clusters> {
  const { clock, log, store } = options;
  const providers = new Map<ProviderId, Provider>(options.providers.map(provider => [provider.id, provider]));
  const snapshot = options.snapshot ?? (await store.load());
  const titleOf = (id: ProviderId) => providers.get(id)?.title ?? id;
  const ledger = new Ledger({
    clock,
    store,
    snapshot,
    titleOf,
    limitsOf: id => providers.get(id)?.capabilities.phaseLimitsMs ?? {},
    ...(options.reserve === undefined ? {} : { reserve: options.reserve }),
    onMended: ({ why, keptAs }) =>
      log.error(`The store ${why} while it was in use: it was written anew from memory.`, {
        to: keptAs ?? '',
      }),
  });
  const end = new AbortController();
  const logins: LoginState = options.logins ?? { has: () => true };
  const calls = new RateLimiter(
    clock,
    end.signal,
    log,
    (text, values) => logins.mask?.(text, values) ?? text,
  );
  const runner = new Runner({ clock, log, ledger });
  const accounts = new Accounts({ clock, calls, logins, ledger });
  const parts: Parts = {
    clock,
    random: options.random,
    ids: options.ids,
    log,
    home: options.home,
    ledger,
    runner,
    calls,
    lists: new Lists(clock, calls),
    far: options.far ?? null,
    keyOf: id =>
      options.ssh?.publicKey(id) ??
      Promise.reject(new HitchError('INTERNAL', 'There are no keys for machines behind ssh here.')),
    accountKeyTurns: new AccountKeyTurns(),
    links: new Links(options.openAgent),
    providers,
    logins,
    accounts,
    prices: new Prices({ clock, calls, providers }),
    underWay: new Map(),
    restored: new Set(),
    purchaseLog: options.purchaseLog ?? null,
    strangers: new Map(),
    agentConfigs: new Map(),
    live: new Map(),
    lastBusy: new Map(),
    time: clock instanceof SteadyClock ? clock : null,
    clockOffsets: new Map(),
    agentBundlePath: options.agentBundlePath,
    secrets: options.secrets ?? (() => Promise.resolve({})),
    locks: options.locks ?? { get: () => null },
    environmentChanges: new EnvironmentChanges(),
    saves: options.saves,
    endJobs: options.endJobs ?? (() => Promise.resolve()),
    webhookUrl: options.webhookUrl ?? null,
    busy: options.busy ?? DEFAULT_BUSY,
    patience: options.patience ?? PATIENCE,
    ending: end.signal,
  };
  const events = new EventLog(ledger, store);
  await ledger.lookAfterStore();
  await noteRefs(ledger);
  const found =
    options.purchaseLog === undefined ? [] : await restoreLost(parts, options.purchaseLog, snapshot.lastSeqs);
  options.purchaseLog?.stands(snapshot.leaseEpoch);
  addReconcilers(parts);
  runner.add(createForget(parts, options.removedKept));
  if (options.ssh !== undefined) {
    options.ssh.start(
      new Set([...ledger.states()].flatMap(state => (needsKey(state) ? [state.cluster.id] : []))),
    );
    runner.add(createSsh(parts, options.ssh));
  }
  tellWebhook(parts);
  runner.start();
  void lookAround(parts, options.reserve);
  parts.time?.onJump(jump => void sayJump(parts, jump));
  if (parts.time?.jump !== null && parts.time?.jump !== undefined) {
    void sayJump(parts, parts.time.jump);
  }
  return {
    ledger,
    calls,
    accounts,
    lookAtAccount: id => {
      runner.wake(SWEEP, id);
      runner.wake(ACCOUNT_KEYS, id);
    },
    keys: {
      takeOut: provider => takeOutKeys(parts, provider),
      leftOn: id => keysLeftOn(parts, id),
    },
    histories: historiesOf(ledger.kept),
    notOurs: id =>
      (parts.strangers.get(id) ?? []).map(({ pricePerHourMicroUsd, ...stranger }) => ({
        ...stranger,
        pricePerHourMicroUsd: pricePerHourMicroUsd === null ? null : money(pricePerHourMicroUsd),
      })),
    bills: new Bills({ clock, log, ledger, providers, calls, accounts, ending: end.signal }),
    service: governed(createClusterService({ parts, store, events, offers: options.offers }), {
      clock: parts.clock,
      startedAtMs: id => parts.ledger.state(id)?.cluster.startedAtMs ?? 0,
      policies: options.policies ?? { read: () => Promise.resolve([]) },
    }),
    notices: () => noticesOf(parts, { lost: options.lost ?? null, found, snapshot }),
    checks: () => checksOf(parts, { lost: options.lost ?? null, found, snapshot }),
    close() {
      runner.stop();
      ledger.keeper.end();
      end.abort(new Error('the daemon ends'));
      parts.links.closeAll();
    },
  };
}

/** At this computer's disk, store and clock, until the daemon ends. */
async function lookAround(parts: Parts, reserve?: DiskReserve): Promise<void> {
  const { ledger, clock, ending, purchaseLog } = parts;
  let asking: Promise<void> | null = null;
  for (;;) {
    await clock.sleep(STORE_LOOK_MS, ending).catch(() => undefined);
    if (ending.aborted) {
      return;
    }
    reserve?.keep();
    await ledger.lookAfterStore();
    await noteRefs(ledger);
    await purchaseLog?.look();
    // Networks are asked for their time: one that takes long to answer holds up no look at the store.
    asking ??= askSecondSource(parts).finally(() => {
      asking = null;
    });
  }
}

function addReconcilers(parts: Parts): void {
  parts.runner.add(createTeardown(parts));
  parts.runner.add(createExpiry(parts));
  parts.runner.add(createTellAgents(parts));
  parts.runner.add(createTellNetworks(parts));
  parts.runner.add(createWorkersBusy(parts));
  parts.runner.add(createMoreTime(parts));
  parts.runner.add(createQuarantine(parts));
  parts.runner.add(createLaunch(parts));
  parts.runner.add(createLetIn(parts));
  parts.runner.add(createBootstrap(parts));
  parts.runner.add(createHealth(parts));
  parts.runner.add(createHandshake(parts));
  parts.runner.add(createEngine(parts));
  parts.runner.add(createEnvironment(parts));
  parts.runner.add(createSave(parts));
  parts.runner.add(createSweep(parts));
  parts.runner.add(createAccountKeys(parts));
}
