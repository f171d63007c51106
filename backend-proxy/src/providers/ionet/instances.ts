/** io.net's deployments as instances. */
import type { MicroUsd } from '@hitch/contract';
import type { Got, Instance, InstanceStatus, Member, SshAddress } from '../provider.ts';
import { modelOf, TRUST } from './offers.ts';
import type { Details, Row } from './shapes.ts';
import { readSshAccess } from './ssh-access.ts';

const MINUTE_MS = 60_000;

/** Its words, as its client knows them (`VmStatus`); of containers and clusters there are a few more. */
const STATUS: Readonly<Record<string, InstanceStatus>> = {
  'deployment requested': 'booting',
  deploying: 'booting',
  running: 'running',
  'termination requested': 'stopped',
  completed: 'gone',
  failed: 'gone',
  destroyed: 'gone',
  terminated: 'gone',
};

/** Answers write it in small letters or in capitals, with spaces or without. */
export const statusOf = (word: string): InstanceStatus =>
  STATUS[
    word
      .trim()
      .toLowerCase()
      .replace(/[\s_-]+/g, ' ')
  ] ?? 'unknown';

/** A row of the list. */
export function fromRow(row: Row, nowMs: number): Instance {
  const status = statusOf(row.status);
  return {
    id: row.id,
    mark: row.name ?? null,
    status,
    members: membersOf(row.id, status, null),
    rates: [],
    ...endOf(row, status, nowMs),
    message: `io.net says: ${row.status}.`,
  };
}

/**
 * The details.
 * @param access where ssh leads to it, in the network's words; null: it does not say
 */
export function fromDetails(details: Details, access: string | null, nowMs: number): Instance {
  const { id, finished_at: finishedMs } = details;
  const said = statusOf(details.status);
  const ssh = access === null ? null : readSshAccess(access);
  // Nobody can use it before there is a way in.
  const status = said === 'running' && ssh === null ? 'booting' : said;
  return {
    id,
    mark: details.name ?? null,
    status,
    members: membersOf(id, status, ssh),
    ...moneyOf(details, status),
    ...endOf(details, status, nowMs),
    ...gotOf(details),
    ...(status === 'gone' && typeof finishedMs === 'number' ? { billedUntilMs: finishedMs } : {}),
    message: `io.net says: ${details.status}${wayWords(said, access, ssh)}.`,
  };
}

function wayWords(status: InstanceStatus, access: string | null, ssh: SshAddress | null): string {
  if (status !== 'running' || ssh !== null) {
    return '';
  }
  return access === null
    ? '; it does not say yet where ssh leads to it'
    : `; it says that ssh leads to “${access}”, which Hitch does not understand`;
}

const membersOf = (id: string, status: InstanceStatus, ssh: SshAddress | null): readonly Member[] =>
  status === 'gone' ? [] : [{ id, rank: 0, status, ssh, privateAddress: null }];

type Money = Pick<Instance, 'rates' | 'floorMicroUsd' | 'paidMicroUsd'>;

/**
 * What it costs by the hour follows from what was paid for how many hours: its client reckons so too (`DeploymentCost`). Once
 * it has ended, what came back may be taken off, and nothing follows from it.
 */
function moneyOf(details: Details, status: InstanceStatus): Money {
  const { amount_paid: paid, created_at: createdMs } = details;
  const hours = boughtHours(details);
  if (status === 'gone' || hours === null || paid === null || paid === undefined || paid === 0n) {
    return { rates: [] };
  }
  const perHourMicroUsd = hourly(paid, hours);
  return {
    rates: [{ label: 'GPU', perHourMicroUsd, fromMs: createdMs ?? null }],
    floorMicroUsd: perHourMicroUsd,
    paidMicroUsd: paid,
  };
}

/** One of so many hours, rounded up. */
export const hourly = (amount: MicroUsd, hours: number): MicroUsd =>
  (amount + BigInt(hours) - 1n) / BigInt(hours);

type Minutes = Pick<Details, 'compute_minutes_served' | 'compute_minutes_remaining'>;

/** Whole minutes of whole hours: what is a minute off is the same number of hours. */
export function boughtHours({
  compute_minutes_served: served,
  compute_minutes_remaining: left,
}: Minutes): number | null {
  const hours = Math.round(((served ?? 0) + (left ?? 0)) / 60);
  return hours < 1 || left === null || left === undefined ? null : hours;
}

/**
 * When what is paid is over, which then ends it. Where no hour is counted yet, nothing left says nothing: taken for the end,
 * it would have more time bought at once.
 */
const endOf = (minutes: Minutes, status: InstanceStatus, nowMs: number): Pick<Instance, 'endsAtMs'> =>
  status === 'gone' || boughtHours(minutes) === null
    ? {}
    : { endsAtMs: nowMs + (minutes.compute_minutes_remaining ?? 0) * MINUTE_MS };

function gotOf({ hardware_name: name, total_gpus: all, gpus_per_vm: each }: Details): { readonly got?: Got } {
  const gpuCount = all ?? each ?? null;
  return name === null || name === undefined || gpuCount === null
    ? {}
    : { got: { gpuModel: modelOf(name), gpuCount, market: 'on_demand', trust: TRUST } };
}
