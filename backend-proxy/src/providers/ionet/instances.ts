/** io.net's deployments as instances. */
import type { MicroUsd } from '@hitch/contract';
import type { Got, Instance, InstanceStatus, Member, SshAddress } from '../provider.ts';
import { modelOf, TRUST } from './offers.ts';
import type { SoldAs } from './products.ts';
import type { Details, Row } from './shapes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

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
export function fromRow(row: Row, { prefix }: SoldAs, nowMs: number): Instance {
  const status = statusOf(row.status);
  const id = `${prefix}${row.id}`;
  return {
    id,
    mark: row.name ?? null,
    status,
    members: membersOf(id, status, null),
    rates: [],
    ...endOf(row, status, nowMs),
    message: `io.net says: ${row.status}.`,
  };
}

/**
 * The details.
 * @param way what leads to it, in the network's words; null: it does not say
 */
export function fromDetails(details: Details, sold: SoldAs, way: string | null, nowMs: number): Instance {
  const { finished_at: finishedMs } = details;
  const id = `${sold.prefix}${details.id}`;
  const said = statusOf(details.status);
  const ssh = way === null ? null : sold.readWay(way);
  // Nobody can use it before there is a way in.
  const status = said === 'running' && ssh === null ? 'booting' : said;
  return {
    id,
    mark: details.name ?? null,
    status,
    members: membersOf(id, status, ssh),
    ...moneyOf(details, sold, status),
    ...endOf(details, status, nowMs),
    ...gotOf(details),
    ...(status === 'gone' && typeof finishedMs === 'number' ? { billedUntilMs: finishedMs } : {}),
    message: `io.net says: ${details.status}${wayWords(sold, said, way, ssh)}.`,
  };
}

function wayWords(sold: SoldAs, status: InstanceStatus, way: string | null, ssh: SshAddress | null): string {
  if (status !== 'running' || ssh !== null) {
    return '';
  }
  return way === null
    ? `; ${sold.noWayWords}`
    : `; it says that ${sold.wayWords} “${way}”, which Hitch does not understand`;
}

const membersOf = (id: string, status: InstanceStatus, ssh: SshAddress | null): readonly Member[] =>
  status === 'gone' ? [] : [{ id, rank: 0, status, ssh, privateAddress: null }];

export type Money = Pick<Instance, 'rates' | 'floorMicroUsd' | 'paidMicroUsd'>;

/**
 * What it costs by the hour follows from what was paid for how many hours: its client reckons so too (`DeploymentCost`). Once
 * it has ended it follows from what that was in the end for how long it stood. What came back is taken to be taken off: if
 * it is not, it cost less than is said here, never more. Where nothing comes back, all that was paid is the least that it costs.
 */
function moneyOf(details: Details, { givesBack }: Pick<SoldAs, 'givesBack'>, status: InstanceStatus): Money {
  const { amount_paid: paid, created_at: createdMs, finished_at: finishedMs } = details;
  if (paid === null || paid === undefined || paid === 0n) {
    return { rates: [] };
  }
  const hours = boughtHours(details);
  const fromMs = createdMs ?? null;
  const least = (perHour: MicroUsd): MicroUsd => (givesBack ? perHour : paid);
  if (status === 'gone') {
    if (fromMs === null || typeof finishedMs !== 'number') {
      return { rates: [] };
    }
    const perHour = spent(paid, finishedMs - fromMs);
    return priced(perHour, fromMs, least(perHour));
  }
  if (hours === null) {
    return { rates: [] };
  }
  const perHour = hourly(paid, hours);
  return { ...priced(perHour, fromMs, least(perHour)), paidMicroUsd: paid };
}

/** An hour of so long; less than an hour costs one. */
function spent(paid: MicroUsd, stoodMs: number): MicroUsd {
  const ms = BigInt(Math.max(HOUR_MS, stoodMs));
  return (paid * BigInt(HOUR_MS) + ms - 1n) / ms;
}

const priced = (perHourMicroUsd: MicroUsd, fromMs: number | null, floorMicroUsd: MicroUsd): Money => ({
  rates: [{ label: 'GPU', perHourMicroUsd, fromMs }],
  floorMicroUsd,
});

/** What the details of one that may stand say of its money. */
export const moneyIn = (details: Details, sold: SoldAs): Money =>
  moneyOf(details, sold, statusOf(details.status));

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

function gotOf(details: Details): { readonly got?: Got } {
  const { hardware_name: name, total_gpus: all, gpus_per_vm: ofMachine } = details;
  const gpuCount = all ?? ofMachine ?? details.gpus_per_container ?? null;
  return name === null || name === undefined || gpuCount === null
    ? {}
    : { got: { gpuModel: modelOf(name), gpuCount, market: 'on_demand', trust: TRUST } };
}
