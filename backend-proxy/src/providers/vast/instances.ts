/** A rented machine as Vast.ai shows it, in Hitch's words. */
import { cutText } from '@hitch/contract';
import * as z from 'zod';
import { microUsdOf } from '../http/dollars.ts';
import type { Got, Instance, InstanceStatus, Rate, SshAddress } from '../provider.ts';
import { MACHINE, modelOf, trustOf } from './offers.ts';
import type { InstanceRow } from './shapes.ts';

/**
 * The network's words for a container. One that is `offline` or `unknown` has a host that does not answer the network,
 * which says nothing of the machine: those are no words that are known. Source: the API reference, and dstack
 * `backends/vastai/compute.py`, `update_provisioning_data`.
 */
const STATUS: Readonly<Record<string, InstanceStatus>> = {
  created: 'booting',
  loading: 'booting',
  scheduling: 'booting',
  rebooting: 'booting',
  running: 'running',
  frozen: 'stopped',
  stopped: 'stopped',
  exited: 'stopped',
};
/** Nothing comes of a container that Docker could not make, whatever its status goes on to say. */
const DEAD = /OCI runtime create failed/i;
const LONGEST_WORDS = 300;

export function statusOf(row: InstanceRow): InstanceStatus {
  if (isHalted(row) || isDead(row)) {
    return 'stopped';
  }
  return STATUS[wordOf(row)] ?? 'unknown';
}

/** Empty until the host has said anything of it. */
const wordOf = ({ actual_status: said }: InstanceRow): string =>
  said === null || said === undefined || said === '' ? 'created' : said.toLowerCase();

const isDead = (row: InstanceRow): boolean => wordOf(row) === 'created' && DEAD.test(row.status_msg ?? '');

/** Nobody wants it to run: it was stopped, outbid, or the account ran empty. What its host says may be older. */
const isHalted = ({ cur_state: is, intended_status: wanted, next_state: next }: InstanceRow): boolean =>
  is === 'stopped' && wanted === 'stopped' && (next ?? 'stopped') === 'stopped';

export function instanceOf(row: InstanceRow): Instance {
  const status = statusOf(row);
  const ends = row.end_date;
  return {
    id: row.id,
    mark: row.label ?? null,
    status,
    members: [
      { id: row.id, rank: 0, status, ssh: status === 'running' ? sshOf(row) : null, privateAddress: null },
    ],
    rates: ratesOf(row, status),
    ...gotOf(row),
    ...(typeof ends === 'number' && ends > 0 ? { endsAtMs: Math.round(ends * 1000) } : {}),
    message: messageOf(row),
  };
}

export const goneInstance = (id: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message: `Vast.ai knows no ${id}.`,
});

/**
 * The disk is charged from the purchase to the end, whatever becomes of the machine; the machine from when it runs, and
 * not while it is stopped. One that ended by itself keeps its place on the host, and is taken to be charged.
 */
function ratesOf(row: InstanceRow, status: InstanceStatus): readonly Rate[] {
  const { dph_total: total, start_date: start } = row;
  if (total === null || total === undefined) {
    return [];
  }
  const said = diskRate(row);
  const disk = said < total ? said : total;
  const isAhead = status === 'booting' || isHalted(row) || isDead(row) || wordOf(row) === 'stopped';
  return [
    {
      label: 'Disk',
      perHourMicroUsd: disk,
      fromMs: typeof start === 'number' ? Math.round(start * 1000) : null,
    },
    { label: MACHINE, perHourMicroUsd: total - disk, fromMs: null, ...(isAhead ? { isAhead } : {}) },
  ];
}

function diskRate({
  storage_total_cost: said,
  storage_cost: perMonth,
  disk_space: gib,
}: InstanceRow): bigint {
  if (said !== null && said !== undefined) {
    return said;
  }
  // A part of a GB is charged as a part: in thousandths, which is as finely as sizes are written.
  return typeof gib === 'number' && perMonth !== null && perMonth !== undefined
    ? microUsdOf(perMonth, { times: BigInt(Math.round(gib * 1000)), over: 720_000n })
    : 0n;
}

function gotOf(row: InstanceRow): { readonly got?: Got } {
  const { num_gpus: gpuCount, is_bid: isBid } = row;
  if (gpuCount === null || gpuCount === undefined) {
    return {};
  }
  return {
    got: {
      gpuModel: modelOf(row),
      gpuCount,
      market: isBid === true ? 'spot' : 'on_demand',
      trust: trustOf(row),
    },
  };
}

const mappedPorts = z.record(z.string(), z.unknown());
const mappedPort = z
  .tuple([z.looseObject({ HostPort: z.coerce.number().int().min(1).max(65_535) })])
  .rest(z.unknown());

/**
 * Straight to the machine where a port of it leads to sshd, else by way of the network's own proxy, whose port for ssh is
 * the next one where Jupyter has the first. Source: `vastai` 1.9.1, `cli/commands/misc.py`, `_ssh_url`.
 */
function sshOf(row: InstanceRow): SshAddress | null {
  const direct = mappedPort.safeParse(mappedPorts.safeParse(row.ports).data?.['22/tcp']);
  const address = row.public_ipaddr?.trim() ?? '';
  if (direct.success && address !== '') {
    return rented(address, direct.data[0].HostPort);
  }
  const host = row.ssh_host?.trim() ?? '';
  const port = Number(row.ssh_port ?? 0);
  const isNext = (row.image_runtype ?? '').includes('jupyter');
  return host === '' || !Number.isInteger(port) || port < 1 ? null : rented(host, isNext ? port + 1 : port);
}

const rented = (host: string, port: number): SshAddress => ({
  kind: 'rented',
  host,
  port,
  user: 'root',
  hostKeys: null,
});

function messageOf(row: InstanceRow): string {
  const said = cutText((row.status_msg ?? '').replace(/\s+/g, ' ').trim(), LONGEST_WORDS).replace(/\.$/, '');
  if (isDead(row)) {
    return `Vast.ai could not start the container, and will not: ${said}.`;
  }
  if (isHalted(row)) {
    const why =
      row.is_bid === true ? 'somebody bid more, or the account is empty' : 'the account may be empty';
    return `Vast.ai stopped it: ${why}. Its disk is charged on.`;
  }
  const word = row.actual_status ?? 'not said yet';
  return `Vast.ai says: ${word}${said === '' ? '' : `, ${said}`}.`;
}
