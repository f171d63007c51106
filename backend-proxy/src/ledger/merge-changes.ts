import { keyOf } from './kind.ts';
import { ALL_KINDS, type Kinds, rowsOf } from './records.ts';
import type { Change } from './store.ts';

/** One change from many; where two wrote the same row, the later one stands. */
export function mergeChanges(changes: readonly Change[], kinds: Kinds = ALL_KINDS): Change {
  const [only] = changes;
  if (only !== undefined && changes.length === 1) {
    return only;
  }
  const rows = kinds.flatMap(kind => {
    const written = changes.flatMap(change => rowsOf(kind, change));
    return written.length === 0
      ? []
      : [[kind.name, [...new Map(written.map(row => [keyOf(kind, row), row])).values()]] as const];
  });
  return {
    ...Object.fromEntries(rows),
    events: changes.flatMap(change => change.events ?? []),
    forget: changes.flatMap(change => change.forget ?? []),
  };
}
