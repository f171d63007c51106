/** What one cluster's rows say together. */
import type { AttemptRecord, ClusterRecord, NodeRecord, SegmentRecord } from './records.ts';

/** All rows of one cluster. Never changed in place: a commit puts another in its stead. */
export interface ClusterState {
  readonly cluster: ClusterRecord;
  /** Of all rounds; see `presentNodes`. */
  readonly nodes: readonly NodeRecord[];
  readonly attempts: readonly AttemptRecord[];
  readonly segments: readonly SegmentRecord[];
}

/** The nodes of the present yes, the head first. */
export function presentNodes({
  cluster,
  nodes,
}: Pick<ClusterState, 'cluster' | 'nodes'>): readonly NodeRecord[] {
  return nodes.filter(({ quoteId }) => quoteId === cluster.quoteId).sort((a, b) => a.index - b.index);
}

/** Machines of this purchase that exist, may exist or are not counted yet: those that its network rented beside it too. */
export function machinesLeft({ state, seconds }: AttemptRecord): number {
  return (state === 'refused' || state === 'gone' ? 0 : 1) + seconds.length;
}

/** Something that exists, may exist or may still cost. */
export function isUnfinished(attempt: AttemptRecord): boolean {
  return machinesLeft(attempt) > 0;
}

/** A purchase without an answer, on a network that has no place for our mark: nobody but a person can look. */
export function isBeyondUs({ state, visibleByMs }: AttemptRecord): boolean {
  return state === 'quarantined' && visibleByMs === null;
}

export function isLost({ phase }: NodeRecord): boolean {
  return phase === 'failed' || phase === 'gone';
}
