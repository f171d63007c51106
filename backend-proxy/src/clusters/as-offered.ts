/**
 * Whether a machine is what was bought, by what it says of itself: looked at before anything is set up there. It is asked
 * for facts alone, some kilobytes, and nothing is fetched over its network for it.
 */
import { format, type Offer } from '@hitch/contract';
import type { MachineHas } from '../access/host.ts';
import type { Terms } from '../ledger/records.ts';

/** Drivers keep some of a GPU's memory: L4 and L40S say 94 % of what they are sold with, A10 92 %. */
const LEAST_MEMORY = 0.9;
/** An image may fill some of a disk that is bought; less than half of it free is another disk. */
const LEAST_FREE_DISK = 0.5;
/** Certificates of package servers are refused by clocks that are off by much; so much a slow connection does not take. */
const MOST_CLOCK_S = 600;

export const isFarOff = ({ clockAheadS }: MachineHas): boolean => Math.abs(clockAheadS) > MOST_CLOCK_S;

/**
 * What is worse than it was bought with, the end of a sentence each; none where all is there. A disk counts where its size is
 * bought: what comes with a machine may be a second disk, at a place that only its network knows.
 */
export function worseThanBought(
  offer: Pick<Offer, 'gpuCount' | 'vramMiB' | 'cudaMax' | 'takes'>,
  { diskGiB }: Pick<Terms, 'diskGiB'>,
  has: MachineHas,
): readonly string[] {
  return [
    ...gpuProblems(offer, has),
    ...(offer.takes?.disk !== undefined &&
    has.freeDiskMiB !== null &&
    has.freeDiskMiB < diskGiB * 1024 * LEAST_FREE_DISK
      ? [`${format.gigabytes(has.freeDiskMiB)} of disk free, and ${diskGiB.toString()} GB were bought`]
      : []),
    ...(isFarOff(has)
      ? [
          `a clock that is ${format.duration(Math.abs(has.clockAheadS) * 1000)} ${has.clockAheadS > 0 ? 'ahead' : 'behind'}`,
        ]
      : []),
  ];
}

function gpuProblems(
  { gpuCount, vramMiB, cudaMax }: Pick<Offer, 'gpuCount' | 'vramMiB' | 'cudaMax'>,
  has: MachineHas,
): readonly string[] {
  if (has.gpuCount < gpuCount) {
    const said = has.gpuProblem === null ? '' : ` (nvidia-smi says: ${format.clause(has.gpuProblem)})`;
    return [
      `${has.gpuCount === 0 ? 'no GPU' : gpus(has.gpuCount)}${said}, and ${gpus(gpuCount)} ${gpuCount === 1 ? 'was' : 'were'} offered`,
    ];
  }
  return [
    ...(has.gpuMemoryMiB !== null && has.gpuMemoryMiB < vramMiB * LEAST_MEMORY
      ? [`GPUs with ${format.gigabytes(has.gpuMemoryMiB)}, and ${format.gigabytes(vramMiB)} were offered`]
      : []),
    ...(has.cudaMax !== null && cudaMax !== null && isOlder(has.cudaMax, cudaMax)
      ? [`a driver for CUDA up to ${has.cudaMax}, and ${cudaMax} was offered`]
      : []),
  ];
}

const gpus = (count: number): string => (count === 1 ? '1 GPU' : `${count.toString()} GPUs`);

/** Whether one version of CUDA (`12.4`) is before another. */
function isOlder(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
