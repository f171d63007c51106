/**
 * A machine on the account that this Hitch did not rent becomes a cluster of it, because a person says so: it is counted from
 * then on, and ended at its limits or by hand. Where they ask for that it is set up too, and else nothing of ours gets there; what
 * runs there goes on in either case.
 *
 * Its label at the network is nobody's mark: others may carry it too, and no purchase is looked for by it.
 */
import {
  type ClusterId,
  formatMicroUsd,
  HitchError,
  type MicroUsd,
  type ProviderId,
  type SetUpWay,
  showDollars,
} from '@hitch/contract';
import type { AttemptRecord, ClusterRecord, NodeRecord } from '../ledger/records.ts';
import { plainTerms } from '../ledger/terms.ts';
import { type Instance, priceOf, type Provider, ProviderError } from '../providers/provider.ts';
import { openBilling } from './billing.ts';
import { newNode } from './commands.ts';
import { intent } from './intent.ts';
import { phaseLimitMs } from './limits.ts';
import type { Parts } from './parts.ts';
import { adoptedBefore, setUpLater, withKey } from './set-up-adopted.ts';
import { clusterWithoutOrder, offerAsKept } from './without-order.ts';

export interface Adoption {
  readonly instanceId: string;
  /** What the person was shown that it costs an hour; null: its network does not say. */
  readonly pricePerHourMicroUsd: MicroUsd | null;
  readonly capMicroUsd: MicroUsd;
  /** Null: no stop time. */
  readonly stopAtMs: number | null;
  readonly name: string;
  /** How the cluster's key gets there; left out: it is counted and ended, no more. */
  readonly setUp?: SetUpWay;
}

/**
 * @throws HitchError NOT_FOUND, or CONFLICT where it is ours already, costs more than was shown, cannot be looked up, or cannot
 * be set up as was asked for: then nothing is adopted.
 */
export async function adoptMachine(
  parts: Parts,
  network: ProviderId,
  adoption: Adoption,
): Promise<ClusterId> {
  const provider = parts.providers.get(network);
  if (provider === undefined) {
    throw new HitchError('NOT_FOUND', `There is no network “${network}” here.`, { field: 'provider' });
  }
  const before = adoptedBefore(parts, provider, adoption.instanceId);
  if (before !== undefined && adoption.setUp !== undefined) {
    return setUpLater(parts, provider, before, adoption.setUp);
  }
  checkLeavesIt(adoption);
  const instance = await lookAt(parts, provider, adoption).catch((error: unknown) => {
    throw error instanceof ProviderError
      ? new HitchError('PROVIDER_ERROR', error.message, { next: 'Try again in a minute.', cause: error })
      : error;
  });
  const records = recordsOf(parts, provider, instance, adoption);
  const { cluster, node } = records;
  const attempt = await withKey(parts, provider, { ...records, instance }, adoption.setUp);
  await parts.ledger.change(cluster.id, tx => {
    checkIsForeign(parts, provider, instance);
    if (tx.nameTaken(cluster.name)) {
      throw new HitchError('NAME_TAKEN', `There is a cluster named ${cluster.name} already.`, {
        field: 'name',
        next: 'Choose another name.',
      });
    }
    tx.createCluster(cluster);
    tx.addNode(node);
    tx.addAttempt(attempt);
    // Counted from now on: what it cost before was no cost of this Hitch.
    const rates = instance.rates.map(rate => ({ ...rate, fromMs: tx.nowMs }));
    openBilling(tx, attempt, { rates, status: instance.status }, tx.nowMs);
    tx.say({
      kind: 'phase',
      value: 'adopted',
      message: node.message,
      nodeId: node.id,
      attemptId: attempt.id,
    });
  });
  await parts.lists.ask(provider).catch(() => undefined);
  parts.strangers.set(
    network,
    (parts.strangers.get(network) ?? []).filter(({ id }) => id !== instance.id),
  );
  return cluster.id;
}

/** A limit that is reached already would end what somebody may still use, without a word that it is to end now. */
function checkLeavesIt({ capMicroUsd }: Adoption): void {
  if (capMicroUsd <= 0n) {
    throw new HitchError('BAD_INPUT', `A limit of ${showDollars(capMicroUsd)} would end it at once.`, {
      field: 'capMicroUsd',
      next: 'Give a higher limit, or end it on purpose: hitch adopt <network> <instance> --end',
    });
  }
}

