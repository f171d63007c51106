/** Which executions of a kernel a notebook lacks. Pure. */
import { type Execution, MOST_SAID } from '@hitch/contract';
import type { CellOrder } from './cell-orders.ts';

/** A cell as it was saved. */
export interface SavedCell {
  readonly id: string;
  readonly executionCount: number | null;
  readonly source: string;
}

export const isUnfinished = ({ state }: Pick<Execution, 'state'>): boolean =>
  state === 'queued' || state === 'running';

/**
 * Those to show, with what still runs first.
 * @param executions of one kernel, oldest first
 * @param savedSeq the kernel's last message that was shown when the notebook was saved; null where nobody knows. What
 * had ended by then is in the notebook, or was cleared on purpose.
 */
export function lacking(
  cells: readonly SavedCell[],
  executions: readonly Execution[],
  savedSeq: number | null,
): Execution[] {
  const newest = newestOf(executions, id => id);
  const lacked = cells.flatMap(cell => {
    const execution = newest.get(cell.id);
    return execution === undefined || isShown(cell, execution, savedSeq) ? [] : [execution];
  });
  return [...lacked.filter(isUnfinished), ...lacked.filter(execution => !isUnfinished(execution))];
}

/**
 * Those that are over and that a cell shows, or may show: threads and tasks of theirs can go on to print.
 * @param before null where all cells have the ids that they had
 */
export function over(
  cells: readonly SavedCell[],
  executions: readonly Execution[],
  before: CellOrder | null,
): Execution[] {
  const newest = newestOf(executions, id => id);
  const strays = before === null ? [] : strayed(cells, executions, null, before);
  return [...cells.flatMap(({ id }) => newest.get(id) ?? []), ...strays].filter(
    execution => !isUnfinished(execution),
  );
}

function newestOf<Key>(
  executions: readonly Execution[],
  keyOf: (cellId: string) => Key,
): ReadonlyMap<Key, Execution> {
  return new Map(
    executions.flatMap(execution =>
      execution.cellId === null ? [] : [[keyOf(execution.cellId), execution] as const],
    ),
  );
}

/** -1: nobody noted it. */
const placeOf = (cellId: string, before: CellOrder): number => before.findIndex(ids => ids.includes(cellId));

/**
 * Those that no cell lacks by its id, and that a cell may lack which had another id in the page before; the newest first.
 * @param before the cells as that page noted them
 */
export function strayed(
  cells: readonly SavedCell[],
  executions: readonly Execution[],
  savedSeq: number | null,
  before: CellOrder,
): Execution[] {
  if (renamed(cells, before).length === 0) {
    return [];
  }
  const known = new Set(cells.map(({ id }) => id));
  // One cell has had several ids: what it ran under an earlier one is older, and no other cell's.
  const newest = newestOf(executions, id => {
    const place = placeOf(id, before);
    return place < 0 ? id : place;
  });
  return [...newest.values()]
    .filter(execution => !known.has(execution.cellId ?? '') && !isSaved(execution, savedSeq))
    .sort((one, other) => executions.indexOf(other) - executions.indexOf(one));
}

/** Cells that the page before knew by another id, or not at all. */
function renamed<T extends SavedCell>(cells: readonly T[], before: CellOrder): readonly T[] {
  const known = new Set(before.flat());
  return cells.filter(({ id }) => !known.has(id));
}

/**
 * The cell of such an execution: one of the same source, nearest to the place that its cell had. Of two executions whose
 * places nobody knows, the newer belongs to the later cell.
 * @param execution with its code
 * @param taken cells that another execution has, by their ids
 */
export function cellOfStray<T extends SavedCell>(
  { cellId, code }: Pick<Execution, 'cellId' | 'code'>,
  cells: readonly T[],
  before: CellOrder,
  taken: ReadonlySet<string>,
): T | undefined {
  const place = cellId === null ? -1 : placeOf(cellId, before);
  const near = (cell: T): number =>
    place < 0 ? -cells.indexOf(cell) : Math.abs(cells.indexOf(cell) - place);
  return renamed(cells, before)
    .filter(({ id, source }) => source === code && !taken.has(id))
    .sort((one, other) => near(one) - near(other))[0];
}

/**
 * Whether the cluster knows no more what one of these cells printed last. A cell that never ran is none of them.
 * @param forgotten the cells whose last execution it has forgotten
 */
export function mayHaveForgotten(
  cells: readonly SavedCell[],
  executions: readonly Execution[],
  forgotten: readonly string[],
  before: CellOrder | null,
): boolean {
  const known = newestOf(executions, id => id);
  const unsure = cells.filter(({ id }) => !known.has(id));
  if (forgotten.length >= MOST_SAID.forgottenCells) {
    // The list is full: any of them may have been left out.
    return unsure.length > 0;
  }
  const gone = new Set(forgotten);
  const hasGone = (id: string): boolean => gone.has(id);
  if (before === null || renamed(unsure, before).length === 0) {
    return unsure.some(({ id }) => hasGone(id) || (before?.[placeOf(id, before)]?.some(hasGone) ?? false));
  }
  // Their ids are others by now, so that one of the cells before may be any of them. Where nobody noted those, all may.
  return before.length === 0 ? gone.size > 0 : before.flat().some(hasGone);
}

/** It had no turn, or the notebook was saved with all that it has shown. */
const isSaved = (execution: Execution, savedSeq: number | null): boolean =>
  !isUnfinished(execution) &&
  (execution.executionCount === null || (savedSeq !== null && execution.lastSeq <= savedSeq));

/**
 * JupyterLab writes a cell's count when it has seen its end. Where it is known up to where the notebook was saved, that
 * decides: threads and tasks may have printed since.
 */
export const isShown = (
  cell: Pick<SavedCell, 'executionCount'>,
  execution: Execution,
  savedSeq: number | null,
): boolean =>
  isSaved(execution, savedSeq) ||
  (savedSeq === null && !isUnfinished(execution) && execution.executionCount === cell.executionCount);
