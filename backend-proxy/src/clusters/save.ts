/**
 * Fetches what the person named before the head is destroyed. The destroy waits for it: what can still be had is tried
 * again until it is here, or until the last moment that leaves room in the cap for the destroying. A person can end it.
 */
import { isAbsolute, join } from 'node:path';
import {
  absentSources,
  amountWords,
  type ClusterId,
  type Copy,
  HitchError,
  missingCount,
  notSavedSentence,
} from '@hitch/contract';
import type { ClusterRecord, NodeRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { capReachedAt } from '../spend/budget.ts';
import { stampOf } from '../copies/stamp.ts';
import { linkLatest } from '../copies/latest.ts';
import { type ClusterState, presentNodes } from '../ledger/cluster-state.ts';
import { DESTROY_RESERVE_MS } from '../spend/limits.ts';
import { FREE_SAVE_LIMIT_MS, WARN_BEFORE_MS } from './limits.ts';
import type { Parts } from './parts.ts';
import type { Result, Reconciler } from './runner.ts';

const LINK_LIMIT_MS = 5_000;

type Saved = Pick<ClusterRecord, 'name' | 'save' | 'startedAtMs'>;

/** Each run of a cluster saves into a folder of its own, unless the person named one. */
export function saveFolder(home: Home, { name, save, startedAtMs }: Saved): string {
  return save.toFolder !== null && isAbsolute(save.toFolder)
    ? save.toFolder
    : join(home.saved, name, stampOf(startedAtMs));
}

/** Kept apart from what is saved, and as long as it: a later daemon saves into the same folder. */
export const ownListOf = (
  home: Home,
  { id, startedAtMs }: Pick<ClusterRecord, 'id' | 'startedAtMs'>,
): string => join(home.saved, '.own', `${id}-${startedAtMs.toString()}`);

export function createSave(parts: Parts): Reconciler<ClusterId> {
  return {
    name: 'save',
    targets: ({ cluster }) =>
      cluster.desired === 'stopped' && !cluster.skipSave && !cluster.saveDone ? [cluster.id] : [],
    reconcile: id => save(parts, id),
  };
}

/** When saving must be over: the cap, less what destroying takes, or sooner where that was agreed; where nothing costs, a long while. */
export function deadlineOf(state: ClusterState, nowMs: number): number {
  const { phaseSinceMs, save: plan } = state.cluster;
  const capAtMs = capReachedAt(state, nowMs);
  const byCapMs =
    capAtMs === null
      ? phaseSinceMs + FREE_SAVE_LIMIT_MS
      : Math.max(phaseSinceMs, capAtMs - DESTROY_RESERVE_MS);
  return plan.withinMs === undefined ? byCapMs : Math.min(byCapMs, phaseSinceMs + plan.withinMs);
}

async function save(parts: Parts, id: ClusterId): Promise<Result> {
  const state = parts.ledger.state(id);
  if (state?.cluster.desired !== 'stopped' || state.cluster.skipSave || state.cluster.saveDone) {
    return {};
  }
  const { cluster } = state;
  const head = presentNodes(state)[0];
  const owned = state.attempts.some(({ id: at, state: is }) => at === head?.attemptId && is === 'owned');
  if (owned && head?.wasUp === true) {
    // What jobs write last is saved too, and what they printed is fetched.
    await parts.endJobs(id);
  }
  // A machine whose agent never spoke has nothing of the person's on it.
  if (cluster.save.paths.length === 0 || head === undefined || !owned || !head.wasUp) {
    await finish(parts, id, null);
    return {};
  }
  const untilMs = deadlineOf(state, parts.clock.now());
  const { ended } = parts.saves.save({
    clusterId: id,
    paths: cluster.save.paths,
    folder: saveFolder(parts.home, cluster),
    ownList: ownListOf(parts.home, cluster),
    untilMs,
    prepare: () => prepare(parts, id, head, untilMs),
  });
  const copy = await ended;
  if (parts.ending.aborted) {
    // The next daemon goes on with it.
    return {};
  }
  const now = parts.ledger.state(id)?.cluster;
  if (now?.skipSave === false && now.save.paths.some(path => !copy.sources.includes(path))) {
    // Somebody named more while it went on.
    return { requeueAfterMs: 1 };
  }
  await finish(parts, id, copy);
  return {};
}

/**
 * The agent's own limits must not end it in the middle of a save, and a cell that still runs would go on changing what is
 * saved. @throws HitchError UNREACHABLE while the head does not answer, NOT_FOUND once its network has confirmed it gone.
 */
async function prepare(parts: Parts, id: ClusterId, head: NodeRecord, untilMs: number): Promise<void> {
  const isOwned = parts.ledger
    .state(id)
    ?.attempts.some(({ id: at, state }) => at === head.attemptId && state === 'owned');
  if (isOwned !== true) {
    throw new HitchError('NOT_FOUND', 'The machine is gone, and its files with it.');
  }
  const agent = parts.links.get(head.id)?.agent;
  if (agent === undefined) {
    throw new HitchError('UNREACHABLE', 'the machine does not answer');
  }
  const config = {
    stopAtMs: untilMs + DESTROY_RESERVE_MS,
    idleMs: null,
    warnBeforeMs: WARN_BEFORE_MS,
    webhookUrl: parts.webhookUrl,
    nowMs: parts.clock.now(),
  };
  await parts.calls.limited('agent', signal => agent.setWatchdog(config, signal)).catch(() => undefined);
  // An agent too old to be asked does not hold the save up.
  const count = await parts.calls.limited('agent', signal => agent.interruptKernels(signal)).catch(() => 0);
  if (count > 0) {
    const what = count === 1 ? 'the running cell' : `the running cells of ${count.toString()} kernels`;
    await parts.ledger.change(id, tx => {
      tx.say({ kind: 'warning', value: 'interrupted', message: `Interrupted ${what} to save and stop.` });
    });
  }
}

/** Writes down what a save brought, and what it did not. */
export function noteSaved(tx: ClusterTransaction, home: Home, copy: Copy): void {
  const { account } = copy;
  const { cluster } = tx;
  const here = account.copiedFiles + account.sameFiles;
  if (here > 0) {
    const folder = saveFolder(home, cluster);
    const absent = new Set(absentSources(copy));
    const brought = copy.sources.filter(path => !absent.has(path.replace(/\/+$/, '')));
    const places = brought.map(path => join(folder, path));
    const fresh = places.filter(path => !cluster.saved.includes(path));
    tx.setCluster({ saved: [...cluster.saved, ...fresh] });
    tx.say({
      kind: 'saved',
      value: account.copiedFiles.toString(),
      message: `Saved ${amountWords(account.copiedFiles, account.copiedBytes)} to ${folder}.`,
    });
  }
  const missing = notSavedSentence(copy, cluster.name);
  if (missing !== null) {
    tx.say({
      kind: 'warning',
      value: 'not_saved',
      message: missing,
    });
  } else if (here === 0 && missingCount(account) === 0) {
    tx.say({
      kind: 'saved',
      value: '0',
      message: `There was nothing to save at ${copy.sources.map(path => path || '.').join(', ')}.`,
    });
  }
}

/** @param copy null: nothing had to be saved. */
async function finish(parts: Parts, id: ClusterId, copy: Copy | null): Promise<void> {
  const cluster = parts.ledger.state(id)?.cluster;
  if (copy !== null && cluster !== undefined && cluster.save.toFolder === null) {
    const folder = saveFolder(parts.home, cluster);
    // Destroying does not wait for a disk that hangs.
    const late = parts.clock.sleep(LINK_LIMIT_MS).then(() => 'the disk does not answer');
    const problem = await Promise.race([linkLatest(folder), late]);
    if (problem !== null) {
      parts.log.warn('The link “latest” beside a save could not be made.', { folder, problem });
    }
  }
  await parts.ledger.change(id, tx => {
    if (tx.cluster.desired === 'stopped' && !tx.cluster.saveDone) {
      tx.setCluster({ saveDone: true });
      if (copy !== null) {
        noteSaved(tx, parts.home, copy);
      }
    }
  });
}
