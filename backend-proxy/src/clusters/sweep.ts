/**
 * Compares each network's list with the records. Machines that are missing are asked after one by one; machines whose
 * intent this store ever held and which should be gone are destroyed on the second observation, also those of clusters
 * that a person took off the list meanwhile, and of those that are forgotten but for their refs. Everything else in the
 * list belongs to somebody else, whatever its ref looks like, and is not touched. Where a network has no place for a
 * ref, each machine that we own is asked after.
 */
import type { ProviderId } from '@hitch/contract';
import { othersFor } from '../ledger/cluster-state.ts';
import { refs } from '../ledger/kinds/ref.ts';
import type { AttemptRecord, RefRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { type Instance, lacksLogin, priceOf, type Provider } from '../providers/provider.ts';
import { askAfter, lookAtInstance } from './ask-after.ts';
import { beginParts, endParts, openBilling, ratesOf, uncountedFrom } from './billing.ts';
import { bringBack, forgottenRef } from './forgotten-machine.ts';
import { NetworkWaits } from './pause.ts';
import { ACCOUNT_LOOK_EVERY_MS, OBSERVATIONS_NEEDED, SWEEP_EVERY_MS } from './limits.ts';
import type { ProviderList } from './lists.ts';
import { freeName, terminate } from './transitions.ts';
import type { Parts } from './parts.ts';
import type { Reconciler } from './runner.ts';
import { howSetUp } from './set-up-adopted.ts';
import { endSecond, isSecond, saySecond, secondsAt } from './second-machine.ts';

interface Observation {
  readonly times: number;
  /** The last of these, by what only grows. */
  readonly atMs: number;
}

/** What is remembered of a network from one look to the next. */
interface Seen {
  /** How often each machine was seen that should be gone, by its id. */
  readonly observations: Map<string, Observation>;
  /** How many lists in a row lacked a part: what is there may come back in a moment. */
  partly: number;
}

const PART_AGAIN_MS = 1_000;

const againMs = ({ partly }: Seen): number =>
  partly === 0 ? SWEEP_EVERY_MS : Math.min(SWEEP_EVERY_MS, PART_AGAIN_MS * 2 ** (partly - 1));

export const SWEEP = 'sweep';

/** One for each network: what keeps one from answering keeps no other from being looked at. */
export function createSweep(parts: Parts): Reconciler {
  const memory = new Map<ProviderId, Seen>();
  // Where something was ever bought or tried; each purchase has its ref.
  const inUse = new Set([...parts.ledger.kept.all(refs)].map(({ provider }) => provider));
  return {
    name: SWEEP,
    // Each is asked once, whether something was bought there or not: the records may have been lost.
    atStart: [...parts.providers.values()]
      .filter(provider => !lacksLogin(provider, parts.logins, 'rent'))
      .map(({ id }) => id),
    targets: ({ attempts }) => {
      const networks = new Set(attempts.map(({ provider }) => provider));
      networks.forEach(id => inUse.add(id));
      return [...networks];
    },
    reconcile: async id => {
      const provider = parts.providers.get(id);
      if (provider === undefined) {
        return {};
      }
      if (!inUse.has(id) && lacksLogin(provider, parts.logins, 'rent')) {
        parts.strangers.delete(id);
        return {};
      }
      const seen = memory.get(id) ?? { observations: new Map(), partly: 0 };
      memory.set(id, seen);
      await sweep(parts, provider, seen);
      if (inUse.has(id)) {
        return { requeueAfterMs: againMs(seen), backoff: true };
      }
      return provider.login === null ? {} : { requeueAfterMs: ACCOUNT_LOOK_EVERY_MS };
    },
  };
}

async function sweep(parts: Parts, provider: Provider, seen: Seen): Promise<void> {
  await bringBackIntoTime(parts, provider);
  const list = provider.capabilities.refVia === 'none' ? null : await parts.lists.ask(provider);
  if (list !== null) {
    seen.partly = (provider.listLeftOut?.() ?? null) === null ? 0 : seen.partly + 1;
    noteStrangers(parts, provider, list);
    await reclaimOrphans(parts, provider, list, seen);
    await endSeconds(parts, provider);
  }
  const failures: unknown[] = [];
  for (const attempt of ownedAt(parts, provider)) {
    try {
      await lookAtOwned(parts, provider, attempt, list);
    } catch (error) {
      if (error instanceof NetworkWaits) {
        throw error;
      }
      // What the network cannot say of one machine keeps no other from being looked at.
      failures.push(error);
    }
  }
  if (failures.length > 0) {
    throw failures[0];
  }
}

/**
 * A clock that was set back leaves purchases that are still to come. What a network's visibility delay is counted from lies
 * behind: else nothing of them would be certainly gone until then.
 */
async function bringBackIntoTime({ ledger, clock }: Parts, { id }: Provider): Promise<void> {
  const nowMs = clock.now();
  for (const { cluster, attempts } of [...ledger.states()]) {
    if (attempts.some(({ provider, createdAtMs }) => provider === id && createdAtMs > nowMs)) {
      await ledger.change(cluster.id, tx => {
        tx.state.attempts
          .filter(({ provider, createdAtMs }) => provider === id && createdAtMs > tx.nowMs)
          .forEach(attempt => {
            tx.setAttempt(attempt.id, { createdAtMs: tx.nowMs });
          });
      });
    }
  }
}

type Owned = AttemptRecord & { readonly instanceId: string };

function ownedAt({ ledger }: Parts, { id }: Provider): readonly Owned[] {
  return [...ledger.states()].flatMap(({ attempts }) =>
    attempts.flatMap(attempt =>
      attempt.provider === id && attempt.state === 'owned' && attempt.instanceId !== null
        ? [{ ...attempt, instanceId: attempt.instanceId }]
        : [],
    ),
  );
}

async function lookAtOwned(
  parts: Parts,
  provider: Provider,
  attempt: Owned,
  list: ProviderList | null,
): Promise<void> {
  const listed = list?.byId.get(attempt.instanceId);
  if (listed === undefined) {
    // Missing from a list is no proof: the network is asked for this very machine.
    await askAfter(parts, provider, attempt);
  } else {
    await lookAtInstance(parts, attempt, listed);
  }
}

/** Whether a machine is one of a purchase that stands in the records, or that was over when it left them. */
const isKnown = ({ ledger }: Pick<Parts, 'ledger'>, provider: ProviderId, mark: string): boolean =>
  ledger.attemptByMark(mark) !== undefined || forgottenRef({ ledger }, provider, mark) !== null;

/** What no record here speaks of is somebody else's, or of a store that was lost without its purchase log: it is only said. */
export function noteStrangers(
  parts: Pick<Parts, 'ledger' | 'strangers'>,
  provider: Provider,
  list: ProviderList,
): void {
  const { id } = provider;
  const ours = new Set(
    [...parts.ledger.states()].flatMap(({ attempts }) =>
      attempts.flatMap(({ provider, instanceId }) =>
        provider === id && instanceId !== null ? [instanceId] : [],
      ),
    ),
  );
  const strangers = [...list.byId.values()].filter(
    instance =>
      instance.status !== 'gone' &&
      !ours.has(instance.id) &&
      (instance.mark === null || !isKnown(parts, id, instance.mark)),
  );
  if (strangers.length === 0) {
    parts.strangers.delete(id);
  } else {
    parts.strangers.set(
      id,
      strangers.map(instance => ({
        id: instance.id,
        mark: instance.mark,
        status: instance.status,
        pricePerHourMicroUsd: priceOf(instance),
        seenAtMs: list.askedAtMs,
        ...howSetUp(provider, instance),
      })),
    );
  }
}

/** A look that failed is repeated after a second, and a list may lag for longer: that is no other observation. */
function seenAgain(last: Observation | undefined, atMs: number): Observation {
  if (last === undefined) {
    return { times: 1, atMs };
  }
  return atMs - last.atMs < SWEEP_EVERY_MS ? last : { times: last.times + 1, atMs };
}

/** What is to be done about a machine that a list shows, once it was seen often enough; null: nothing. */
function orphanAt(parts: Parts, provider: Provider, instance: Instance, list: ProviderList): Orphan | null {
  const { mark } = instance;
  if (mark === null || instance.status === 'gone') {
    return null;
  }
  const attempt = parts.ledger.attemptByMark(mark);
  if (attempt === undefined) {
    const ref = forgottenRef(parts, provider.id, mark);
    return ref === null ? null : { kind: 'forgotten', ref };
  }
  if (attempt.provider !== provider.id) {
    return null;
  }
  if (attempt.state === 'gone' || attempt.state === 'refused') {
    return { kind: 'over', attempt };
  }
  return isSecond(attempt, instance, list) ? { kind: 'second', attempt } : null;
}

type Orphan =
  | { readonly kind: 'forgotten'; readonly ref: RefRecord }
  | { readonly kind: 'over' | 'second'; readonly attempt: AttemptRecord };

async function reclaimOrphans(
  parts: Parts,
  provider: Provider,
  list: ProviderList,
  { observations }: Seen,
): Promise<void> {
  const seconds = new Set(secondsAt(parts, provider).map(({ instanceId }) => instanceId));
  for (const instance of list.byId.values()) {
    const orphan = orphanAt(parts, provider, instance, list);
    if (orphan === null) {
      observations.delete(instance.id);
      continue;
    }
    const observation = seenAgain(observations.get(instance.id), parts.clock.monotonic());
    observations.set(instance.id, observation);
    // One that was found beside its purchase is ended as that, also once its purchase is over.
    if (observation.times < OBSERVATIONS_NEEDED || seconds.has(instance.id)) {
      continue;
    }
    if (orphan.kind === 'second') {
      await saySecond(parts, provider, { attempt: orphan.attempt, instanceId: instance.id });
      continue;
    }
    observations.delete(instance.id);
    if (orphan.kind === 'forgotten') {
      await bringBack(parts, provider, orphan.ref, instance, reclaim);
    } else {
      await writeDownAgain(parts, orphan.attempt, instance);
      await parts.ledger.change(orphan.attempt.clusterId, tx => reclaim(tx, orphan.attempt, instance));
    }
  }
}

async function endSeconds(parts: Parts, provider: Provider): Promise<void> {
  for (const second of secondsAt(parts, provider)) {
    await endSecond(parts, provider, second);
  }
}

/** First in the purchase log, so that the bill outlives a store that is lost right after; a disk that is full holds up nothing. */
async function writeDownAgain(
  { ledger, purchaseLog }: Pick<Parts, 'ledger' | 'purchaseLog'>,
  attempt: AttemptRecord,
  { id: instanceId }: Instance,
): Promise<void> {
  const state = ledger.state(attempt.clusterId);
  const node = state?.nodes.find(({ id }) => id === attempt.nodeId);
  if (state !== undefined && node !== undefined) {
    await purchaseLog?.reopen({
      cluster: state.cluster,
      node,
      others: othersFor(state, attempt),
      attempt: { ...attempt, instanceId },
    });
  }
}

function reclaim(tx: ClusterTransaction, attempt: AttemptRecord, instance: Instance): void {
  const current = tx.attempt(attempt.id);
  if (current?.state !== 'gone' && current?.state !== 'refused') {
    return;
  }
  const sentence = `${tx.titleOf(attempt.provider)} still lists ${instance.id}; ending it.`;
  backOnTheList(tx);
  tx.say({
    kind: 'warning',
    value: 'leftover',
    message: sentence,
    nodeId: attempt.nodeId,
    attemptId: attempt.id,
  });
  const segments = tx.segmentsOf(attempt.id);
  if (segments.length === 0) {
    openBilling(tx, attempt, instance, attempt.createdAtMs);
  } else {
    reopenBilling(tx, attempt, instance);
  }
  tx.setAttempt(attempt.id, { endedAtMs: null });
  terminate(tx, attempt, sentence, instance.id);
}

/** What bills is on the list, also where its person had taken it off. Its name may be another's by now. */
function backOnTheList(tx: ClusterTransaction): void {
  const { removedAtMs, name } = tx.cluster;
  if (removedAtMs === null) {
    return;
  }
  tx.setCluster({ removedAtMs: null, name: freeName(tx, name) });
}

/** It was thought gone and is not: of each part the last stretch never ended, and the first began when its network says so. */
function reopenBilling(tx: ClusterTransaction, attempt: AttemptRecord, instance: Instance): void {
  const { rates } = instance;
  beginParts(tx, attempt, instance, attempt.createdAtMs);
  for (const label of new Set(ratesOf(tx, attempt).map(segment => segment.label))) {
    const own = () => ratesOf(tx, attempt).filter(segment => segment.label === label);
    const [only] = rates;
    const said = rates.length === 1 ? only : rates.find(rate => rate.label === label);
    const [first] = own();
    if (first !== undefined && said !== undefined && said.fromMs !== null) {
      tx.setSegment(first, { startMs: uncountedFrom(tx, attempt, instance, label, said.fromMs) });
    }
    const last = own().at(-1);
    if (last !== undefined) {
      tx.setSegment(last, { endMs: null });
    }
  }
  endParts(tx, attempt, instance);
}
