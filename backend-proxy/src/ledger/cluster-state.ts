/** What one cluster's rows say together. */
import type { NodeId } from '@hitch/contract';
import type { AttemptRecord, ClusterRecord, MemberRecord, NodeRecord, SegmentRecord } from './records.ts';

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

/** Made elsewhere, and taken over to be counted and ended: nothing of ours is on it. */
export const isOnlyWatched = ({ adopted }: Pick<AttemptRecord, 'adopted'>): boolean =>
  adopted !== null && !adopted.isSetUp;

/** Those of the present nodes that live on no machine which is only watched. */
export function workingNodes(
  state: Pick<ClusterState, 'cluster' | 'nodes' | 'attempts'>,
): readonly NodeRecord[] {
  const watched = new Set(state.attempts.flatMap(attempt => (isOnlyWatched(attempt) ? [attempt.id] : [])));
  return presentNodes(state).filter(({ attemptId }) => attemptId === null || !watched.has(attemptId));
}

/** The machine of a purchase that a node lives on, by its rank; undefined: none of it. */
export function memberOf(
  { members }: Pick<AttemptRecord, 'members'>,
  nodeId: NodeId,
): (MemberRecord & { readonly rank: number }) | undefined {
  const rank = members.findIndex(member => member.nodeId === nodeId);
  const member = members[rank];
  return member === undefined ? undefined : { ...member, rank };
}

/** The present nodes that live on a purchase, by their index. */
export function nodesOn(
  state: Pick<ClusterState, 'cluster' | 'nodes'>,
  { id }: Pick<AttemptRecord, 'id'>,
): readonly NodeRecord[] {
  return presentNodes(state).filter(({ attemptId }) => attemptId === id);
}

/** The nodes of a purchase of several machines but the first. */
export function othersFor(
  { nodes }: Pick<ClusterState, 'nodes'>,
  { members }: Pick<AttemptRecord, 'members'>,
): readonly NodeRecord[] {
  return members.slice(1).flatMap(({ nodeId }) => nodes.find(({ id }) => id === nodeId) ?? []);
}

/** Whether a purchase was for this node, alone or among others. */
export const isFor = ({ members }: Pick<AttemptRecord, 'members'>, id: NodeId): boolean =>
  members.some(({ nodeId }) => nodeId === id);

/** Names one machine of a purchase, on the machine itself: its folder there, and the tag of its processes. */
export function memberRef(attempt: Pick<AttemptRecord, 'ref' | 'members'>, nodeId: NodeId): string {
  return refOfRank(attempt.ref, memberOf(attempt, nodeId)?.rank ?? 0);
}

export const refOfRank = (ref: string, rank: number): string =>
  rank === 0 ? ref : `${ref}-${rank.toString()}`;

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
