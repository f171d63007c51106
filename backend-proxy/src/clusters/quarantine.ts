/**
 * Purchases with an unclear answer. Their mark is looked for until it is found (then the machine is adopted where its
 * node still needs one, else given back) or until the network, past its visibility delay, misses it twice.
 */
import { type AttemptId, shownName } from '@hitch/contract';
import { isBeyondUs } from '../ledger/cluster-state.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { closeBilling, isAnothers, isCertainlyGone, openBilling } from './billing.ts';
import { QUARANTINE_LOOK_MS, OBSERVATIONS_NEEDED } from './limits.ts';
import { adopt, terminate, quarantine } from './transitions.ts';
import { type Parts, providerOf } from './parts.ts';
import { notePrice } from './price.ts';
import type { Result, Reconciler } from './runner.ts';
import { countSecond } from './second-machine.ts';

export function createQuarantine(parts: Parts): Reconciler<AttemptId> {
  return {
    name: 'quarantine',
    targets: state =>
      state.attempts
        // In an ending cluster nobody launches any more: an intent left there is looked for here.
        .filter(
          attempt =>
            (attempt.state === 'quarantined' && !isBeyondUs(attempt)) ||
            (attempt.state === 'intended' && state.cluster.desired === 'stopped'),
        )
        .map(({ id }) => id),
    reconcile: id => clearUp(parts, id),
  };
}

async function clearUp(parts: Parts, id: AttemptId): Promise<Result> {
  const attempt = parts.ledger.attempt(id);
  if (attempt?.state === 'intended' && !parts.underWay.has(id)) {
    const provider = providerOf(parts, attempt.provider);
    await parts.ledger.change(attempt.clusterId, tx => {
      if (tx.attempt(id)?.state === 'intended') {
        quarantine(tx, provider, attempt, 'Hitch stopped before the answer came.');
      }
    });
    return { requeueAfterMs: 1 };
  }
  if (attempt?.state === 'quarantined') {
    const provider = providerOf(parts, attempt.provider);
    return attempt.instanceId === null
      ? lookByMark(parts, provider, attempt)
      : lookAtInstance(parts, provider, attempt, attempt.instanceId);
  }
  return {};
}

/** The answer was an error that named what was rented: the network does not stand behind it, so it goes back. */
async function lookAtInstance(
  parts: Parts,
  provider: Provider,
  attempt: AttemptRecord,
  instanceId: string,
): Promise<Result> {
  const instance = await parts.calls.provider(provider, 'get', signal => provider.get(instanceId, signal));
  if (!(await isProvedOurs(parts, provider, attempt, instance))) {
    await parts.ledger.change(attempt.clusterId, tx => {
      if (tx.attempt(attempt.id)?.state === 'quarantined') {
        // What the error named is somebody else's, or nothing: what was bought is looked for by its mark.
        tx.setAttempt(attempt.id, { instanceId: null, absentSightings: 0 });
        tx.say({
          kind: 'warning',
          value: 'not_ours',
          message: `${provider.title} answered the purchase with an error that names ${shownName(instanceId)}, and does not show it to be of this purchase: it is left alone, and what was rented is looked for by its mark.`,
          nodeId: attempt.nodeId,
          attemptId: attempt.id,
        });
      }
    });
    return { requeueAfterMs: 1 };
  }
  const gone = isCertainlyGone(instance, attempt, provider, parts.clock.now());
  if (instance.status === 'gone' && !gone) {
    return { requeueAfterMs: QUARANTINE_LOOK_MS };
  }
  await parts.ledger.change(attempt.clusterId, tx => {
    if (tx.attempt(attempt.id)?.state === 'quarantined') {
      openBilling(tx, attempt, instance, attempt.createdAtMs);
      if (gone) {
        closeBilling(tx, attempt, instance);
        tx.attemptState(attempt.id, 'gone', `${provider.title} confirmed that it is gone.`);
      } else {
        terminate(
          tx,
          attempt,
          `${provider.title} answered with an error but rented it; it is given back.`,
          instanceId,
        );
      }
    }
  });
  return {};
}

