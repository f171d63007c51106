/** Whether a machine is what was bought, by what it says of itself and how fast its network was measured to be. */
import { format, type Offer, shownName } from '@hitch/contract';
import type { MachineHas, NetworkSpeed } from '../access/host.ts';
import type { Terms } from '../ledger/records.ts';
import type { DriverNeeds } from '../spend/drivers.ts';

/** Drivers keep some of a GPU's memory: L4 and L40S say 94 % of what they are sold with, A10 92 %. */
const LEAST_MEMORY = 0.9;
/** An image may fill some of a disk that is bought; less than half of it free is another disk. */
const LEAST_FREE_DISK = 0.5;
/** Certificates of package servers are refused by clocks that are off by much; so much a slow connection does not take. */
const MOST_CLOCK_S = 600;
/**
 * One connection to one server says little of what a network could do at its best: it is held against no more than this, of
 * which a quarter must be there for the machine to stay, and half for nothing to be said.
 */
const MOST_JUDGED_MBPS = 100;
const LEAST_SPEED = 0.25;
const USUAL_SPEED = 0.5;
/** Any connection may be slow for some seconds: one measure is no reason to give a machine back. */
const MEASURES_NEEDED = 2;
/** A machine where measuring is cut again and again stays, with a warning. */
const MOST_BEGUN = 3;

export type Bought = Pick<Offer, 'gpuCount' | 'vramMiB' | 'cudaMax' | 'driver' | 'downMbps' | 'takes'>;

export const isFarOff = ({ clockAheadS }: MachineHas): boolean => Math.abs(clockAheadS) > MOST_CLOCK_S;

/**
 * What is worse than it was bought with, the end of a sentence each; none where all is there. A disk counts where its size is
 * bought: what comes with a machine may be a second disk, at a place that only its network knows.
 */
export function worseThanBought(
  offer: Bought,
  { diskGiB }: Pick<Terms, 'diskGiB'>,
  has: MachineHas,
  needs: DriverNeeds | null = null,
): readonly string[] {
  return [
    ...gpuProblems(offer, has, needs),
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
    ...(isSlow(offer, has.network) && (has.network?.ended ?? 0) >= MEASURES_NEEDED
      ? [
          `a network that brought ${speed(has.network?.downMbps ?? 0)} from the package index, and ${speed(offer.downMbps ?? 0)} were offered`,
        ]
      : []),
  ];
}

/**
 * Whether its network brings so little of what was offered that it goes back. A slow index of this computer's user would have one
 * machine after the other go back, so that what comes from that one is only said.
 */
const isSlow = ({ downMbps }: Pick<Offer, 'downMbps'>, network: NetworkSpeed | null): boolean =>
  network?.isOwnIndex !== true && isBelow(network?.downMbps ?? null, downMbps, LEAST_SPEED);

/**
 * Whether its network is to be measured, for the first time or once more: it is where what was measured so far would be a reason to
 * give it back. The daemon that began may not be the one that asks.
 */
export const isToBeMeasured = (offer: Pick<Offer, 'downMbps'>, network: NetworkSpeed | null): boolean =>
  network === null ||
  (isSlow(offer, network) && network.ended < MEASURES_NEEDED && network.begun < MOST_BEGUN);

const isBelow = (measured: number | null, offered: number | null, share: number): boolean =>
  measured !== null && offered !== null && measured < Math.min(offered, MOST_JUDGED_MBPS) * share;

/**
 * What a person should know of a network that is slower than offered and stays, a sentence each. What it sends is never a reason
 * to give it back: this computer's own connection may be what is slow.
 */
export function slowNetwork(
  { downMbps, upMbps }: Pick<Offer, 'downMbps' | 'upMbps'>,
  network: NetworkSpeed | null,
): readonly string[] {
  return [
    ...(isBelow(network?.downMbps ?? null, downMbps, USUAL_SPEED)
      ? [
          network?.isOwnIndex === true
            ? `Its network brought ${speed(network.downMbps ?? 0)} from the package index that is set on this computer, and ${speed(downMbps ?? 0)} were offered: that index or the machine's network is slow. Unset UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL where packages take long.`
            : `Its network brought ${speed(network?.downMbps ?? 0)} from the package index, and ${speed(downMbps ?? 0)} were offered: models and data may take long to get there. Rent another machine where that matters.`,
        ]
      : []),
    ...(isBelow(network?.upMbps ?? null, upMbps, LEAST_SPEED)
      ? [
          `It sent ${speed(network?.upMbps ?? 0)} to this computer, and ${speed(upMbps ?? 0)} were offered: its network or this computer's is slow. Leave time for saving what is large.`,
        ]
      : []),
  ];
}

const speed = (mbps: number): string =>
  `${mbps < 10 && !Number.isInteger(mbps) ? mbps.toFixed(1) : Math.round(mbps).toString()} Mbps`;

function gpuProblems(
  { gpuCount, vramMiB, cudaMax, driver }: Bought,
  has: MachineHas,
  needs: DriverNeeds | null,
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
      : has.driver !== null && driver !== undefined && branch(has.driver) < branch(driver)
        ? [`the NVIDIA driver ${has.driver}, and ${driver} was offered`]
        : []),
    // Any driver of a major version of CUDA runs what was made for another minor one.
    ...(gpuCount > 0 && has.cudaMax !== null && needs !== null && branch(has.cudaMax) < needs.cudaMajor
      ? [
          `a driver for CUDA up to ${has.cudaMax}, and ${shownName(needs.file)} brings CUDA ${needs.cudaMajor.toString()}`,
        ]
      : []),
  ];
}

/** `550` of a driver `550.54.15`, which hosts renew within as they please: what runs there is by the branch. */
const branch = (version: string): number => Number.parseInt(version, 10);

const gpus = (count: number): string => (count === 1 ? '1 GPU' : `${count.toString()} GPUs`);

/** Whether one version of CUDA (`12.4`) is before another. */
function isOlder(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
