/** A machine of one's own as clients show it: what it has, and what runs on it now. */
import type { MachineSeen } from '@hitch/contract';
import type { SeenMachine } from '../providers/own-machines.ts';

export function machineSeen(seen: SeenMachine): MachineSeen {
  const { name, facts, leases } = seen;
  return {
    name,
    summary: summaryOf(seen),
    lines: [...linesOf(seen)],
    system: facts.system,
    arch: facts.arch,
    cpuCores: facts.cpuCores,
    memoryMiB: facts.memoryMiB,
    tun: facts.tun,
    gpus: facts.gpus.gpus.map(({ model, memoryMiB, usedMiB, processes }) => ({
      model,
      memoryMiB,
      usedMiB,
      processes,
    })),
    places: facts.places.map(({ root, freeMiB }) => ({ root, freeMiB })),
    leases: leases.map(({ ref, by }) => ({ ref, by })),
  };
}

const count = (many: number, what: string): string => `${many.toString()} ${what}${many === 1 ? '' : 's'}`;

const gigabytes = (mib: number): string => `${Math.round(mib / 1024).toString()} GB`;

function summaryOf({ facts }: SeenMachine): string {
  const { gpus } = facts.gpus;
  const [first] = gpus;
  const has =
    first === undefined
      ? 'no GPU'
      : `${gpus.length.toString()}× ${first.model}, ${gigabytes(first.memoryMiB)}`;
  return `${has}, ${count(facts.cpuCores, 'CPU core')}, ${gigabytes(facts.memoryMiB)} of memory`;
}

function linesOf({ facts, leases }: SeenMachine): readonly string[] {
  const { driver, cudaMax, problem, gpus } = facts.gpus;
  return [
    `${facts.system || facts.os}, ${facts.arch}`,
    ...(driver === null ? [] : [`NVIDIA driver ${driver}, CUDA up to ${cudaMax ?? 'unknown'}`]),
    ...(problem === null ? [] : [`nvidia-smi says: ${problem}`]),
    ...gpus
      .filter(({ processes, usedMiB }) => processes > 0 || usedMiB > 0)
      .map(
        ({ model, processes, usedMiB }) =>
          `${model} in use now: ${count(processes, 'program')}, ${gigabytes(usedMiB)}`,
      ),
    ...facts.places.map(({ root, freeMiB }) => `${gigabytes(freeMiB)} free for ${root}`),
    ...facts.passed.map(folder => `${folder} was not looked at: it lies on a server`),
    facts.tun
      ? 'Network interfaces can be made there (TUN), as a VPN needs'
      : 'No network interface can be made there (TUN), as a VPN needs',
    facts.staysOpen === null
      ? 'As one of several machines of a cluster, it closes Ray’s ports to all others (nftables)'
      : `As one of several machines of a cluster, it leaves Ray’s ports open to its network: ${facts.staysOpen}`,
    leases.length === 0 ? 'No Hitch cluster runs there' : 'Hitch clusters running there:',
    ...leases.map(lease => `  ${lease.ref}, of ${lease.by}${gpuWords(lease)}`),
  ];
}

function gpuWords({ gpuCount, gpuIds }: SeenMachine['leases'][number]): string {
  return gpuCount === 0 ? '' : `, with ${gpuIds.length === 0 ? 'all GPUs' : gpuIds.join(', ')}`;
}
