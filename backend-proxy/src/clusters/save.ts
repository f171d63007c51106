/**
 * Fetches what the person named before the head is destroyed, within the money and time kept back for it. A failure
 * is said and ends the wait: it never keeps a machine billing.
 */
import { isAbsolute, join } from 'node:path';
import type { ClusterId } from '@hitch/contract';
import type { AgentPort } from '../access/links.ts';
import type { Home } from '../platform/paths.ts';
import { errorText } from '../platform/log.ts';
import { capReachedAt } from '../spend/budget.ts';
import { type ClusterState, presentNodes } from './draft.ts';
import { DESTROY_RESERVE_MS, SAVE_LIMIT_MS, SAVE_SILENT_LIMIT_MS, WARN_BEFORE_MS } from './limits.ts';
import { isUnused } from './outcomes.ts';
import type { Parts } from './parts.ts';
import type { ClusterRecord } from './records.ts';
import type { Again, Reconciler } from './runner.ts';

const RETRY_MS = 5_000;

export function saveFolder(home: Home, { name, save }: Pick<ClusterRecord, 'name' | 'save'>): string {
  return save.toFolder !== null && isAbsolute(save.toFolder) ? save.toFolder : join(home.saved, name);
}

export function createSave(parts: Parts): Reconciler<ClusterId> {
  return {
    name: 'save',
    targets: ({ cluster }) =>
      cluster.desired === 'stopped' && !cluster.skipSave && !cluster.saveDone ? [cluster.id] : [],
    reconcile: id => save(parts, id),
  };
}

/** When saving must be over: the cap, less what destroying takes, or the longest a save may take. */
function deadlineOf(state: ClusterState, nowMs: number): number {
  const { phaseSinceMs } = state.cluster;
  const capAtMs = capReachedAt(state, nowMs);
  const byTime = phaseSinceMs + SAVE_LIMIT_MS;
  return capAtMs === null ? byTime : Math.min(byTime, Math.max(phaseSinceMs, capAtMs - DESTROY_RESERVE_MS));
}

async function save(parts: Parts, id: ClusterId): Promise<Again> {
  const state = parts.world.state(id);
  if (state?.cluster.desired !== 'stopped' || state.cluster.skipSave || state.cluster.saveDone) {
    return {};
  }
  const { cluster } = state;
  const head = presentNodes(state)[0];
  const owned = state.attempts.some(({ id: at, state: is }) => at === head?.attemptId && is === 'owned');
  // A machine whose agent never ran has nothing of the person's on it.
  if (cluster.save.paths.length === 0 || head === undefined || !owned || isUnused(head)) {
    await finish(parts, id, null);
    return {};
  }
  const nowMs = parts.clock.now();
  const deadlineMs = deadlineOf(state, nowMs);
  const agent = parts.links.get(head.id)?.agent;
  if (agent === undefined) {
    const giveUpAtMs = Math.min(deadlineMs, cluster.phaseSinceMs + SAVE_SILENT_LIMIT_MS);
    if (nowMs >= giveUpAtMs) {
      await finish(parts, id, 'the head does not answer');
      return {};
    }
    return { again: Math.max(1, giveUpAtMs - nowMs) };
  }
  if (nowMs >= deadlineMs) {
    await finish(parts, id, 'there was no time left for it');
    return {};
  }
  await keepAwake(parts, agent, deadlineMs);
  await interrupt(parts, id, agent);
  const problem = await fetchUntil(parts, cluster, agent, deadlineMs);
  const passing = problem !== null && parts.links.get(head.id) === null;
  if (passing && parts.clock.now() < deadlineMs) {
    return { again: RETRY_MS };
  }
  await finish(parts, id, problem);
  return {};
}

/** The agent's own limits must not end it in the middle of a save; what it cannot be told costs no more than the try. */
async function keepAwake(parts: Parts, agent: AgentPort, deadlineMs: number): Promise<void> {
  const config = {
    stopAtMs: deadlineMs + DESTROY_RESERVE_MS,
    idleMs: null,
    warnBeforeMs: WARN_BEFORE_MS,
    webhookUrl: parts.webhookUrl,
  };
  await parts.calls.limited('agent', signal => agent.setWatchdog(config, signal)).catch(() => undefined);
}

/** A cell that still runs would go on changing what is saved; an agent too old to be asked does not hold the save up. */
async function interrupt(parts: Parts, id: ClusterId, agent: AgentPort): Promise<void> {
  const count = await parts.calls.limited('agent', signal => agent.interruptKernels(signal)).catch(() => 0);
  if (count > 0) {
    const what = count === 1 ? 'the running cell' : `the running cells of ${count.toString()} kernels`;
    await parts.world.change(id, draft => {
      draft.say({ kind: 'warning', value: 'interrupted', message: `Interrupted ${what} to save and stop.` });
    });
  }
}

/** @returns why not everything was fetched, or null. */
async function fetchUntil(
  parts: Parts,
  cluster: ClusterRecord,
  agent: AgentPort,
  deadlineMs: number,
): Promise<string | null> {
  const late = new AbortController();
  const timer = parts.clock.setTimer(
    () => late.abort(new Error('the time kept back for saving is over')),
    deadlineMs - parts.clock.now(),
  );
  const problems: string[] = [];
  try {
    const signal = AbortSignal.any([late.signal, parts.ending]);
    for (const path of cluster.save.paths) {
      try {
        await parts
          .save({ agent, paths: [path], folder: saveFolder(parts.home, cluster), signal })
          .then(saved => noteSaved(parts, cluster.id, saved));
      } catch (error) {
        problems.push(`${path}: ${errorText(error)}`);
      }
    }
  } finally {
    timer.cancel();
  }
  return problems.length === 0 ? null : problems.join('; ');
}

/** Notes files that lie on this computer now. */
export function noteSaved(parts: Parts, id: ClusterId, saved: readonly string[]): Promise<void> {
  return parts.world.change(id, draft => {
    const fresh = saved.filter(path => !draft.cluster.saved.includes(path));
    if (fresh.length > 0) {
      draft.setCluster({ saved: [...draft.cluster.saved, ...fresh] });
      const count = `${fresh.length.toString()} ${fresh.length === 1 ? 'file' : 'files'}`;
      draft.say({
        kind: 'saved',
        value: fresh.length.toString(),
        message: `Saved ${count} to this computer.`,
      });
    }
  });
}

async function finish(parts: Parts, id: ClusterId, problem: string | null): Promise<void> {
  await parts.world.change(id, draft => {
    if (draft.cluster.desired === 'stopped' && !draft.cluster.saveDone) {
      draft.setCluster({ saveDone: true });
      if (problem !== null) {
        const message = `Not everything of ${draft.cluster.name} was saved: ${problem.replace(/\.+$/, '')}.`;
        draft.say({ kind: 'warning', value: 'not_saved', message });
      }
    }
  });
}
