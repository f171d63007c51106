/** Notebooks that move to a cluster as soon as it can run them. Kept by the window: it may be loaded anew meanwhile. */
import type { Cluster } from '@hitch/contract';
import { isOver } from '@hitch/contract/src/words.ts';
import * as z from 'zod';
import { canRun } from '../daemon/state.ts';

export const moveSchema = z.object({
  clusterId: z.string(),
  /** The notebook's URI. */
  notebook: z.string(),
  /** The number of the cell to run there; null: none. */
  cell: z.number().int().min(0).nullable(),
});
export type Move = z.infer<typeof moveSchema>;

export const movesSchema = z.array(moveSchema);

export interface Sorted {
  /** Their clusters can run a notebook now. */
  readonly due: readonly Move[];
  readonly waiting: readonly Move[];
}

/**
 * What is left out is over: its cluster has ended, or is in no list any more.
 * @param unlisted clusters that were ordered a moment ago: a list without them is older than the order
 */
export function sortMoves(
  moves: readonly Move[],
  clusters: readonly Cluster[],
  unlisted: ReadonlySet<string>,
): Sorted {
  const of = ({ clusterId }: Move) => clusters.find(({ id }) => id === clusterId);
  const alive = moves.filter(move => {
    const cluster = of(move);
    return cluster === undefined ? unlisted.has(move.clusterId) : !isOver(cluster);
  });
  const isDue = (move: Move): boolean => {
    const cluster = of(move);
    return cluster !== undefined && canRun(cluster);
  };
  return { due: alive.filter(isDue), waiting: alive.filter(move => !isDue(move)) };
}
