/**
 * Buys more time for machines that are sold by terms, before what is paid is over, as long as the limits that a person
 * agreed to allow it. Each purchase has an intent in the record of its machine, stored before the network is asked, and is
 * never repeated: after an unclear answer, and in the next daemon, the end time is read instead.
 */
import { type AttemptId, costOver, format, HitchError } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { AttemptRecord, MoreTime } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { type Instance, type Provider, ProviderError } from '../providers/provider.ts';
import { isTimeUnclear, mayBuyTime, termStopAt } from '../spend/budget.ts';
import { rateAt } from '../spend/cost.ts';
import { noteFloor, paidInAnyCase } from './billing.ts';
import { NetworkWaits } from './pause.ts';
import { BUY_TIME_BEFORE_MS, LIMITS_LOOK_MS, QUARANTINE_LOOK_MS, OBSERVATIONS_NEEDED } from './limits.ts';
import { type Parts, providerOf } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';

type Rented = AttemptRecord & { readonly instanceId: string };

/** End times that differ by less are the same one: some networks reckon them anew for each answer. */
const END_STEP_MS = 60_000;

/** What was said last of each machine that got no more time. */
type Said = Map<AttemptId, string>;

export function createMoreTime(parts: Parts): Reconciler<AttemptId> {
  const said: Said = new Map();
  return {
    name: 'more time',
    targets: state =>
      state.attempts.filter(attempt => isTimeUnclear(attempt) || isSoldByTerms(attempt)).map(({ id }) => id),
    reconcile: id => moreTime(parts, said, id),
  };
}

const lastOf = ({ moreTime: bought }: AttemptRecord): MoreTime | undefined => bought.at(-1);
const isSoldByTerms = ({ state, offer, endsAtMs }: AttemptRecord): boolean =>
  state === 'owned' && offer.termMs !== undefined && endsAtMs !== null;

async function moreTime(parts: Parts, said: Said, id: AttemptId): Promise<Result> {
  const state = parts.ledger.stateOfAttempt(id);
  const attempt = state?.attempts.find(other => other.id === id);
  const provider = attempt === undefined ? undefined : providerOf(parts, attempt.provider);
  if (state === undefined || provider?.buyTime === undefined || attempt?.state !== 'owned') {
    return {};
  }
  const { instanceId } = attempt;
  if (instanceId === null) {
    return {};
  }
  const rented = { ...attempt, instanceId };
  if (isTimeUnclear(attempt)) {
    return readEnd(parts, provider, rented);
  }
  const buyAtMs = whenToBuy(state);
  if (state.cluster.desired !== 'up' || buyAtMs === null) {
    return {};
  }
  const nowMs = parts.clock.now();
  if (nowMs < buyAtMs) {
    return { requeueAfterMs: Math.min(LIMITS_LOOK_MS, buyAtMs - nowMs) };
  }
  // A term that was refused for good is not asked for again: the cluster ends with what is paid.
  const last = lastOf(attempt);
  const isRefused = last?.state === 'refused' && isSameEnd(last.fromMs, attempt.endsAtMs);
  return isRefused || !endsFirst(state, attempt) || !mayBuyTime(state, attempt, nowMs)
    ? { requeueAfterMs: LIMITS_LOOK_MS }
    : buy(parts, said, provider, rented);
}

function whenToBuy(state: ClusterState): number | null {
  const stopAtMs = termStopAt(state);
  return stopAtMs === null ? null : stopAtMs - BUY_TIME_BEFORE_MS;
}

/** Whether no other machine's paid time ends before: more of any other is of no use while this one has no more. */
function endsFirst({ attempts }: Pick<ClusterState, 'attempts'>, { id, endsAtMs }: AttemptRecord): boolean {
  return (
    endsAtMs !== null &&
    attempts.every(
      other =>
        other.id === id ||
        !isSoldByTerms(other) ||
        other.endsAtMs === null ||
        other.endsAtMs > endsAtMs ||
        (other.endsAtMs === endsAtMs && other.id > id),
    )
  );
}

class NotWanted extends Error {}

async function buy(parts: Parts, said: Said, provider: Provider, attempt: Rented): Promise<Result> {
  const { id, clusterId, instanceId, offer } = attempt;
  // What is bought counts from where the network says that it ends, whoever may have moved it.
  const before = await parts.calls.provider(provider, 'get', signal => provider.get(instanceId, signal));
  if (!isSameEnd(before.endsAtMs, attempt.endsAtMs)) {
    await parts.ledger.change(clusterId, tx => noteEnd(tx, attempt, before));
    return { requeueAfterMs: LIMITS_LOOK_MS, backoff: true };
  }
  const ms = offer.termMs ?? 0;
  const intend = async () => {
    const isWanted = await parts.ledger.change(clusterId, tx => {
      const current = tx.attempt(id);
      const wanted =
        tx.cluster.desired === 'up' &&
        current?.state === 'owned' &&
        current.endsAtMs === attempt.endsAtMs &&
        endsFirst(tx.state, current) &&
        mayBuyTime(tx.state, current, tx.nowMs);
      if (wanted) {
        const asked = { fromMs: current.endsAtMs ?? 0, ms, askedAtMs: tx.nowMs, absentSightings: 0 };
        tx.setAttempt(id, { moreTime: [...current.moreTime, { ...asked, state: 'asked' }] });
        tx.insistOnDisk();
      }
      return wanted;
    });
    if (!isWanted) {
      throw new NotWanted();
    }
  };
  try {
    const instance = await parts.calls.provider(
      provider,
      'buyTime',
      signal =>
        provider.buyTime?.(instanceId, ms, signal) ??
        Promise.reject(new ProviderError('permanent', `${provider.title} sells no more time.`)),
      intend,
    );
    await parts.ledger.change(clusterId, tx => {
      const asked = askedOf(tx, id);
      // An answer that shows the end where it was says nothing: it is read until it has moved.
      if (asked !== undefined && (instance.endsAtMs === undefined || hasMoved(asked, instance))) {
        settle(tx, id, 'bought', instance);
      }
    });
    return { requeueAfterMs: QUARANTINE_LOOK_MS, backoff: true };
  } catch (error) {
    if (error instanceof NotWanted || error instanceof NetworkWaits || error instanceof HitchError) {
      // It was not asked.
      return { requeueAfterMs: LIMITS_LOOK_MS, backoff: true };
    }
    if (!(error instanceof ProviderError)) {
      throw error;
    }
    const { kind, message } = error;
    if (kind !== 'unknownOutcome') {
      await parts.ledger.change(clusterId, tx => {
        settle(tx, id, kind === 'retryable' ? 'absent' : 'refused', null);
        const what = `${(attempt.endsAtMs ?? 0).toString()} ${kind}`;
        if (said.get(id) !== what) {
          sayNotBought(tx, attempt, message);
        }
        said.set(id, what);
      });
    }
    return { requeueAfterMs: QUARANTINE_LOOK_MS, backoff: true };
  }
}

