/** From a started kernel to a client that survives what happens on the way. */
import type { Context } from '../context.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import { type Cluster, isOver } from '@hitch/contract';
import { KernelClient } from './kernel-client.ts';
import type { JupyterApi, StartedKernel } from './kernel-session.ts';
import { openSocketChannel } from './socket-channel.ts';

export const CONNECTION_BROKE =
  'The connection to the kernel broke; the cell keeps running there. Reconnecting…';
export const CONNECTED_AGAIN = 'Connected again; the output of the meantime follows.';

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
    whyGone: () => whyGone(session, cluster),
  });
  return new KernelClient({
    channel,
    clock,
    ids,
    interrupt: () => jupyter.interrupt(kernel.kernelId),
    notice,
    connection: state => notice(state === 'down' ? CONNECTION_BROKE : CONNECTED_AGAIN),
  });
}

/** A sentence when the cluster is gone for good, else null. */
export async function whyGone({ api }: Session, cluster: Cluster): Promise<string | null> {
  const { name, phase, message } = await api.clusters.get({ clusterId: cluster.id });
  return isOver({ phase })
    ? `${name} is ${phase}${message === '' ? '' : `: ${message}`}; its kernels are gone.`
    : null;
}