/**
 * Whether what an error named is what was bought. Where its own page does not carry a mark, the network's list says whose
 * it is; what neither says is not taken for ours.
 */
async function isProvedOurs(
  parts: Parts,
  provider: Provider,
  attempt: AttemptRecord,
  instance: Instance,
): Promise<boolean> {
  if (instance.mark !== null || provider.capabilities.refVia === 'none') {
    return !isAnothers(instance, attempt);
  }
  if (instance.status === 'gone') {
    return false;
  }
  const { byId } = await parts.lists.askNear(provider, attempt.offer);
  return byId.get(instance.id)?.mark === attempt.mark;
}

async function lookByMark(parts: Parts, provider: Provider, attempt: AttemptRecord): Promise<Result> {
  const list = await parts.lists.askNear(provider, attempt.offer);
  const found = list.byMark.get(attempt.mark);
  if (found !== undefined) {
    await parts.ledger.change(attempt.clusterId, tx => {
      if (tx.attempt(attempt.id)?.state === 'quarantined') {
        adopt(tx, attempt, found, attempt.createdAtMs);
        notePrice(tx, attempt.id, found);
      }
    });
    return {};
  }
  const latestMs = parts.clock.now() + provider.capabilities.visibilityDelayMs;
  if (attempt.visibleByMs !== null && attempt.visibleByMs > latestMs) {
    // The clock was ahead when this was set: counted from now it is late enough.
    await parts.ledger.change(attempt.clusterId, tx => {
      if (tx.attempt(attempt.id)?.state === 'quarantined') {
        tx.setAttempt(attempt.id, { visibleByMs: latestMs });
      }
    });
    return { requeueAfterMs: 1 };
  }
  if (attempt.visibleByMs === null || list.askedAtMs < attempt.visibleByMs) {
    const left = (attempt.visibleByMs ?? list.askedAtMs) - parts.clock.now();
    return { requeueAfterMs: Math.min(QUARANTINE_LOOK_MS, Math.max(1, left)) };
  }
  if (attempt.absentSightings + 1 < OBSERVATIONS_NEEDED) {
    await parts.ledger.change(attempt.clusterId, tx => {
      if (tx.attempt(attempt.id)?.state === 'quarantined') {
        tx.setAttempt(attempt.id, { absentSightings: attempt.absentSightings + 1 });
      }
    });
    return { requeueAfterMs: QUARANTINE_LOOK_MS };
  }
  const past = await historyOf(parts, provider, attempt);
  await parts.ledger.change(attempt.clusterId, tx => confirmAbsent(tx, provider, attempt, past));
  return {};
}

/** What had this mark and is over already, where the network keeps such a history. */
async function historyOf(
  parts: Parts,
  provider: Provider,
  attempt: AttemptRecord,
): Promise<readonly Instance[]> {
  return provider.history === undefined
    ? []
    : parts.calls.provider(
        provider,
        'list',
        async (signal, nextPage) =>
          (await provider.history?.(attempt.mark, signal, nextPage, attempt.offer)) ?? [],
      );
}

function confirmAbsent(
  tx: ClusterTransaction,
  provider: Provider,
  attempt: AttemptRecord,
  past: readonly Instance[],
): void {
  if (tx.attempt(attempt.id)?.state !== 'quarantined') {
    return;
  }
  // Of several under one mark, one that is there still is the machine that its node may have.
  const [over, ...others] = past.toSorted(
    (a, b) => Number(a.status === 'gone') - Number(b.status === 'gone'),
  );
  if (over === undefined) {
    tx.attemptState(attempt.id, 'gone', `${provider.title} never rented it.`);
  } else if (over.status === 'gone') {
    openBilling(tx, attempt, over, attempt.createdAtMs);
    closeBilling(tx, attempt, over);
    tx.attemptState(attempt.id, 'gone', `${provider.title} rented it and ended it.`, {
      instanceId: over.id,
    });
  } else {
    // It came to light between the list and the history.
    adopt(tx, attempt, over, attempt.createdAtMs);
  }
  // Bought twice for one call: what is there still the sweep finds beside the one that is used.
  others.filter(({ status }) => status === 'gone').forEach(other => countSecond(tx, attempt, other));
}
