/**
 * Compares each network's list with the records. Machines that are missing are asked after one by one; machines whose
 * intent row this store holds and which should be gone are destroyed on the second sighting. Everything else in the
 * list belongs to somebody else, whatever its ref looks like, and is not touched.
 */
import type { ProviderId } from '@hitch/contract';
import { errorText } from '../platform/log.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { isCertainlyGone, openBilling } from './billing.ts';
import type { ClusterDraft } from './draft.ts';
import { SIGHTINGS_NEEDED, SWEEP_EVERY_MS } from './limits.ts';
import type { ProviderList } from './lists.ts';
import { loseMachine, release } from './outcomes.ts';
import type { Parts } from './parts.ts';
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

export async function sweep(parts: Parts, provider: Provider, sightings: Map<string, number>): Promise<void> {
  if (provider.capabilities.refVia === 'none') {
    return;
  }
  const list = await parts.lists.ask(provider);
  noteStrangers(parts, provider, list);
  await releaseLeftovers(parts, provider, list, sightings);
  for (const state of [...parts.world.states()]) {
    for (const attempt of state.attempts) {
      if (attempt.provider !== provider.id || attempt.state !== 'owned' || attempt.instanceId === null) {
        continue;
      }
      const listed = list.byId.get(attempt.instanceId);
      if (listed === undefined) {
        await askAfter(parts, provider, attempt, attempt.instanceId);
      } else if (priceDiffers(parts, attempt, listed)) {
        await parts.world.change(attempt.clusterId, draft => notePrice(draft, attempt.id, listed));
      }
    }
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
    parts.live.delete(attempt.nodeId);
    await parts.world.change(attempt.clusterId, draft => {
      if (draft.attempt(attempt.id)?.state === 'owned') {
        loseMachine(draft, attempt, instance, parts.lastBusy.get(attempt.nodeId));
      }
    });
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
      await parts.world.change(attempt.clusterId, draft => takeBack(draft, attempt, instance));
    }
  }
}

function takeBack(draft: ClusterDraft, attempt: AttemptRecord, instance: Instance): void {
  const current = draft.attempt(attempt.id);
  if (current?.state !== 'gone' && current?.state !== 'refused') {
    return;
  }
  const sentence = `${draft.titleOf(attempt.provider)} still shows ${instance.id}: it is ended.`;
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
    reopenBilling(draft, attempt);
  }
  release(draft, attempt, sentence, instance.id);
}

/** It was thought gone and is not: its last stretch never ended. */
function reopenBilling(draft: ClusterDraft, attempt: AttemptRecord): void {
  const last = draft.segmentsOf(attempt.id).findLast(({ kind }) => kind === 'rate');
  if (last !== undefined) {
    draft.setSegment(last, { endMs: null });
  }
}
