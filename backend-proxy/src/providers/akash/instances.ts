/**
 * Akash's deployments as instances. An order and what comes of it are one deployment: without a lease it is an order, and
 * stays one until its provider knows what to run; its lease is the machine. Moments are heights of the chain; the id is the moment at which the console made the order.
 */
import { costOver, type MicroUsd } from '@hitch/contract';
import type { Instance, InstanceStatus, Member, Rate } from '../provider.ts';
import { BLOCK_MS, microUsdIn, perHour } from './block-price.ts';
import { isSshPort } from './machine.ts';
import { TITLE } from './offers.ts';
import type { Deployment, Lease, Place } from './shapes.ts';
import { hashIn } from './workload.ts';

/** The image's own, and that of whatever else is run there. */
const SSH_USER = 'root';

export interface Reading {
  /** Who comes in by ssh. */
  readonly sshUser?: string;
}

export function instanceOf(deployment: Deployment, reading: Reading): Instance {
  const { id, state, hash } = deployment.deployment;
  const lease = leaseOf(deployment);
  const status = statusOf(state, lease);
  const sshUser = reading.sshUser ?? SSH_USER;
  return {
    id: id.dseq,
    mark: hashIn(hash),
    status,
    members:
      status === 'gone' || lease === undefined
        ? []
        : [memberOf(id.dseq, status === 'ordered' ? 'booting' : status, lease, sshUser)],
    rates: ratesOf(deployment, lease, status),
    ...paidOf(deployment, status),
    ...endOf(deployment, lease, status),
    message: messageOf(state, lease, status),
  };
}

const leasesOf = ({ deployment, leases }: Deployment): readonly Lease[] =>
  leases.filter(({ id }) => id.dseq === deployment.id.dseq);

/** The one that stands, else the last. */
function leaseOf(deployment: Deployment): Lease | undefined {
  const leases = leasesOf(deployment);
  return leases.find(each => each.state !== 'closed') ?? leases.at(-1);
}

/** Where a lease is that stands while its provider says of nothing that it runs; null: there is none such. */
export function leaseWithoutWork(deployment: Deployment): Place | null {
  const lease = leaseOf(deployment);
  return lease !== undefined && deployment.deployment.state === 'active' && isWithoutWork(lease)
    ? lease.id
    : null;
}

/** Left out: it was not asked, as for a list. Null: it was, and said nothing. */
const isWithoutWork = ({ state, status }: Lease): boolean => state === 'active' && status === null;

function statusOf(state: string, lease: Lease | undefined): InstanceStatus {
  if (state === 'closed') {
    return 'gone';
  }
  if (state !== 'active') {
    return 'unknown';
  }
  switch (lease?.state) {
    case undefined:
      return 'ordered';
    case 'active':
      return isWithoutWork(lease)
        ? 'ordered'
        : isReady(lease) && wayTo(lease) !== null
          ? 'running'
          : 'booting';
    case 'closed':
    case 'insufficient_funds':
      // The deployment stands and holds its deposit, and nothing runs.
      return 'stopped';
    default:
      return 'unknown';
  }
}

const isReady = ({ status }: Lease): boolean =>
  Object.values(status?.services ?? {}).some(({ ready_replicas: ready }) => ready >= 1);

/** Where the provider forwards ssh from; null: it does not say. */
function wayTo({ status }: Lease): { readonly host: string; readonly port: number } | null {
  const port = Object.values(status?.forwarded_ports ?? {})
    .flat()
    .find(isSshPort);
  return port?.host === undefined || port.host === null ? null : { host: port.host, port: port.externalPort };
}

function memberOf(id: string, status: InstanceStatus, lease: Lease, user: string): Member {
  const way = status === 'running' ? wayTo(lease) : null;
  return {
    id,
    rank: 0,
    status,
    ssh: way === null ? null : { kind: 'rented', ...way, user, hostKeys: null },
    privateAddress: null,
  };
}

function ratesOf(deployment: Deployment, lease: Lease | undefined, status: InstanceStatus): readonly Rate[] {
  if (lease === undefined) {
    // What an order will cost, its bids say.
    return [];
  }
  const price = perHour(lease.price);
  // Of a lease that is over nothing more is charged, while its deployment stands.
  const untilMs = status === 'stopped' ? momentOf(deployment, lease.closed_on) : undefined;
  return price === null || untilMs === null
    ? []
    : [
        {
          label: LABEL,
          perHourMicroUsd: price,
          fromMs: momentOf(deployment, lease.created_at),
          ...(untilMs === undefined ? {} : { untilMs }),
        },
      ];
}