/** Whether the end has moved says whether it was bought; that it has not, only once the network's delay is over. */
async function readEnd(parts: Parts, provider: Provider, attempt: Rented): Promise<Result> {
  const asked = lastOf(attempt);
  const { id, clusterId, instanceId } = attempt;
  const instance = await parts.calls.provider(provider, 'get', signal => provider.get(instanceId, signal));
  if (asked === undefined || instance.status === 'gone' || instance.endsAtMs === undefined) {
    // Of a network that does not say, nothing more is bought.
    return { requeueAfterMs: LIMITS_LOOK_MS, backoff: true };
  }
  const isOverdue = parts.clock.now() > asked.askedAtMs + provider.capabilities.visibilityDelayMs;
  await parts.ledger.change(clusterId, tx => {
    const observations = asked.absentSightings + 1;
    if (hasMoved(asked, instance)) {
      settle(tx, id, 'bought', instance);
    } else if (isOverdue && observations >= OBSERVATIONS_NEEDED) {
      settle(tx, id, 'absent', instance);
    } else if (isOverdue) {
      setLast(tx, id, { absentSightings: observations });
    }
  });
  return { requeueAfterMs: QUARANTINE_LOOK_MS, backoff: true };
}

const isSameEnd = (one: number | undefined, other: number | null): boolean =>
  one !== undefined && other !== null && Math.abs(one - other) < END_STEP_MS;

/** Whether the end that the network says is one with the time that was asked for. */
const hasMoved = ({ fromMs, ms }: MoreTime, { endsAtMs }: Instance): boolean =>
  endsAtMs !== undefined && endsAtMs > fromMs + ms / 2;

function askedOf(tx: ClusterTransaction, id: AttemptId): MoreTime | undefined {
  const attempt = tx.attempt(id);
  return attempt !== undefined && isTimeUnclear(attempt) ? lastOf(attempt) : undefined;
}

function setLast(tx: ClusterTransaction, id: AttemptId, patch: Partial<MoreTime>): void {
  const last = askedOf(tx, id);
  if (last !== undefined) {
    tx.setAttempt(id, {
      moreTime: [...(tx.attempt(id)?.moreTime ?? []).slice(0, -1), { ...last, ...patch }],
    });
  }
}

function settle(
  tx: ClusterTransaction,
  id: AttemptId,
  state: MoreTime['state'],
  instance: Instance | null,
): void {
  const attempt = tx.attempt(id);
  const asked = askedOf(tx, id);
  if (attempt === undefined || asked === undefined) {
    return;
  }
  setLast(tx, id, { state });
  if (instance !== null) {
    noteEnd(tx, attempt, state === 'bought' ? withTerm(tx, attempt, asked, instance) : instance);
  }
  if (state === 'bought') {
    const more = format.duration(asked.ms);
    const message = `${tx.titleOf(attempt.provider)}: ${more} more was paid ahead.`;
    tx.say({ kind: 'price', value: 'more_time', message, nodeId: attempt.nodeId, attemptId: id });
  }
}

/** What a network that sold a term does not say of it, as it follows from what was asked for. */
function withTerm(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  { fromMs, ms }: MoreTime,
  instance: Instance,
): Instance {
  const rate = rateAt(tx.segmentsOf(attempt.id), tx.nowMs);
  return {
    ...instance,
    endsAtMs: instance.endsAtMs ?? fromMs + ms,
    floorMicroUsd: instance.floorMicroUsd ?? paidInAnyCase(tx, attempt) + costOver(rate, ms),
  };
}

function noteEnd(tx: ClusterTransaction, { id }: AttemptRecord, { endsAtMs, floorMicroUsd }: Instance): void {
  const attempt = tx.attempt(id);
  if (attempt?.state === 'owned' && endsAtMs !== undefined) {
    if (!isSameEnd(endsAtMs, attempt.endsAtMs)) {
      tx.setAttempt(id, { endsAtMs });
    }
    noteFloor(tx, attempt, floorMicroUsd);
  }
}

function sayNotBought(tx: ClusterTransaction, { nodeId, id, provider }: AttemptRecord, why: string): void {
  const message = `${tx.titleOf(provider)} sold no more time: ${why}`;
  tx.say({ kind: 'warning', value: 'no_more_time', message, nodeId, attemptId: id });
}
