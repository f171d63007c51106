/** Where a notebook can run, and which kernel that means. Pure. */
import type { Cluster } from '@hitch/contract';
import type { KernelSpec } from '@jupyterlab/services';
import { isRemoteName, readKernelName } from '../kernels/names.ts';

/** The cluster a kernel's name stands for; null: this computer. */
export const clusterOfKernel = (name: string | undefined): string | null =>
  isRemoteName(name) ? (readKernelName(name)?.cluster ?? null) : null;

/** Those a notebook can have a kernel on now. */
export const canRunOn = ({ conditions, phase }: Cluster): boolean =>
  conditions.kernel.status === 'yes' && phase !== 'unreachable' && phase !== 'stopping';

type Specs = Readonly<Record<string, KernelSpec.ISpecModel | undefined>>;

/** What the kernel is called where it runs now: a notebook keeps it when it moves. */
const specName = (kernel: string | undefined): string | undefined =>
  isRemoteName(kernel) ? readKernelName(kernel)?.spec : kernel;

/**
 * The kernel to change to, of the same kind as the present one where there is one.
 * @param cluster its name; null: this computer
 * @returns undefined while the kernels there are not known
 */
export function kernelOn(
  cluster: string | null,
  present: string | undefined,
  specs: { readonly default: string; readonly kernelspecs: Specs },
): string | undefined {
  const wanted = specName(present);
  const there = Object.values(specs.kernelspecs)
    .map(spec => spec?.name)
    .filter(name => name !== undefined)
    .filter(name => clusterOfKernel(name) === cluster);
  const same = there.find(name => specName(name) === wanted);
  const usual =
    there.find(name => name === specs.default) ?? there.find(name => specName(name) === 'python3');
  return same ?? usual ?? there[0];
}
