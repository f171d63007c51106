/**
 * Compares each network's list with the records. Machines that are missing are asked after one by one; machines whose
 * intent row this store holds and which should be gone are destroyed on the second sighting, also those of clusters
 * that a person took off the list meanwhile. Everything else in the list belongs to somebody else, whatever its ref
 * looks like, and is not touched. Where a network has no place for a ref, each machine that we own is asked after.
 */
import type { ProviderId } from '@hitch/contract';
import { errorText } from '../platform/log.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { isCertainlyGone, openBilling } from './billing.ts';
import type { ClusterDraft } from './draft.ts';
import { REMOVED_KEPT, SIGHTINGS_NEEDED, SWEEP_EVERY_MS } from './limits.ts';
import type { ProviderList } from './lists.ts';
import { loseMachine, release } from './outcomes.ts';
import { forgetStatus, type Parts } from './parts.ts';
import { notePrice } from './price.ts';
import type { AttemptRecord } from './records.ts';

/** Sweeps until the daemon ends. */
export async function sweepForEver(parts: Parts): Promise<void> {
  const sightings = new Map<string, number>();
  // Once each network is asked, whether something was bought there or not: the records may have been lost.
  const unasked = new Set(
    [...parts.providers.values()].filter(provider => provider.credentials() !== 'absent'),
  );
  while (!parts.ending.aborted) {
    for (const provider of new Set([...inUse(parts), ...unasked])) {
      try {
        await sweep(parts, provider, sightings);
        unasked.delete(provider);
      } catch (error) {
        parts.log.warn('A network could not be listed; the last known state stands.', {
          provider: provider.id,
          error: errorText(error),
        });
      }
    }
    await forgetOldest(parts).catch((error: unknown) =>
      parts.log.warn('Removed clusters could not be forgotten; it is tried again.', {
        error: errorText(error),
      }),
    );
    await parts.clock.sleep(SWEEP_EVERY_MS, parts.ending).catch(() => undefined);
  }
}

/** Networks that something was ever bought or tried at. */
function inUse(parts: Parts): readonly Provider[] {
  const ids = new Set<ProviderId>();
  for (const { attempts } of parts.world.states()) {
    attempts.forEach(({ provider }) => ids.add(provider));
  }
  return [...ids].flatMap(id => parts.providers.get(id) ?? []);
}

/** Removed clusters are kept for their refs, but not without end. */
async function forgetOldest({ world, log }: Parts): Promise<void> {
  const removed = [...world.states()]
    .flatMap(({ cluster: { id, removedAtMs } }) => (removedAtMs === null ? [] : [{ id, removedAtMs }]))
    .sort((a, b) => a.removedAtMs - b.removedAtMs);
  for (const { id } of removed.slice(0, Math.max(0, removed.length - REMOVED_KEPT))) {
    log.info('The refs of a removed cluster are forgotten: only so many of the latest are kept.', {
      clusterId: id,
      count: REMOVED_KEPT,
    });
    await world.change(id, draft => {
      if (draft.cluster.removedAtMs !== null) {
        draft.forget();
      }
    });
  }
}

export async function sweep(parts: Parts, provider: Provider, sightings: Map<string, number>): Promise<void> {
  const list = provider.capabilities.refVia === 'none' ? null : await parts.lists.ask(provider);
  if (list !== null) {
    noteStrangers(parts, provider, list);
    await releaseLeftovers(parts, provider, list, sightings);
  }
  for (const state of [...parts.world.states()]) {
    for (const attempt of state.attempts) {
      if (attempt.provider !== provider.id || attempt.state !== 'owned' || attempt.instanceId === null) {
        continue;
      }
      const listed = list?.byId.get(attempt.instanceId);
      if (listed === undefined) {
        await askAfter(parts, provider, attempt, attempt.instanceId);
      } else {
        await lookAtPrice(parts, attempt, listed);
      }
    }
  }
}

async function lookAtPrice(parts: Parts, attempt: AttemptRecord, instance: Instance): Promise<void> {
  if (priceDiffers(parts, attempt, instance)) {
    await parts.world.change(attempt.clusterId, draft => notePrice(draft, attempt.id, instance));
  }
}

function priceDiffers(parts: Parts, attempt: AttemptRecord, { pricePerHourMicroUsd }: Instance): boolean {
  const open = parts.world
    .state(attempt.clusterId)
    ?.segments.find(
      ({ attemptId, kind, endMs }) => attemptId === attempt.id && kind === 'rate' && endMs === null,
    );
  return pricePerHourMicroUsd !== null && open !== undefined && open.amountMicroUsd !== pricePerHourMicroUsd;
}

