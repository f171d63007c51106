/** What the simulated io.net answers, in the shapes that `iocloud/types.py` (ionet-cloud 0.4.1) reads. */
import type { MicroUsd } from '@hitch/contract';
import type { SimAnswer } from '../frame/simulator.ts';
import { costOf, type Deployment, endedAt, minutesOf } from './deployment.ts';
import { dollars, type Hardware } from './hardware.ts';
import type { ContainerOrder } from './requests.ts';

/** Everything comes in an envelope (`unwrap` of `iocloud/resources/_base.py`). */
export const data = (value: unknown): SimAnswer => ({ status: 200, body: { data: value } });

/** What went wrong with the request or the login (`parse_error` of `iocloud/_http.py`, envelopes 2 and 3). */
export const detail = (status: number, said: unknown): SimAnswer => ({ status, body: { detail: said } });

/** What went wrong with the business (envelope 1). */
export const failed = (status: number, error: string): SimAnswer => ({
  status,
  body: { status: 'failed', error },
});

export const NOT_FOUND = failed(404, 'Deployment not found');

/** Python's way to write a moment that has no zone; it is UTC. */
const moment = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString().replace('Z', '');

const percentOf = (deployment: Deployment, nowMs: number): number => {
  const { served } = minutesOf(deployment, nowMs);
  return Math.min(100, Math.round((served / (deployment.hours * 60)) * 100));
};

/** A row of `GET /deployments`: a part of the details, and the only place where the name stands. */
export function listRow(deployment: Deployment, word: string, nowMs: number): object {
  const { served, remaining } = minutesOf(deployment, nowMs);
  return {
    id: deployment.id,
    status: word,
    name: deployment.name,
    completed_percent: percentOf(deployment, nowMs),
    hardware_quantity: deployment.hardware.cards,
    brand_name: 'NVIDIA',
    hardware_name: deployment.hardware.name,
    compute_minutes_served: served,
    compute_minutes_remaining: remaining,
  };
}

/** `GET /deployment/{id}`. */
export function detailsOf(deployment: Deployment, word: string, nowMs: number): object {
  const { hardware } = deployment;
  const endMs = endedAt(deployment, nowMs);
  const { served, remaining } = minutesOf(deployment, nowMs);
  return {
    id: deployment.id,
    status: word,
    created_at: moment(deployment.createdAtMs),
    started_at: deployment.startedAtMs <= (endMs ?? nowMs) ? moment(deployment.startedAtMs) : null,
    finished_at: moment(endMs),
    // Once it has ended, what was given back is taken off.
    amount_paid: dollars(endMs === null ? deployment.paidMicroUsd : costOf(deployment, nowMs)),
    completed_percent: percentOf(deployment, nowMs),
    total_gpus: hardware.cards,
    ...(deployment.container === null
      ? { gpus_per_vm: hardware.cards, total_vms: 1 }
      : { gpus_per_container: hardware.cards, total_containers: 1 }),
    hardware_name: hardware.name,
    hardware_id: hardware.deployId,
    locations: [{ id: hardware.location, iso2: hardware.location, name: hardware.location }],
    brand_name: 'NVIDIA',
    compute_minutes_served: served,
    compute_minutes_remaining: remaining,
    ...(deployment.container === null
      ? { ssh_keys: deployment.sshKeys, github_ids: deployment.githubIds }
      : { container_config: configOf(deployment.container) }),
  };
}

/** `ContainerConfigView`: of what is secret only the names come back. */
const configOf = ({ image, entrypoint, environment, secretEnvironment, port }: ContainerOrder): object => ({
  image_url: image,
  traffic_port: port,
  env_variables: environment,
  secret_env_keys: Object.keys(secretEnvironment),
  entrypoint,
  args: null,
  command: null,
  replica_count: 1,
});

/**
 * A row of `GET /deployment/{id}/vms` or `…/containers`: lists that are empty may be null (`VmWorker`, `Container`).
 * @param way where ssh leads, or the web address; null: nothing leads there yet
 */
export function workerOf(deployment: Deployment, word: string, way: string | null): object {
  const { id, hardware, createdAtMs } = deployment;
  const common = {
    device_id: id,
    hardware: hardware.name,
    brand_name: 'NVIDIA',
    created_at: moment(createdAtMs),
    uptime_percent: 100,
    status: word,
  };
  return deployment.container === null
    ? {
        ...common,
        vm_id: `vm-${id.slice(0, 8)}`,
        gpus_per_vm: hardware.cards,
        vm_events: null,
        network_services: null,
        ssh_access: way,
        is_external: hardware.supplier === 'external',
      }
    : {
        ...common,
        container_id: `container-${id.slice(0, 8)}`,
        gpus_per_container: hardware.cards,
        container_events: [],
        public_url: way,
      };
}

/** `GET /price`. */
export function quoteOf(
  hardware: Hardware,
  free: number,
  total: MicroUsd,
  of: { readonly fee: MicroUsd; readonly percent: number },
): object {
  return {
    replica_count: 1,
    gpus_per_vm: hardware.cards,
    available_replica_count: [free],
    discount: 0,
    ionet_fee: dollars(of.fee),
    ionet_fee_percent: of.percent,
    currency_conversion_fee: 0,
    currency_conversion_fee_percent: 0,
    total_cost_usdc: dollars(total),
    min_non_promotional_credits_required: 0,
  };
}
