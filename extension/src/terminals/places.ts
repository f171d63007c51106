/** Which terminals there are on a cluster, the way to each, and how one is chosen. */
import type { Cluster, ClusterId, HitchApi } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { clusterIdSchema } from '@hitch/contract/src/ids.ts';
import * as z from 'zod';
import { isLive } from '../daemon/state.ts';
import type { TerminalState } from './session.ts';

/** A terminal that a window shows; remembered, so that a reloaded window shows it again. */
export const shownSchema = z.object({ clusterId: clusterIdSchema, name: z.string().regex(/^\w{1,64}$/) });
export type Shown = z.infer<typeof shownSchema>;

export const isSame = (one: Shown, other: Shown): boolean =>
  one.clusterId === other.clusterId && one.name === other.name;

export const socketPath = ({ clusterId, name }: Shown): string =>
  `/clusters/${clusterId}/terminals/${encodeURIComponent(name)}/socket`;

/** `llm-dev`, and from the second on `llm-dev 2`: what the tab says. */
export const titleOf = (cluster: string, { name }: Shown): string =>
  name === '1' ? cluster : `${cluster} ${name}`;

type Terminals = HitchApi['terminals'];

/** One that runs there and is not shown here, such as one of yesterday; else a new one. @throws HitchError */
export async function chooseTerminal(
  terminals: Pick<Terminals, 'list' | 'create'>,
  clusterId: ClusterId,
  shown: readonly Shown[],
): Promise<Shown> {
  const running = await terminals.list({ clusterId });
  const waiting = running.find(({ name }) => !shown.some(one => isSame(one, { clusterId, name })));
  return { clusterId, name: (waiting ?? (await terminals.create({ clusterId }))).name };
}

/**
 * Whether it still runs. `cluster` is the newest that is known; undefined: not in the list.
 * @throws while nobody can say.
 */
export async function terminalState(
  terminals: Pick<Terminals, 'list'>,
  shown: Shown,
  cluster: Cluster | undefined,
): Promise<TerminalState> {
  if (cluster === undefined) {
    return { gone: 'This cluster is no longer in the list.' };
  }
  if (!isLive(cluster)) {
    return { gone: `${cluster.name} has stopped, and so has everything in this terminal.` };
  }
  try {
    const running = await terminals.list({ clusterId: shown.clusterId });
    return running.some(({ name }) => name === shown.name) ? 'runs' : 'ended';
  } catch (error) {
    if (error instanceof HitchError && error.code === 'NOT_FOUND') {
      return { gone: `${cluster.name} is no longer there.` };
    }
    throw error;
  }
}
