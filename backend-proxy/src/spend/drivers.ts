/** What the packages of an order need of a machine's NVIDIA driver, and which offers cannot run them. */
import { type LockedEnvironment, type Offer, shownName } from '@hitch/contract';

export interface DriverNeeds {
  readonly cudaMajor: number;
  /** The file that the packages were locked from. */
  readonly file: string;
}

/** Null where any driver will do. */
export function driverNeeds(
  lock: Pick<LockedEnvironment, 'accelerator' | 'file'> | null,
): DriverNeeds | null {
  const major = /^cuda(\d+)$/.exec(lock?.accelerator ?? '')?.[1];
  return lock === null || major === undefined ? null : { cudaMajor: Number(major), file: lock.file };
}

/**
 * The rest of a sentence that begins with the offer; null where it runs them, or does not say what it runs. A driver runs every
 * minor version of its major one. A machine of one's own is used as it is.
 */
export function driverProblem(
  { gpuCount, cudaMax, trust }: Pick<Offer, 'gpuCount' | 'cudaMax' | 'trust'>,
  needs: DriverNeeds | null,
): string | null {
  return needs === null ||
    gpuCount === 0 ||
    cudaMax === null ||
    trust === 'own' ||
    Number.parseInt(cudaMax, 10) >= needs.cudaMajor
    ? null
    : `has a driver for CUDA up to ${cudaMax}, and ${shownName(needs.file)} brings CUDA ${needs.cudaMajor.toString()}`;
}
