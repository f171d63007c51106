/** Which GPUs of a machine one use may have: some of those that no other use has. Pure. */
import type { FarGpu } from '../../machines/far/nvidia.ts';
import type { Lease } from './leases.ts';

/** GPUs of one model that can be taken together. */
export interface GpuPart {
  /** The last word of the offer's id: `gpu` for all of the machine, `2of8` for two. */
  readonly id: string;
  readonly count: number;
  /** Of the whole machine. */
  readonly total: number;
  /** Those that it may be taken from. Of those that one use has had, a later one may be given others. */
  readonly from: readonly FarGpu[];
}

/** Those that no use has. A use that does not say which it has, has all of them. */
export function freeGpus(gpus: readonly FarGpu[], leases: readonly Lease[]): readonly FarGpu[] {
  const users = leases.filter(({ gpuCount }) => gpuCount > 0);
  const taken = new Set(users.flatMap(({ gpuIds }) => gpuIds));
  return users.some(({ gpuIds }) => gpuIds.length === 0) ? [] : gpus.filter(({ uuid }) => !taken.has(uuid));
}

/**
 * What can be taken now: all of the machine's, and 1, 2, 4, 8… and the rest of each model. A machine whose driver does not
 * name each of its GPUs is taken as a whole.
 */
export function gpuParts(gpus: readonly FarGpu[], free: readonly FarGpu[]): readonly GpuPart[] {
  const total = gpus.length;
  const whole = free.length === total && total > 0 ? [{ id: 'gpu', count: total, total, from: gpus }] : [];
  if (!canBeNamed(gpus)) {
    return whole;
  }
  const models = [...new Set(gpus.map(({ model }) => model))];
  const parts = models.flatMap((model, index) => {
    const from = free.filter(gpu => gpu.model === model);
    const kind = models.length === 1 ? '' : `-${(index + 1).toString()}`;
    return countsUpTo(from.length)
      .filter(count => count < total)
      .map(count => ({ id: `${count.toString()}of${total.toString()}${kind}`, count, total, from }));
  });
  return [...whole, ...parts];
}

const canBeNamed = (gpus: readonly FarGpu[]): boolean =>
  new Set(gpus.map(({ uuid }) => uuid)).size === gpus.length && gpus.every(({ uuid }) => uuid !== '');

/**
 * The part of a machine that was offered, to be taken from all of its GPUs of that model: the machine itself says which of
 * them are free by now. Null: it has not so many.
 */
export function offeredPart(
  gpus: readonly FarGpu[],
  { gpuCount: count, gpuModel }: { readonly gpuCount: number; readonly gpuModel: string | null },
): Omit<GpuPart, 'id'> | null {
  const total = gpus.length;
  if (count === total) {
    return { count, total, from: gpus };
  }
  const from = gpus.filter(({ model }) => model === gpuModel);
  return canBeNamed(gpus) && count <= from.length ? { count, total, from } : null;
}

/** 1, 2, 4… and the number itself, the most first. */
function countsUpTo(most: number): readonly number[] {
  const counts = new Set<number>(most > 0 ? [most] : []);
  for (let count = 1; count < most; count *= 2) {
    counts.add(count);
  }
  return [...counts].toSorted((one, other) => other - one);
}

/** What a part costs of a machine's price, rounded up. */
export function shareOf(
  pricePerHourMicroUsd: string,
  { count, total }: Pick<GpuPart, 'count' | 'total'>,
): string {
  const whole = BigInt(pricePerHourMicroUsd) * BigInt(count);
  return ((whole + BigInt(total) - 1n) / BigInt(total)).toString();
}
