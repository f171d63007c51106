/**
 * Tries every quarter of an hour whether a rented machine that is reached would let its key in once more. Networks take keys
 * out again (Vast.ai writes them anew after hours), which the connection that is open does not notice and the next one does.
 */
import type { AttemptId, NodeId } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Door } from '../access/links.ts';
import { isOnlyWatched, nodesOn } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import { letInAgain } from './let-in.ts';
import type { Parts } from './parts.ts';
import type { Reconciler, Result } from './runner.ts';
import { isUnused } from './transitions.ts';

/** What was found at a machine's last handshake. */
interface Tried {
  /** By the monotonic clock. */
  readonly atMs: number;
  readonly isRefused: boolean;
}

type Tries = Map<NodeId, Tried>;

export function createHandshake(parts: Parts): Reconciler<AttemptId> {
  const tries: Tries = new Map();
  return {
    name: 'handshake',
    targets: ({ attempts }) =>
      attempts.filter(attempt => attempt.state === 'owned' && !isOnlyWatched(attempt)).map(({ id }) => id),
    reconcile: id => handshakes(parts, tries, id),
  };
}

async function handshakes(parts: Parts, tries: Tries, id: AttemptId): Promise<Result> {
  const state = parts.ledger.stateOfAttempt(id);
  const attempt = state?.attempts.find(other => other.id === id);
  if (state === undefined || attempt?.state !== 'owned') {
    attempt?.members.forEach(({ nodeId }) => tries.delete(nodeId));
    return {};
  }
  const nodes = nodesOn(state, attempt).filter(node => !isUnused(node));
  if (nodes.length === 0) {
    return {};
  }
  // That it was set up took a handshake, and each is due so long after the last.
  nodes.forEach(({ id: node }) => {
    if (!tries.has(node)) {
      tries.set(node, { atMs: parts.clock.monotonic(), isRefused: false });
    }
  });
  const dueInMs = ({ id: node }: NodeRecord): number =>
    (tries.get(node)?.atMs ?? 0) + parts.patience.handshakeEveryMs - parts.clock.monotonic();
  await Promise.all(
    nodes
      .filter(node => dueInMs(node) <= 0)
      .map(async node => {
        const isRefused = await tryOne(parts, node, attempt, tries.get(node.id)?.isRefused ?? false);
        tries.set(node.id, { atMs: parts.clock.monotonic(), isRefused });
      }),
  );
  return { requeueAfterMs: Math.max(1, Math.min(...nodes.map(dueInMs))) };
}

/** @returns whether the machine lets the key in no more. */
async function tryOne(
  parts: Parts,
  node: NodeRecord,
  attempt: AttemptRecord,
  wasRefused: boolean,
): Promise<boolean> {
  const door = parts.links.get(node.id);
  const way = door?.host.way;
  if (door === null || way?.knock === undefined) {
    // Whoever opens its door shakes hands.
    return wasRefused;
  }
  const knock = (): Promise<boolean> =>
    parts.calls.limited('connect', async signal => (await way.knock?.(signal)) ?? true);
  try {
    if ((await knock()) || ((await letInAgain(parts, attempt)) && (await knock()))) {
      if (wasRefused) {
        await say(parts, node, attempt, `${door.host.address.at} lets the cluster’s key in again.`);
      }
      return false;
    }
    if (!wasRefused) {
      await say(parts, node, attempt, refusedWords(door));
    }
    return true;
  } catch (error) {
    // What is silent shows by its door.
    parts.log.debug('A machine that is reached was not reached once more.', {
      node: node.id,
      error: errorText(error),
    });
    return wasRefused;
  }
}

const refusedWords = ({ host }: Door): string =>
  `${host.address.at} does not let the cluster’s key in any more. What runs there goes on, and is reached while the connection that is open lasts; after that nobody reaches it. Save what you need now.`;

function say(parts: Parts, { id }: NodeRecord, attempt: AttemptRecord, message: string): Promise<void> {
  return parts.ledger.change(attempt.clusterId, tx => {
    if (tx.attempt(attempt.id)?.state === 'owned') {
      tx.say({ kind: 'warning', value: 'key_refused', message, nodeId: id, attemptId: attempt.id });
    }
  });
}
