/** Which of a far machine's GPUs one use of it has. */
import { HostError } from '../../access/host.ts';
import type { FarFacts } from './facts.ts';
import type { FarGpu } from './nvidia.ts';

/**
 * @param said `<count> <names>` of its lease; null: it has no lease, and all that there are
 * @throws HostError where one that it was given is not there any more
 */
export function gpusOfUse(
  name: string,
  { gpus: { gpus } }: FarFacts,
  said: string | null,
): readonly FarGpu[] {
  if (said === null) {
    return gpus;
  }
  const [count = '', names = ''] = said.split(' ');
  if (names === '') {
    return gpus.slice(0, Number(count));
  }
  const wanted = names.split(',');
  const missing = wanted.filter(each => gpus.every(({ uuid }) => uuid !== each));
  if (missing.length > 0) {
    throw new HostError(
      `${name} does not show the GPU ${missing.join(', ')} that this cluster has there: check its driver with nvidia-smi.`,
      { fatal: true },
    );
  }
  return gpus.filter(({ uuid }) => wanted.includes(uuid));
}