/** A lease has one price for all that is in it. */
export const LABEL = 'Lease';

/** The moment of a height, reckoned from the order's, which is its id; null: that is no moment, or the height is not said. */
function momentOf({ deployment }: Deployment, height: number | null | undefined): number | null {
  const orderedAtMs = orderedAt(deployment.id.dseq);
  const from = deployment.created_at ?? null;
  return orderedAtMs === null || from === null || height === null || height === undefined || height < from
    ? null
    : orderedAtMs + (height - from) * BLOCK_MS;
}

/** Other clients of Akash take a height for an id, which is far smaller. */
const FIRST_MOMENT_MS = Date.UTC(2020);
const LAST_MOMENT_MS = Date.UTC(2200);

/** When an order was made; null: its id does not say. */
export function orderedAt(dseq: string): number | null {
  const ms = Number(dseq);
  return ms >= FIRST_MOMENT_MS && ms < LAST_MOMENT_MS ? ms : null;
}

/** What was used of its deposits, and what of them is there. Once it is closed the rest is back. */
function paidOf({ escrow_account: { state } }: Deployment, status: InstanceStatus): Partial<Instance> {
  const used = sum(state.transferred.map(microUsdIn));
  const left = sum(state.funds.map(microUsdIn));
  return status === 'gone' || used === null || left === null ? {} : { paidMicroUsd: used + left };
}

/**
 * What it has cost by now; null: in another currency. Of one that stands the blocks since the chain reckoned last come to what
 * was paid out.
 */
export function costOf(deployment: Deployment, nowMs: number): MicroUsd | null {
  const { escrow_account: escrow } = deployment;
  const paid = sum(escrow.state.transferred.map(microUsdIn));
  const lease = leasesOf(deployment).find(({ state }) => state === 'active');
  if (lease === undefined || deployment.deployment.state === 'closed') {
    return paid;
  }
  const [fromMs, settledMs] = [lease.created_at, escrow.state.settled_at].map(
    height => momentOf(deployment, height) ?? 0,
  );
  const sinceMs = nowMs - Math.max(fromMs ?? 0, settledMs ?? 0);
  const price = perHour(lease.price);
  return paid === null || price === null || fromMs === 0
    ? paid
    : paid + costOver(price, Math.max(0, sinceMs));
}

const sum = (amounts: readonly (MicroUsd | null)[]): MicroUsd | null =>
  amounts.reduce<MicroUsd | null>(
    (total, amount) => (total === null || amount === null ? null : total + amount),
    0n,
  );

/** It is paid by the block: so long as its blocks are meant to take, so that what was counted is what was paid. */
function endOf(
  deployment: Deployment,
  lease: Lease | undefined,
  status: InstanceStatus,
): Pick<Instance, 'billedUntilMs'> {
  const orderedAtMs = momentOf(deployment, deployment.deployment.created_at);
  const endMs = lease === undefined ? orderedAtMs : momentOf(deployment, lease.closed_on);
  return status === 'gone' && endMs !== null ? { billedUntilMs: endMs } : {};
}

function messageOf(state: string, lease: Lease | undefined, status: InstanceStatus): string {
  switch (status) {
    case 'ordered':
      return lease === undefined
        ? `${TITLE} has the order; no bid for it was taken yet.`
        : `${TITLE} says: leased; its provider does not say yet what runs.`;
    case 'gone':
      return `${TITLE} says: ${state}.`;
    case 'stopped': {
      const reason = lease?.reason ?? null;
      return `${TITLE} says that the lease is ${lease?.state ?? 'gone'}${reason === null ? '' : ` (${reason})`}.`;
    }
    case 'booting':
      return lease?.status === null || lease?.status === undefined
        ? `${TITLE} says: leased; its provider does not say yet what runs.`
        : isReady(lease)
          ? `${TITLE} says: leased and ready; its provider does not say yet where ssh leads to it.`
          : `${TITLE} says: leased, and being started.`;
    default:
      return `${TITLE} says: ${lease === undefined ? state : lease.state}.`;
  }
}
