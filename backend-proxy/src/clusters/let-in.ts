/**
 * Lets the cluster's key in to machines of networks that take keys after the purchase (`Provider.letIn`): as soon as one is
 * ours, and again where it refuses the key. Asking twice does no harm, so a daemon that dies in between asks once more.
 */
import type { AttemptId } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import { isOnlyWatched } from '../ledger/cluster-state.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import { ProviderError } from '../providers/provider.ts';
import { LET_IN_AGAIN_MS } from './limits.ts';
import { letsIn } from './order.ts';
import { type Parts, providerOf } from './parts.ts';
import type { Reconciler, Result } from './runner.ts';

export function createLetIn(parts: Parts): Reconciler<AttemptId> {
  /** What each was last said of, so that it is said once. */
  const said = new Map<AttemptId, string>();
  return {
    name: 'let-in',
    targets: ({ cluster, attempts }) =>
      cluster.desired === 'up'
        ? attempts.flatMap(attempt => (isLockedOut(parts, attempt) ? [attempt.id] : []))
        : [],
    reconcile: id => firstTime(parts, said, id),
  };
}

/** Whether its network was not asked yet, or did not do it. */
const isLockedOut = (parts: Pick<Parts, 'providers'>, attempt: AttemptRecord): boolean =>
  attempt.state === 'owned' &&
  !isOnlyWatched(attempt) &&
  attempt.letInAtMs === null &&
  takesKeys(parts, attempt);

async function firstTime(parts: Parts, said: Map<AttemptId, string>, id: AttemptId): Promise<Result> {
  const state = parts.ledger.stateOfAttempt(id);
  const attempt = state?.attempts.find(other => other.id === id);
  if (attempt === undefined || state?.cluster.desired !== 'up' || !isLockedOut(parts, attempt)) {
    return {};
  }
  try {
    await letIn(parts, attempt);
    said.delete(id);
    return {};
  } catch (error) {
    if (error instanceof ProviderError && (error.kind === 'permanent' || error.kind === 'auth')) {
      await sayNotDone(parts, said, attempt, error);
      return { requeueAfterMs: parts.patience.handshakeEveryMs, backoff: true };
    }
    throw error;
  }
}

/** Asks the network to let the key in, and writes down that it did. @throws ProviderError */
async function letIn(
  parts: Parts,
  { id, clusterId, provider: network, instanceId }: AttemptRecord,
): Promise<void> {
  const provider = providerOf(parts, network);
  if (instanceId === null) {
    return;
  }
  const publicKey = await parts.keyOf(clusterId);
  await parts.calls.provider(provider, 'letIn', async signal =>
    provider.letIn?.(instanceId, publicKey, signal),
  );
  await parts.ledger.change(clusterId, tx => {
    if (tx.attempt(id)?.state === 'owned') {
      tx.setAttempt(id, { letInAtMs: tx.nowMs });
    }
  });
}

/**
 * Has the key let in once more, since a machine refuses it; not oftener than its network is to be asked.
 * @returns whether the network was asked and did it.
 */
export async function letInAgain(parts: Parts, { id }: Pick<AttemptRecord, 'id'>): Promise<boolean> {
  const attempt = parts.ledger.attempt(id);
  if (attempt?.state !== 'owned' || !takesKeys(parts, attempt)) {
    return false;
  }
  const { letInAtMs } = attempt;
  const leastMs = Math.min(LET_IN_AGAIN_MS, parts.patience.handshakeEveryMs);
  if (letInAtMs !== null && parts.clock.now() - letInAtMs < leastMs) {
    return false;
  }
  try {
    await letIn(parts, attempt);
    return true;
  } catch (error) {
    parts.log.warn('A network did not let a key in again.', {
      provider: attempt.provider,
      attempt: id,
      error: errorText(error),
    });
    return false;
  }
}

/** Whether its machines get their key by another word to the network, now and again. */
export function takesKeys(
  { providers }: Pick<Parts, 'providers'>,
  { provider: id }: Pick<AttemptRecord, 'provider'>,
): boolean {
  const provider = providers.get(id);
  return provider?.letIn !== undefined && letsIn(provider);
}

async function sayNotDone(
  parts: Parts,
  said: Map<AttemptId, string>,
  { id, clusterId, nodeId }: AttemptRecord,
  error: ProviderError,
): Promise<void> {
  const message = `The cluster’s key was not attached to the machine: ${error.message} It may let nobody in, now or after some hours.`;
  if (said.get(id) === message) {
    return;
  }
  said.set(id, message);
  await parts.ledger.change(clusterId, tx => {
    if (tx.attempt(id)?.state === 'owned') {
      tx.say({ kind: 'warning', value: 'key_not_attached', message, nodeId, attemptId: id });
    }
  });
}