/** Missing from a list is no proof: the network is asked for this very machine. */
async function askAfter(parts: Parts, provider: Provider, attempt: AttemptRecord, id: string): Promise<void> {
  const instance = await parts.calls.provider(provider, 'get', signal => provider.get(id, signal));
  if (isCertainlyGone(instance, attempt, provider, parts.clock.now())) {
    parts.links.drop(attempt.nodeId, 'the machine is gone');
    forgetStatus(parts, attempt.nodeId);
    await parts.world.change(attempt.clusterId, draft => {
      if (draft.attempt(attempt.id)?.state === 'owned') {
        loseMachine(draft, attempt, instance, parts.lastBusy.get(attempt.nodeId));
      }
    });
  } else {
    await lookAtPrice(parts, attempt, instance);
  }
}

/** What no record here speaks of is somebody else's, or of a store that was lost without its ledger: it is only said. */
export function noteStrangers(
  parts: Pick<Parts, 'world' | 'strangers'>,
  { id }: Provider,
  list: ProviderList,
): void {
  const refs = [...list.byRef].flatMap(([ref, { status }]) =>
    status !== 'gone' && parts.world.attemptByRef(ref) === undefined ? [ref] : [],
  );
  if (refs.length === 0) {
    parts.strangers.delete(id);
  } else {
    parts.strangers.set(id, refs);
  }
}

async function releaseLeftovers(
  parts: Parts,
  provider: Provider,
  list: ProviderList,
  sightings: Map<string, number>,
): Promise<void> {
  for (const instance of list.byId.values()) {
    const attempt = instance.ref === null ? undefined : parts.world.attemptByRef(instance.ref);
    const over =
      attempt?.provider === provider.id && (attempt.state === 'gone' || attempt.state === 'refused');
    if (attempt === undefined || !over || instance.status === 'gone') {
      sightings.delete(instance.id);
      continue;
    }
    const seen = (sightings.get(instance.id) ?? 0) + 1;
    sightings.set(instance.id, seen);
    if (seen >= SIGHTINGS_NEEDED) {
      sightings.delete(instance.id);
      await writeDownAgain(parts, attempt, instance);
      await parts.world.change(attempt.clusterId, draft => takeBack(draft, attempt, instance));
    }
  }
}

/** First in the ledger, so that the bill outlives a store that is lost right after; a disk that is full holds up nothing. */
async function writeDownAgain(
  { world, ledger }: Pick<Parts, 'world' | 'ledger'>,
  attempt: AttemptRecord,
  { id: instanceId }: Instance,
): Promise<void> {
  const state = world.state(attempt.clusterId);
  const node = state?.nodes.find(({ id }) => id === attempt.nodeId);
  if (state !== undefined && node !== undefined) {
    await ledger?.reopen({ cluster: state.cluster, node, attempt: { ...attempt, instanceId } });
  }
}

function takeBack(draft: ClusterDraft, attempt: AttemptRecord, instance: Instance): void {
  const current = draft.attempt(attempt.id);
  if (current?.state !== 'gone' && current?.state !== 'refused') {
    return;
  }
  const sentence = `${draft.titleOf(attempt.provider)} still shows ${instance.id}: it is ended.`;
  backOnTheList(draft);
  draft.say({
    kind: 'warning',
    value: 'leftover',
    message: sentence,
    nodeId: attempt.nodeId,
    attemptId: attempt.id,
  });
  const segments = draft.segmentsOf(attempt.id);
  if (segments.length === 0) {
    openBilling(draft, attempt, instance, attempt.createdAtMs);
  } else {
    reopenBilling(draft, attempt, instance);
  }
  draft.setAttempt(attempt.id, { endedAtMs: null });
  release(draft, attempt, sentence, instance.id);
}

/** What bills is on the list, also where its person had taken it off. Its name may be another's by now. */
function backOnTheList(draft: ClusterDraft): void {
  const { removedAtMs, name } = draft.cluster;
  if (removedAtMs === null) {
    return;
  }
  let free = name;
  for (let number = 2; draft.nameTaken(free); number++) {
    free = `${name.slice(0, 32)}-${number.toString()}`;
  }
  draft.setCluster({ removedAtMs: null, name: free });
}

/** It was thought gone and is not: its last stretch never ended, and its first began when its network says so. */
function reopenBilling(draft: ClusterDraft, attempt: AttemptRecord, { billedFromMs }: Instance): void {
  const rates = () => draft.segmentsOf(attempt.id).filter(({ kind }) => kind === 'rate');
  const [first] = rates();
  if (first !== undefined && billedFromMs !== undefined) {
    draft.setSegment(first, { startMs: billedFromMs });
  }
  const last = rates().at(-1);
  if (last !== undefined) {
    draft.setSegment(last, { endMs: null });
  }
}
