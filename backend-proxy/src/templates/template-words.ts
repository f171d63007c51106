/** A template in words, and as what is asked of the offers. */
import type { OfferFilter } from '@hitch/contract';
import { formatMicroUsd } from '@hitch/contract';
import { needsOf, type Locks } from '@hitch/contract/src/templates/lock.ts';
import {
  amountMicroUsd,
  timeMs,
  type Template,
  type TemplateCommand,
  type TemplateResource,
} from '@hitch/contract/src/templates/schema.ts';
import type { TemplateDetails } from '@hitch/contract/src/templates/wire.ts';

/** `1× RTX 4090 or RTX 5090, 24 GB; 32 GB memory; 100 GB disk; spot allowed` */
export function machineWords({ gpu, cpus, memoryGiB, diskGiB, machine, spot }: TemplateResource): string {
  const card =
    gpu === undefined
      ? null
      : [
          `${gpu.count}× ${gpu.models?.join(' or ') ?? 'any GPU'}`,
          ...(gpu.vramGiB === undefined ? [] : [`${gpu.vramGiB} GB`]),
        ].join(', ');
  const parts = [
    card,
    cpus === undefined ? null : `${cpus} ${cpus === 1 ? 'core' : 'cores'}`,
    memoryGiB === undefined ? null : `${memoryGiB} GB memory`,
    diskGiB === undefined ? null : `${diskGiB} GB disk`,
    machine === 'any' ? null : machine === 'vm' ? 'a VM' : 'a container',
    spot === 'never' ? null : spot === 'only' ? 'spot only' : 'spot allowed',
  ].filter(part => part !== null);
  return parts.length === 0 ? 'any machine' : parts.join('; ');
}

const MIB = 1024;

/** The first machine of the list as a search for offers, with what the template proposes as limits. */
export function rentWish(
  template: Template,
  resources: readonly TemplateResource[],
): NonNullable<TemplateDetails['rent']> {
  const { nodes } = template.cluster;
  const count = typeof nodes === 'number' ? nodes : nodes.min;
  const { total, time, idle, perHour } = template.limits ?? {};
  const cap = amountMicroUsd(total);
  const most = amountMicroUsd(perHour);
  return {
    filter: { ...filterOf(resources[0]), ...(count > 1 ? { multiNode: true } : {}) },
    nodes: count,
    capMicroUsd: cap === undefined ? null : formatMicroUsd(cap),
    maxNodePricePerHourMicroUsd: most === undefined ? null : formatMicroUsd(most / BigInt(count)),
    timeMs: timeMs(time) ?? null,
    idleMs: timeMs(idle) ?? null,
    save: Object.values(template.outputs).map(({ path }) => path),
    secrets: Object.entries(template.secrets)
      .filter(([, { required }]) => required)
      .map(([name]) => name),
  };
}

/** A machine as a template asks for it, as a search for offers. */
export function filterOf(resource: TemplateResource | undefined): OfferFilter {
  if (resource === undefined) {
    return {};
  }
  const { gpu, cpus, memoryGiB, diskGiB, machine, spot } = resource;
  return {
    ...(gpu === undefined
      ? {}
      : {
          minGpuCount: gpu.count,
          maxGpuCount: gpu.count,
          ...(gpu.models === undefined ? {} : { gpuModels: gpu.models }),
          ...(gpu.vramGiB === undefined ? {} : { minVramMiB: gpu.vramGiB * MIB }),
        }),
    ...(cpus === undefined ? {} : { minCpuCores: cpus }),
    ...(memoryGiB === undefined ? {} : { minRamMiB: memoryGiB * MIB }),
    ...(diskGiB === undefined ? {} : { minDiskGiB: diskGiB }),
    ...(machine === 'any' ? {} : { kinds: machine === 'vm' ? ['vm', 'bare_metal'] : ['container'] }),
    ...(spot === 'allowed'
      ? { markets: ['on_demand', 'spot'] }
      : spot === 'only'
        ? { markets: ['spot'] }
        : {}),
    // What a network does not state is tried; a machine that has less is given back.
    ...(cpus === undefined && memoryGiB === undefined && diskGiB === undefined ? {} : { orNotStated: true }),
  };
}

export const lockWords = (locks: Locks): TemplateDetails['locks'] =>
  Object.entries(locks).map(([accelerator, lock]) => {
    const { cudaMajor, because } = needsOf(lock);
    return {
      accelerator,
      file: lock.file,
      packages: lock.packages.length,
      needs: cudaMajor === null ? '' : `driver with CUDA ${cudaMajor} or newer (${because ?? ''})`,
    };
  });

/** What runs, on one line or as its script. */
export const commandWords = ({ command, script }: TemplateCommand): string =>
  command === undefined ? (script ?? '').trimEnd() : command.join(' ');

/** A folder's name as a template may be called. */
export function templateName(folder: string): string {
  const plain = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 48)
    .replace(/-+$/, '');
  return plain.length < 2 ? 'my-template' : plain;
}
