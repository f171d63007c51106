/** What every reconciler is given. */
import {
  type AgentStatus,
  type AttemptId,
  type BusyLimits,
  type ClusterId,
  HitchError,
  type MicroUsd,
  type NodeId,
  type NotOurs,
  type ProviderId,
} from '@hitch/contract';
import type { Links } from '../access/links.ts';
import type { Patience } from '../access/patience.ts';
import type { Saves } from '../copies/copies.ts';
import type { FarHosts } from '../machines/far/far-hosts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { Ids, Random } from '@hitch/platform/src/random.ts';
import type { SteadyClock } from '@hitch/platform/src/steady-clock.ts';
import type { InstanceStatus, LoginState, Provider } from '../providers/provider.ts';
import type { PurchaseLog } from '../store/purchase-log.ts';
import type { AccountKeyTurns } from './account-keys.ts';
import type { Accounts } from './accounts.ts';
import type { Prices } from './firm-prices.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Lists } from './lists.ts';
import type { UnderWay } from './reservation.ts';
import type { Locks } from '../machines/environments/locks.ts';
import type { EnvironmentChanges } from './environment.ts';
import type { Runner } from './runner.ts';

/** What a network's list shows that no record here speaks of. */
export interface Stranger {
  readonly id: string;
  readonly mark: string | null;
  readonly status: InstanceStatus;
  readonly pricePerHourMicroUsd: MicroUsd | null;
  readonly seenAtMs: number;
  /** How it could be set up, where a person adopts it. */
  readonly canBeSetUp?: NonNullable<NotOurs['canBeSetUp']>;
}

export interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly home: Home;
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly calls: RateLimiter;
  readonly lists: Lists;
  readonly links: Links;
  /** Ways in to machines behind ssh; null: there is no ssh here. */
  readonly far: Pick<FarHosts, 'host' | 'letInWith' | 'forget'> | null;
  /** The public key that opens a cluster's machines. @throws HitchError STORAGE_FULL */
  readonly keyOf: (id: ClusterId) => Promise<string>;
  readonly accountKeyTurns: AccountKeyTurns;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly logins: LoginState;
  readonly accounts: Accounts;
  readonly prices: Prices;
  /** Purchases that this very process waits for an answer of; any other intent was left by a daemon that died. */
  readonly underWay: Map<AttemptId, UnderWay>;
  /** Purchases of a store that was lost: while they are looked for nothing is rented in their place. */
  readonly restored: Set<AttemptId>;
  /** Every purchase is written there too before the network is asked; null: nowhere but in the store. */
  readonly purchaseLog: PurchaseLog | null;
  /** What the networks' lists show that no record here speaks of. */
  readonly strangers: Map<ProviderId, readonly Stranger[]>;
  /** What each machine's agent was started with, by the machine's own ref. */
  readonly agentConfigs: Map<string, string>;
  /** The newest status of each agent that answers. */
  readonly live: Map<NodeId, AgentStatus>;
  /** The daemon's clock, where it can tell whether the computer's was set; null: it cannot jump. */
  readonly time: SteadyClock | null;
  /** How far each agent's clock is ahead of ours, as it said last. */
  readonly clockOffsets: Map<NodeId, number>;
  /** When each agent last said that something works on its machine, as far as this daemon heard. */
  readonly lastBusy: Map<NodeId, number>;
  /** The file that runs as the agent. */
  readonly agentBundlePath: string;
  /** Values of the secrets a cluster was given; a missing one is left out. */
  readonly secrets: (names: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  /** What environments of clusters' own are made from. */
  readonly locks: Pick<Locks, 'get'>;
  readonly environmentChanges: EnvironmentChanges;
  /** Fetches files. */
  readonly saves: Saves;
  /** Asks the jobs of a cluster to end and fetches what they printed; resolves in any case. */
  readonly endJobs: (clusterId: ClusterId) => Promise<void>;
  readonly webhookUrl: string | null;
  /** From when on a machine's processes count as work. */
  readonly busy: BusyLimits;
  readonly patience: Patience;
  /** Aborted when the daemon ends. */
  readonly ending: AbortSignal;
}

/** @throws HitchError NOT_FOUND where a stored row names a network that is not there any more. */
export function providerOf(parts: Pick<Parts, 'providers'>, id: ProviderId): Provider {
  const provider = parts.providers.get(id);
  if (provider === undefined) {
    throw new HitchError('NOT_FOUND', `There is no network "${id}" here.`, {
      next: 'Turn it on again: machines rented there may still cost.',
    });
  }
  return provider;
}

/** What a machine's agent said last is of no use any more: it is silent, given back or gone. */
export function forgetStatus({ live, clockOffsets }: Pick<Parts, 'live' | 'clockOffsets'>, id: NodeId): void {
  live.delete(id);
  clockOffsets.delete(id);
}
