import type { Change } from './store.ts';

/** One change from many; where two wrote the same row, the later one stands. */
export function mergeChanges(changes: readonly Change[]): Change {
  const [only] = changes;
  if (only !== undefined && changes.length === 1) {
    return only;
  }
  const latest = <T>(of: (change: Change) => readonly T[] | undefined, key: (row: T) => string): T[] => [
    ...new Map(changes.flatMap(change => of(change) ?? []).map(row => [key(row), row])).values(),
  ];
  const id = (row: { readonly id: string }) => row.id;
  return {
    clusters: latest(change => change.clusters, id),
    nodes: latest(change => change.nodes, id),
    attempts: latest(change => change.attempts, id),
    segments: latest(
      change => change.segments,
      ({ attemptId, index }) => `${attemptId} ${index.toString()}`,
    ),
    quotes: latest(change => change.quotes, id),
    events: changes.flatMap(change => change.events ?? []),
    forget: changes.flatMap(change => change.forget ?? []),
  };
}
