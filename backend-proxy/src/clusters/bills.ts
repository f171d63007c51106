/**
 * What networks bill, held against what was counted: every hour while something is rented there, and for a day after it
 * was over. Whose account it is, and what is left, is asked for along with it.
 */
import { type BillCheck, type ProviderId, showDollars } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import type { BillLine, Provider } from '../providers/provider.ts';
import { totalCost } from '../spend/cost.ts';
import { money } from '../spend/usage.ts';
import type { Accounts } from './accounts.ts';
import { agree, whyDiffers } from './bill-words.ts';
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
        this.lookAt(provider).catch((error: unknown) =>
          log.info('A network did not say what it billed', {
            provider: provider.id,
            error: errorText(error),
          }),
        ),
      ),
    );
  }

  /** At one of them. @throws ProviderError */
  async lookAt(provider: Provider): Promise<void> {
    const { accounts, calls, clock, ledger, log } = this.#options;
    const bill = provider.bill?.bind(provider);
    const untilMs = clock.now();
    const due = [...ledger.states()].flatMap(state => dueAt(state, provider.id, untilMs));
    if (due.length === 0) {
      this.#checks.delete(provider.id);
      return;
    }
    if (accounts.standing(provider.id).length > 0) {
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
    const checks = due.map(each => checkOf(provider, each, lines, untilMs));
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
    // What was adopted was billed before that too.
    ({ provider, state: is, adopted }) => provider === network && is !== 'refused' && adopted === null,
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

/** The lines that are of these purchases: under their mark, else for their machines, second ones too. */
function linesFor(lines: readonly BillLine[], attempts: readonly AttemptRecord[]): readonly BillLine[] {
  const marks = new Set(attempts.map(({ mark }) => mark));
  const instances = new Set(
    attempts.flatMap(({ instanceId, seconds, secondsOver }) => [
      ...(instanceId === null ? [] : [instanceId]),
      ...seconds,
      ...secondsOver,
    ]),
  );
  return lines.filter(({ mark, instanceId }) =>
    mark === null ? instanceId !== undefined && instances.has(instanceId) : marks.has(mark),
  );
}

function checkOf(
  { title }: Provider,
  { state: { cluster, segments }, attempts, isSettled }: Rented,
  lines: readonly BillLine[],
  untilMs: number,
): Check {
  const ids = new Set(attempts.map(({ id }) => id));
  const own = segments.filter(({ attemptId }) => ids.has(attemptId));
  const counted = totalCost(own, untilMs);
  const billed = linesFor(lines, attempts);
  const sum = billed.reduce((all, { amountMicroUsd }) => all + amountMicroUsd, 0n);
  // A bill may come late: until then, that it says less than was counted means nothing.
  const differs = !agree(counted, sum) && (sum > counted || isSettled);
  const says = `${title} billed ${showDollars(sum)} for ${cluster.name}; Hitch counted ${showDollars(counted)}.`;
  return {
    clusterId: cluster.id,
    clusterName: cluster.name,
    countedMicroUsd: money(counted),
    billedMicroUsd: money(sum),
    untilMs,
    warning: differs ? `${says} ${whyDiffers(billed, own, untilMs)}`.trimEnd() : null,
  };
}
