/**
 * Keeps agents and networks told of the limits, so that both hold them while the daemon is away. Each is told by itself:
 * one that hangs, or asks to wait, keeps no other from hearing of them, nor the daemon from holding them.
 */
import type { AttemptId, NodeId } from '@hitch/contract';
import type { Door } from '../access/links.ts';
import { presentNodes } from '../ledger/cluster-state.ts';
import { nativeEndAt } from './purchase.ts';
import { LIMITS_LOOK_MS } from './limits.ts';
import type { Parts } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';
import { watchdogFor } from './watchdog.ts';

/** A network is told of another end time only where it differs by at least this. */
const END_TIME_STEP_MS = 60_000;

/** Level-triggered: a door that was not told these limits is told them, whether it or they are what changed. */
export function createTellAgents(parts: Parts): Reconciler<NodeId> {
  const told = new WeakMap<Door, string>();
  return {
    name: 'limits to agents',
    targets: state => (state.cluster.desired === 'up' ? presentNodes(state).map(({ id }) => id) : []),
    reconcile: id => tellAgent(parts, told, id),
  };
}

async function tellAgent(parts: Parts, told: WeakMap<Door, string>, id: NodeId): Promise<Result> {
  const state = parts.ledger.stateOfNode(id);
  const node = state === undefined ? undefined : presentNodes(state).find(present => present.id === id);
  if (state?.cluster.desired !== 'up' || node === undefined) {
    return {};
  }
  const door = parts.links.get(id);
  if (door === null) {
    // It is told as soon as it is there.
    return {};
  }
  const config = watchdogFor(state, node, parts.clock.now(), parts);
  // A cap's end drifts by rounding with every look; whole seconds keep that from being news.
  const stopAtMs = config.stopAtMs === null ? null : Math.floor(config.stopAtMs / 1000) * 1000;
  const text = JSON.stringify({ ...config, stopAtMs });
  if (told.get(door) !== text) {
    await parts.calls.limited('agent', signal =>
      door.agent.setWatchdog({ ...config, nowMs: parts.clock.now() }, signal),
    );
    told.set(door, text);
  }
  return { requeueAfterMs: LIMITS_LOOK_MS };
}

/**
 * Networks with an end time of their own, for each machine. What a network was told stands in the record of the purchase:
 * a daemon that starts again tells nobody what they know.
 */
export function createTellNetworks(parts: Parts): Reconciler<AttemptId> {
  return {
    name: 'limits to networks',
    targets: ({ cluster, attempts }) =>
      cluster.desired === 'up'
        ? attempts
            .filter(
              ({ state, offer }) => state === 'owned' && offer.endsBillingAlone && offer.termMs === undefined,
            )
            .map(({ id }) => id)
        : [],
    reconcile: id => tellNetwork(parts, id),
  };
}

async function tellNetwork(parts: Parts, id: AttemptId): Promise<Result> {
  const state = parts.ledger.stateOfAttempt(id);
  const attempt = state?.attempts.find(other => other.id === id);
  const provider = attempt === undefined ? undefined : parts.providers.get(attempt.provider);
  const instanceId = attempt?.state === 'owned' ? attempt.instanceId : null;
  if (
    state?.cluster.desired !== 'up' ||
    attempt === undefined ||
    instanceId === null ||
    provider?.extend === undefined
  ) {
    return {};
  }
  const endAtMs = nativeEndAt(state, parts.clock.now());
  const { toldEndAtMs: before } = attempt;
  if (endAtMs !== null && (before === null || Math.abs(before - endAtMs) >= END_TIME_STEP_MS)) {
    await parts.calls.provider(provider, 'extend', async signal =>
      provider.extend?.(instanceId, endAtMs, signal),
    );
    await parts.ledger.change(attempt.clusterId, tx => {
      if (tx.attempt(id)?.state === 'owned') {
        tx.setAttempt(id, { toldEndAtMs: endAtMs });
      }
    });
  }
  return { requeueAfterMs: LIMITS_LOOK_MS };
}