async function lookAt(
  parts: Parts,
  provider: Provider,
  { instanceId, ...agreed }: Adoption,
): Promise<Instance> {
  if (provider.kind !== 'network' && provider.kind !== 'practice') {
    throw new HitchError(
      'CONFLICT',
      `${provider.title} has no machines that somebody else could have rented.`,
      {
        field: 'provider',
      },
    );
  }
  const there = await parts.calls.provider(provider, 'get', signal => provider.get(instanceId, signal));
  const listed = (await parts.lists.ask(provider)).byId.get(instanceId);
  if (there.status === 'gone' || listed === undefined) {
    throw new HitchError('NOT_FOUND', `${provider.title} knows no machine ${instanceId} on your account.`, {
      field: 'instanceId',
      next: 'Those that are there and not ours: hitch networks ls',
    });
  }
  const instance = { ...there, mark: there.mark ?? listed.mark };
  checkIsForeign(parts, provider, instance);
  const price = priceOf(instance);
  if (price !== null && (agreed.pricePerHourMicroUsd === null || price > agreed.pricePerHourMicroUsd)) {
    throw new HitchError(
      'CONFLICT',
      `It costs ${showDollars(price)}/h now, more than was shown; it was not adopted.`,
      { next: 'Look at it again, and say yes to that price.' },
    );
  }
  return instance;
}

function checkIsForeign(
  { ledger }: Parts,
  { id, title }: Provider,
  { id: instanceId, mark }: Instance,
): void {
  const isOurs = [...ledger.states()].some(({ attempts }) =>
    attempts.some(
      attempt => attempt.provider === id && attempt.instanceId === instanceId && attempt.state !== 'gone',
    ),
  );
  if (
    isOurs ||
    (mark !== null && (ledger.attemptByMark(mark) !== undefined || ledger.ref(id, mark) !== undefined))
  ) {
    throw new HitchError('CONFLICT', `${instanceId} at ${title} is this Hitch’s own already.`, {
      field: 'instanceId',
      next: 'See it with hitch ls.',
    });
  }
}

interface Records {
  readonly cluster: ClusterRecord;
  readonly node: NodeRecord;
  readonly attempt: AttemptRecord;
}

function recordsOf(
  { ids, clock, ledger }: Parts,
  provider: Provider,
  instance: Instance,
  { capMicroUsd, stopAtMs, name, setUp }: Adoption,
): Records {
  const nowMs = clock.now();
  const sentence =
    setUp === undefined
      ? `Adopted: ${instance.id} at ${provider.title} is watched, and ended at its limits; nothing is set up on it.`
      : `Adopted: ${instance.id} at ${provider.title} is set up.`;
  const bare = clusterWithoutOrder({ ids, leaseEpoch: ledger.leaseEpoch, nowMs }, provider, name);
  const cluster: ClusterRecord = {
    ...bare,
    desired: 'up',
    stopCause: null,
    phase: setUp === undefined ? 'unreachable' : 'bootstrapping',
    message: sentence,
    caps: { totalMicroUsd: formatMicroUsd(capMicroUsd), stopAtMs, idleMs: null },
  };
  const node: NodeRecord = {
    ...newNode(ids, { nowMs }, cluster.id, cluster.quoteId, 0),
    ...phaseAtFirst(provider, setUp, nowMs),
    message: sentence,
  };
  const price = priceOf(instance) ?? 0n;
  const offer = offerAsKept(provider, {
    gpuModel: instance.got?.gpuModel ?? null,
    gpuCount: instance.got?.gpuCount ?? 0,
    vramMiB: 0,
    cpuCores: 0,
    offerId: `${provider.id}:adopted`,
    boughtAtMs: nowMs,
    pricePerHourMicroUsd: price,
    nonRefundableMicroUsd: 0n,
    floorMicroUsd: 0n,
  });
  const [attemptId, ref] = [ids.next('att'), ids.ref()];
  const bought = {
    id: attemptId,
    ref,
    mark: ref,
    proof: null,
    terms: plainTerms(offer),
    members: [{ nodeId: node.id, address: null }],
    createdAtMs: nowMs,
  };
  const attempt: AttemptRecord = {
    ...intent(node, offer, provider, bought),
    state: 'owned',
    instanceId: instance.id,
    adopted: { label: instance.mark, isSetUp: setUp !== undefined },
    endsAtMs: instance.endsAtMs ?? null,
    message: sentence,
  };
  return { cluster, node: { ...node, attemptId }, attempt };
}

type PhaseAtFirst = Pick<NodeRecord, 'phase' | 'phaseSinceMs' | 'deadlineMs'>;

const phaseAtFirst = (
  { capabilities }: Pick<Provider, 'capabilities'>,
  setUp: SetUpWay | undefined,
  nowMs: number,
): PhaseAtFirst => ({
  phase: setUp === undefined ? 'unreachable' : 'booting',
  phaseSinceMs: nowMs,
  deadlineMs: setUp === undefined ? null : nowMs + phaseLimitMs('booting', capabilities.phaseLimitsMs),
});
