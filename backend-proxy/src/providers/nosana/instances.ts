/**
 * Nosana's deployments as instances. A deployment is a description; what runs and costs are its jobs, of which Hitch's have one,
 * on one host. Sources of what each status means: `src/strategies` and `src/tasks` of nosana-ci/nosana-deployment-manager.
 */
import type { MicroUsd } from '@hitch/contract';
import type { Instance, InstanceStatus, Rate, SshAddress } from '../provider.ts';
import { WEB_DOOR_PORT } from '../../machines/far/web-door.ts';
import type { Deployment, Job } from './shapes.ts';

/** The image's own. */
const SSH_USER = 'root';

/** It holds no machine and costs nothing: it stays as a description, until somebody starts or deletes it. */
const HOLDS_NONE = new Set(['DRAFT', 'STOPPED', 'ARCHIVED']);
export const holdsMachines = ({ status }: Pick<Deployment, 'status'>): boolean => !HOLDS_NONE.has(status);

const KNOWN = new Set([...HOLDS_NONE, 'STARTING', 'RUNNING', 'STOPPING', 'ERROR', 'INSUFFICIENT_FUNDS']);

/** Of a job that waits for a host nothing is charged. */
export const runs = ({ state }: Job): boolean => state === 'RUNNING';
const isOver = ({ state }: Job): boolean => state === 'COMPLETED' || state === 'STOPPED';

/** @param price of one replica an hour; null: it is not known */
export function instanceOf(deployment: Deployment, jobs: readonly Job[], price: MicroUsd | null): Instance {
  const { id, name, status: word } = deployment;
  const status = statusOf(deployment, jobs);
  const ended = status === 'gone' ? endOf(deployment, jobs) : null;
  return {
    id,
    mark: name ?? null,
    status,
    members:
      status === 'gone'
        ? []
        : [
            {
              id,
              rank: 0,
              status,
              ssh: status === 'running' ? wayTo(deployment) : null,
              privateAddress: null,
            },
          ],
    rates: price === null ? [] : ratesOf(deployment, jobs, price),
    message: messageOf(word, jobs),
    ...(ended === null ? {} : { billedUntilMs: ended }),
  };
}

function statusOf(deployment: Deployment, jobs: readonly Job[]): InstanceStatus {
  const { status } = deployment;
  if (!KNOWN.has(status)) {
    return 'unknown';
  }
  if (!holdsMachines(deployment)) {
    return 'gone';
  }
  if (status === 'STOPPING') {
    return 'stopped';
  }
  if (jobs.some(runs)) {
    return 'running';
  }
  // Of a job that ended there comes no other: its host went away, or what ran there ended.
  return status === 'ERROR' || status === 'INSUFFICIENT_FUNDS' || (jobs.length > 0 && jobs.every(isOver))
    ? 'stopped'
    : 'booting';
}

function wayTo({ endpoints }: Deployment): SshAddress | null {
  const endpoint = endpoints.find(({ port }) => Number(port) === WEB_DOOR_PORT);
  return endpoint === undefined
    ? null
    : { kind: 'websocket', url: endpoint.url, user: SSH_USER, hostKeys: null };
}

function ratesOf(deployment: Deployment, jobs: readonly Job[], price: MicroUsd): readonly Rate[] {
  const begun = jobs.flatMap(({ time_start: atS }) => (atS === 0 ? [] : [atS * 1000]));
  const label = 'GPU';
  const perHourMicroUsd = price * BigInt(deployment.replicas);
  if (begun.length === 0) {
    return holdsMachines(deployment)
      ? [{ label, perHourMicroUsd, fromMs: null, isAhead: true }]
      : // Its jobs are over and no host ever took one: it has cost nothing.
        jobs.map(() => ({ label, perHourMicroUsd: 0n, fromMs: null })).slice(0, 1);
  }
  const isPast = holdsMachines(deployment) && jobs.every(isOver);
  const untilMs = isPast ? lastEndOf(jobs) : undefined;
  return untilMs === null
    ? []
    : [
        {
          ...{ label, perHourMicroUsd, fromMs: Math.min(...begun) },
          ...(untilMs === undefined ? {} : { untilMs }),
        },
      ];
}

/** When the last of its jobs was seen to have ended; of one that never had any, when it changed last. */
const endOf = ({ updated_at: changedMs }: Deployment, jobs: readonly Job[]): number | null =>
  lastEndOf(jobs) ?? changedMs;

function lastEndOf(jobs: readonly Job[]): number | null {
  const ends = jobs.flatMap(({ updated_at: atMs }) => (atMs === null ? [] : [atMs]));
  return ends.length === 0 ? null : Math.max(...ends);
}

function messageOf(word: string, jobs: readonly Job[]): string {
  switch (word) {
    case 'INSUFFICIENT_FUNDS':
      return 'Nosana says INSUFFICIENT_FUNDS: the account’s credits do not carry it.';
    case 'STARTING':
    case 'RUNNING':
      return jobs.some(runs)
        ? `Nosana says ${word}.`
        : jobs.length > 0 && jobs.every(isOver)
          ? `Nosana says ${word}, and its job has ended: its host went away, or what ran there did.`
          : `Nosana says ${word}: the job waits for a host of its market.`;
    default:
      return `Nosana says ${word}.`;
  }
}

export const goneInstance = (id: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message: 'Nosana does not know it.',
});
