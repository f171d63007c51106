/**
 * Destroys what is not wanted any more, until the network confirms that it is gone: `get` says so, and its list does
 * not show it. Never gives up; what cannot be destroyed yet stays said as billing.
 */
import type { AttemptId } from '@hitch/contract';
import { type ClusterState, isLost, memberRef, nodesOn } from '../ledger/cluster-state.ts';
import type { AttemptRecord } from '../ledger/records.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { closeBilling, isCertainlyGone } from './billing.ts';
import { CONFIRM_EVERY_MS, RETRY_LONGEST_MS } from './limits.ts';
import { terminate } from './transitions.ts';
import { forgetStatus, type Parts, providerOf } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';

/** An owned machine that nobody wants: its cluster ends and it holds nothing to save, or its node lives elsewhere. */
function isUnwanted(state: ClusterState, attempt: AttemptRecord): boolean {
  if (attempt.state !== 'owned') {
    return false;
  }
  const { cluster } = state;
  const nodes = nodesOn(state, attempt);
  if (cluster.desired === 'up') {
    // Several machines of one purchase end together: while one of them is of use, all are there.
    return nodes.every(isLost);
  }
  return nodes.every(({ index }) => index !== 0) || cluster.skipSave || cluster.saveDone;
}

export function createTeardown(parts: Parts): Reconciler<AttemptId> {
  const tries = new Map<AttemptId, number>();
  return {
    name: 'teardown',
    targets: state =>
      state.attempts.flatMap(attempt =>
        attempt.state === 'releasing' || isUnwanted(state, attempt) ? [attempt.id] : [],
      ),
    reconcile: async id => {
      const result = await teardown(parts, id, tries.get(id) ?? 0);
      if (result.requeueAfterMs === undefined) {
        tries.delete(id);
      } else {
        tries.set(id, (tries.get(id) ?? 0) + 1);
      }
      return result;
    },
  };
}

async function teardown(parts: Parts, id: AttemptId, tries: number): Promise<Result> {
  const state = parts.ledger.stateOfAttempt(id);
  const attempt = state?.attempts.find(other => other.id === id);
  if (state === undefined || attempt === undefined) {
    return {};
  }
  if (isUnwanted(state, attempt)) {
    await parts.ledger.change(attempt.clusterId, tx => {
      const current = tx.attempt(id);
      if (current !== undefined && isUnwanted(tx.state, current)) {
        terminate(tx, current, `Asking ${tx.titleOf(current.provider)} to end it.`);
      }
    });
    attempt.members.forEach(({ nodeId }) => {
      parts.links.drop(nodeId, 'the machine is given back');
      forgetStatus(parts, nodeId);
      parts.agentConfigs.delete(memberRef(attempt, nodeId));
    });
    return { requeueAfterMs: 1 };
  }
  if (attempt.state !== 'releasing' || attempt.instanceId === null) {
    return {};
  }
  const provider = providerOf(parts, attempt.provider);
  const gone = await destroy(parts, provider, attempt, attempt.instanceId);
  if (gone === null) {
    return {
      requeueAfterMs: Math.min(RETRY_LONGEST_MS, CONFIRM_EVERY_MS * 1.5 ** Math.min(20, tries)),
      backoff: true,
    };
  }
  await parts.ledger.change(attempt.clusterId, tx => {
    if (tx.attempt(id)?.state === 'releasing') {
      closeBilling(tx, attempt, gone);
      tx.attemptState(id, 'gone', `${provider.title} confirmed that it is gone.`, {
        endedAtMs: gone.billedUntilMs ?? tx.nowMs,
      });
    }
  });
  return {};
}

/** One try. @returns the network's last word once it is confirmed gone, else null. */
async function destroy(
  parts: Parts,
  provider: Provider,
  attempt: AttemptRecord,
  instanceId: string,
): Promise<Instance | null> {
  let problem: string | null = null;
  const pause = parts.calls.waits(provider, 'destroy');
  if (pause !== null) {
    // It is the first to be asked once that is over; until then the row says what it waits for.
    await noteProblem(parts, provider, attempt, pause.message);
  }
  try {
    await parts.calls.provider(provider, 'destroy', signal => provider.destroy(instanceId, signal));
  } catch (error) {
    problem = errorText(error);
  }
  try {
    const instance = await parts.calls.provider(provider, 'get', signal => provider.get(instanceId, signal));
    if (isCertainlyGone(instance, attempt, provider, parts.clock.now())) {
      const listed =
        provider.capabilities.refVia === 'none' ? null : await parts.lists.askNear(provider, attempt.offer);
      if (listed?.byId.get(instanceId) === undefined) {
        return instance;
      }
    }
  } catch (error) {
    problem ??= errorText(error);
  }
  if (problem !== null) {
    await noteProblem(parts, provider, attempt, problem);
  }
  return null;
}

/** A destroy that fails is said once for each reason, not at every try. */
async function noteProblem(
  parts: Parts,
  provider: Provider,
  attempt: AttemptRecord,
  problem: string,
): Promise<void> {
  const message = `${provider.title} has not ended it yet: ${problem}`;
  await parts.ledger.change(attempt.clusterId, tx => {
    const current = tx.attempt(attempt.id);
    if (current?.state === 'releasing' && current.message !== message) {
      tx.attemptState(attempt.id, 'releasing', message);
    }
  });
}
