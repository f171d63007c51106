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

export interface Written {
  /** Name of the notebook's kernel, where it runs now. */
  readonly kernel: string | undefined;
  /** What its cells are written in; undefined where it does not say. */
  readonly language: string | undefined;
}

/** The kernels of one place. */
export const kernelsOf = (cluster: string | null, specs: Specs): readonly KernelSpec.ISpecModel[] =>
  Object.values(specs)
    .filter(spec => spec !== undefined)
    .filter(({ name }) => clusterOfKernel(name) === cluster);

/**
 * The kernel to change to, of the same kind as the present one where there is one, else one of the same language.
 * @param cluster its name; null: this computer
 * @returns undefined while the kernels there are not known, or where none is of the notebook's language
 */
export function kernelOn(
  cluster: string | null,
  { kernel, language }: Written,
  specs: { readonly default: string; readonly kernelspecs: Specs },
): string | undefined {
  const there = kernelsOf(cluster, specs.kernelspecs);
  const same = there.find(({ name }) => specName(name) === specName(kernel));
  const fitting =
    language === undefined
      ? there
      : there.filter(spec => spec.language.toLowerCase() === language.toLowerCase());
  const usual =
    fitting.find(({ name }) => name === specs.default) ??
    fitting.find(({ name }) => specName(name) === 'python3');
  return (same ?? usual ?? fitting[0])?.name;
}
