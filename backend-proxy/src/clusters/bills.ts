/**
 * What networks bill, held against what was counted: every hour while something is rented there, and for a day after it
 * was over. Whose account it is, and what is left, is asked for along with it.
 */
import { type BillCheck, type MicroUsd, type ProviderId, showDollars } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import type { BillLine, Provider } from '../providers/provider.ts';
import { totalCost } from '../spend/cost.ts';
import { money } from '../spend/usage.ts';
import type { Accounts } from './accounts.ts';
import type { RateLimiter } from './rate-limiter.ts';

export interface BillsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Pick<Ledger, 'states' | 'change'>;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly calls: Pick<RateLimiter, 'provider'>;
  readonly accounts: Pick<Accounts, 'ask' | 'standing'>;
  readonly ending: AbortSignal;
}

const FIRST_LOOK_MS = 60_000;
const EVERY_MS = 3_600_000;
const DAY_MS = 24 * EVERY_MS;
/** A bill that comes late is here by then; it is looked at once more before the day is over. */
const SETTLED_MS = DAY_MS - 2 * EVERY_MS;
/** Bills come with rounded amounts and moments: what differs by less than both of these agrees. */
const AGREES_PERCENT = 1n;
const AGREES_MICRO_USD = 10_000n;

export class Bills {
  readonly #options: BillsOptions;
  readonly #checks = new Map<ProviderId, readonly BillCheck[]>();
  /** Clusters of which it was said. */
  readonly #said = new Set<string>();

  constructor(options: BillsOptions) {
    this.#options = options;
  }

  /** As it was looked at last. */
  of(network: ProviderId): readonly BillCheck[] {
    return this.#checks.get(network) ?? [];
  }

  /** Looks until the daemon ends. */
  async watch(): Promise<void> {
    const { clock, ending } = this.#options;
    let waitMs = FIRST_LOOK_MS;
    for (;;) {
      await clock.sleep(waitMs, ending).catch(() => undefined);
      if (ending.aborted) {
        return;
      }
      await this.look();
      waitMs = EVERY_MS;
    }
  }

  /** At every network once. One that does not answer is asked again in an hour, and what it said last stands. */
  async look(): Promise<void> {
    const { providers, log } = this.#options;
    await Promise.all(
      [...providers.values()].map(provider =>
        this.#lookAt(provider).catch((error: unknown) =>
          log.info('A network did not say what it billed', {
            provider: provider.id,
            error: errorText(error),
          }),
        ),
      ),
    );
  }

  async #lookAt(provider: Provider): Promise<void> {
    const { accounts, calls, clock, ledger, log } = this.#options;
    const bill = provider.bill?.bind(provider);
    const untilMs = clock.now();
    const due = [...ledger.states()].flatMap(state => dueAt(state, provider.id, untilMs));
    if (due.length === 0) {
      this.#checks.delete(provider.id);
      return;
    }
    if (accounts.standing(provider.id) > 0) {
      // What it billed is asked for all the same: a key may see the one and not the other.
      await accounts.ask(provider).catch((error: unknown) =>
        log.info('A network did not say what is left of the account', {
          provider: provider.id,
          error: errorText(error),
        }),
      );
    }
    if (bill === undefined) {
      return;
    }
    const fromMs = Math.min(...due.flatMap(({ attempts }) => attempts.map(({ createdAtMs }) => createdAtMs)));
    const lines = await calls.provider(provider, 'bill', (signal, nextPage) =>
      bill(fromMs, untilMs, signal, nextPage),
    );
    const billed = byName(lines);
    const checks = due.map(each => checkOf(provider, each, billed, untilMs));
    this.#checks.set(provider.id, checks);
    await Promise.all(checks.map(check => this.#say(check)));
  }

  /** Once for a cluster, among its events. */
  async #say({ clusterId, warning }: Check): Promise<void> {
    if (warning === null || this.#said.has(clusterId)) {
      return;
    }
    this.#said.add(clusterId);
    await this.#options.ledger.change(clusterId, tx =>
      tx.say({ kind: 'warning', value: 'bill_differs', message: warning }),
    );
  }
}

type Check = BillCheck & { readonly clusterId: ClusterState['cluster']['id'] };

/** What a cluster rented at one network. */
interface Rented {
  readonly state: ClusterState;
  readonly attempts: readonly AttemptRecord[];
  /** It was over so long ago that nothing more comes on a bill. */
  readonly isSettled: boolean;
}

/** Nothing is held against a bill while it is not known what was bought. */
const isUnclear = ({ state }: AttemptRecord): boolean => state === 'intended' || state === 'quarantined';

function dueAt(state: ClusterState, network: ProviderId, nowMs: number): readonly Rented[] {
  const attempts = state.attempts.filter(
    ({ provider, state: is }) => provider === network && is !== 'refused',
  );
  if (attempts.length === 0 || attempts.some(isUnclear)) {
    return [];
  }
  const isOver = attempts.every(({ state: is }) => is === 'gone');
  const ids = new Set(attempts.map(({ id }) => id));
  const ends = state.segments.flatMap(({ attemptId, endMs }) =>
    ids.has(attemptId) && endMs !== null ? [endMs] : [],
  );
  const overForMs = isOver ? nowMs - Math.max(0, ...ends) : 0;
  return overForMs > DAY_MS ? [] : [{ state, attempts, isSettled: overForMs >= SETTLED_MS }];
}

/** What was billed under each mark and for each instance; a line counts once, under its mark where it has one. */
interface Billed {
  readonly marks: ReadonlyMap<string, MicroUsd>;
  readonly instances: ReadonlyMap<string, MicroUsd>;
}

function byName(lines: readonly BillLine[]): Billed {
  const [marks, instances] = [new Map<string, MicroUsd>(), new Map<string, MicroUsd>()];
  for (const { mark, instanceId, amountMicroUsd } of lines) {
    const [sums, name] = mark === null ? [instances, instanceId] : [marks, mark];
    if (name !== undefined) {
      sums.set(name, (sums.get(name) ?? 0n) + amountMicroUsd);
    }
  }
  return { marks, instances };
}

function checkOf(
  { title }: Provider,
  { state: { cluster, segments }, attempts, isSettled }: Rented,
  billed: Billed,
  untilMs: number,
): Check {
  const ids = new Set(attempts.map(({ id }) => id));
  const counted = totalCost(
    segments.filter(({ attemptId }) => ids.has(attemptId)),
    untilMs,
  );
  const add = (sums: ReadonlyMap<string, MicroUsd>, names: readonly (string | null)[]): MicroUsd =>
    [...new Set(names)].reduce((all, name) => all + (name === null ? 0n : (sums.get(name) ?? 0n)), 0n);
  const sum =
    add(
      billed.marks,
      attempts.map(({ mark }) => mark),
    ) +
    add(
      billed.instances,
      attempts.map(({ instanceId }) => instanceId),
    );
  // A bill may come late: until then, that it says less than was counted means nothing.
  const differs = !agree(counted, sum) && (sum > counted || isSettled);
  return {
    clusterId: cluster.id,
    clusterName: cluster.name,
    countedMicroUsd: money(counted),
    billedMicroUsd: money(sum),
    untilMs,
    warning: differs
      ? `${title} billed ${showDollars(sum)} for ${cluster.name}; Hitch counted ${showDollars(counted)}.`
      : null,
  };
}

function agree(counted: MicroUsd, billed: MicroUsd): boolean {
  const difference = counted > billed ? counted - billed : billed - counted;
  return difference < AGREES_MICRO_USD || difference * 100n <= counted * AGREES_PERCENT;
}
