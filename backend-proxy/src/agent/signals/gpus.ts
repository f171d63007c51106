/** GPUs as `nvidia-smi` tells of them; a node without it has none. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Signals } from '@hitch/contract';

const run = promisify(execFile);
type Gpu = Signals['gpus'][number];

const QUERY = [
  '--query-gpu=index,name,utilization.gpu,memory.used,memory.total',
  '--format=csv,noheader,nounits',
];

/**
 * What of a machine's GPUs this node has: its programs see no others, and the work of others must not count as its own.
 * nvidia-smi itself does not look at the variable; its `--id` takes the same names, and numbers.
 */
export function visibleGpus(visible: string | undefined): readonly string[] {
  // Parts of a GPU (MIG) have no line of their own there.
  return visible !== undefined && /^(?:GPU-[\w-]+|\d+)(?:,(?:GPU-[\w-]+|\d+))*$/.test(visible)
    ? [`--id=${visible}`]
    : [];
}

export const queryOf = (visible: string | undefined): readonly string[] => [
  ...visibleGpus(visible),
  ...QUERY,
];

/** One line a GPU. Values such as `[N/A]` or `[Not Supported]` become null; lines that are no GPU are left out. */
export function parseGpus(csv: string): Gpu[] {
  const gpus: Gpu[] = [];
  for (const line of csv.split('\n')) {
    const fields = line.split(',').map(field => field.trim());
    const [index = '', ...rest] = fields;
    const [total, used, utilization] = rest.splice(-3).reverse();
    const name = rest.join(', ');
    if (/^\d+$/.test(index) && name !== '') {
      gpus.push({
        index: Number(index),
        name,
        utilizationPercent: figure(utilization),
        vramUsedMiB: figure(used),
        vramTotalMiB: figure(total),
      });
    }
  }
  return gpus;
}

function figure(text: string | undefined): number | null {
  const digits = /^(\d+(?:\.\d+)?)/.exec(text ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Reads the GPUs; once the program is known to be missing it is not looked for again. */
export function gpuReader(): () => Promise<Gpu[]> {
  const visible = process.env['CUDA_VISIBLE_DEVICES'];
  const query = queryOf(visible);
  // A use of a machine's that has none of its GPUs: its driver would show those of others all the same.
  let missing = visible === '';
  return async () => {
    if (missing) {
      return [];
    }
    try {
      return parseGpus((await run('nvidia-smi', [...query], { timeout: 10_000 })).stdout);
    } catch (error) {
      missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      return [];
    }
  };
}
