/** What a person should know of a far machine that runs a cluster: what it is, and what is not as one would expect. */
import { cutText, type MachineAbout } from '@hitch/contract';
import * as z from 'zod';
import type { MachineHas, NetworkSpeed } from '../../access/host.ts';
import type { FarFacts } from './facts.ts';
import { networkWords } from './network-speed.ts';

/** What starts the agent again after a reboot; `nothing`: Hitch does, once it reaches the machine. */
export const atRebootSchema = z.enum(['unit', 'cron', 'nothing']);
export type AtReboot = z.infer<typeof atRebootSchema>;

/** What the torch of a machine's Python says. */
export interface TorchSays {
  readonly version: string;
  /** The CUDA that it was made for; null: it was made without. */
  readonly cuda: string | null;
  readonly seesGpus: boolean;
}

export interface Known {
  /** What a person calls it. */
  readonly name: string;
  readonly facts: FarFacts;
  /** Where Hitch is there. */
  readonly root: string;
  readonly atReboot: AtReboot;
  /** Null: there is none, or nobody has asked it. */
  readonly torch: TorchSays | null;
  /** Null: nobody has measured it. */
  readonly network: NetworkSpeed | null;
  /** By how much its clock is before this computer's, in seconds; negative: behind. */
  readonly clockAheadS: number;
  /** Whether other machines of the cluster reach it, and so everybody else who is near. */
  readonly isReached: boolean;
  /** Whether the cluster uses its GPUs. */
  readonly usesGpus: boolean;
}

/** So much a connection and two programs take: less says nothing. */
const CLOCK_TOLERANCE_S = 60;
const SLOW_DISK_MBPS = 20;
const LONGEST_NAME = 100;

export function aboutMachine(known: Known): MachineAbout {
  return { says: says(known), warnings: warnings(known), returnsAfterReboot: known.atReboot !== 'nothing' };
}

/** What is held against what was bought. */
export function machineHas(
  { gpus: { gpus, driver, cudaMax, problem }, places }: FarFacts,
  { clockAheadS, network }: Pick<MachineHas, 'clockAheadS' | 'network'>,
): MachineHas {
  // A driver that does not say how much memory there is says 0.
  const memories = gpus.map(({ memoryMiB }) => memoryMiB).filter(memoryMiB => memoryMiB > 0);
  return {
    gpuCount: gpus.length,
    gpuMemoryMiB: memories.length === 0 ? null : Math.min(...memories),
    driver,
    cudaMax,
    gpuProblem: problem,
    freeDiskMiB: places.length === 0 ? null : Math.max(...places.map(({ freeMiB }) => freeMiB)),
    clockAheadS,
    network,
  };
}

/** What would start an agent that is not there yet. */
export const rebootOf = ({ unit, cron }: FarFacts): AtReboot => (unit ? 'unit' : cron ? 'cron' : 'nothing');

/** @param text `<boot> <version> <CUDA> <yes or no>`, as far/bootstrap.sh writes it; of a boot before this one it says nothing */
export function parseTorch(text: string, boot: string): TorchSays | null {
  const [at, version, cuda, sees] = text.split(' ');
  return at !== boot || version === undefined || cuda === undefined || sees === undefined
    ? null
    : { version, cuda: cuda === 'none' ? null : cuda, seesGpus: sees === 'yes' };
}

function says({ facts, torch, root, network }: Known): string {
  const { driver, cudaMax } = facts.gpus;
  const speed = speedOf(facts, root);
  const torchFor = torch?.cuda === null ? 'without CUDA' : `for CUDA ${torch?.cuda ?? ''}`;
  return [
    cutText(facts.system, LONGEST_NAME) || facts.os,
    facts.arch,
    ...(facts.libc.name === 'unknown' ? [] : [`${facts.libc.name} ${facts.libc.version}`]),
    ...(driver === null ? [] : [`NVIDIA driver ${driver}`]),
    ...(cudaMax === null ? [] : [`CUDA up to ${cudaMax}`]),
    ...(torch === null ? [] : [`torch ${torch.version} ${torchFor}`]),
    // A VPN of the user's own needs it; most containers have none.
    ...(facts.tun ? ['TUN'] : []),
    ...(speed === null ? [] : [`disk writes ${speed.toString()} MB/s`]),
    ...(network === null ? [] : [networkWords(network)]),
  ].join(', ');
}

const speedOf = ({ places }: FarFacts, root: string): number | null =>
  places.find(place => place.root === root)?.writesMBps ?? null;

function warnings(known: Known): string[] {
  const { name, facts, root, atReboot } = known;
  const speed = speedOf(facts, root);
  return [
    ...(atReboot === 'nothing'
      ? [
          `If ${name} is restarted, nothing there starts Hitch's agent again until this computer reaches it: it has neither cron nor a systemd of its user that may run without a login.`,
        ]
      : []),
    ...(known.isReached && facts.staysOpen !== null
      ? [
          `Whoever reaches ${name} over its network reaches the ports of Ray there, which ask for the cluster's token: they are not closed to others, since ${facts.staysOpen}.`,
        ]
      : []),
    ...torchWarning(known),
    ...clockWarning(known),
    ...facts.silent.map(
      folder =>
        `${folder} on ${name} does not answer (a network folder whose server is away?): it is not used.`,
    ),
    ...(speed !== null && speed < SLOW_DISK_MBPS
      ? [`The disk of ${name} takes only ${speed.toString()} MB a second: installing and saving take long.`]
      : []),
  ];
}

function torchWarning({ name, facts, torch, usesGpus }: Known): string[] {
  const { gpus, driver, cudaMax } = facts.gpus;
  if (torch === null || torch.seesGpus || gpus.length === 0 || !usesGpus) {
    return [];
  }
  if (torch.cuda === null) {
    return [
      `The torch on ${name} (${torch.version}) was made without CUDA and sees no GPU: install one with CUDA.`,
    ];
  }
  return driver !== null && cudaMax !== null && isOlder(cudaMax, torch.cuda)
    ? [
        `The NVIDIA driver of ${name} (${driver}) runs CUDA up to ${cudaMax}, and its torch ${torch.version} needs ${torch.cuda}: torch sees no GPU until the driver is renewed or a torch for CUDA ${cudaMax} is installed.`,
      ]
    : [
        `torch ${torch.version} on ${name} sees no GPU (torch.cuda.is_available() is False), although nvidia-smi shows ${gpus.length.toString()}: check its CUDA libraries and the driver.`,
      ];
}

/** Whether one version of CUDA (`12.4`) is before another. */
function isOlder(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function clockWarning({ name, clockAheadS }: Known): string[] {
  const off = Math.abs(clockAheadS);
  if (off <= CLOCK_TOLERANCE_S) {
    return [];
  }
  const much =
    off < 7_200 ? `${Math.round(off / 60).toString()} min` : `${Math.round(off / 3_600).toString()} h`;
  return [
    `The clock of ${name} is ${much} ${clockAheadS > 0 ? 'ahead of' : 'behind'} this computer's: times of its files and logs are off by as much, and servers may refuse it for its certificates. Hitch's limits hold all the same.`,
  ];
}
