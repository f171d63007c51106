/** From a started kernel to a client that survives what happens on the way. */
import type { Context } from '../context.ts';
import type { Session } from '../session.ts';
import { type Cluster, isOver } from '@hitch/contract';
import { KernelClient } from './kernel-client.ts';
import type { JupyterApi, StartedKernel } from './kernel-session.ts';
import { openSocketChannel } from './socket-channel.ts';

export interface OpenKernelOptions {
  readonly context: Pick<Context, 'clock' | 'ids' | 'random'>;
  readonly session: Session;
  readonly cluster: Cluster;
  readonly jupyter: JupyterApi;
  readonly kernel: StartedKernel;
  readonly notice: (sentence: string) => void;
}

export async function openKernelClient(options: OpenKernelOptions): Promise<KernelClient> {
  const { session, cluster, jupyter, kernel, notice } = options;
  const { clock, ids, random } = options.context;
  const channel = await openSocketChannel({
    session,
    path: jupyter.channelsPath(kernel.kernelId),
    clock,
    ids,
    random,
    whyGone: async () => {
      const { name, phase, message } = await session.api.clusters.get({ clusterId: cluster.id });
      return isOver({ phase })
        ? `${name} is ${phase}${message === '' ? '' : `: ${message}`}; its kernels are gone.`
        : null;
    },
  });
  return new KernelClient({
    channel,
    clock,
    ids,
    interrupt: () => jupyter.interrupt(kernel.kernelId),
    notice,
    connection: state =>
      notice(
        state === 'down'
          ? 'The way to the kernel is broken; the cell goes on there. Coming back…'
          : 'Connected again; what the cell said meanwhile follows.',
      ),
  });
}
