/** Which executions of a kernel a notebook lacks. Pure. */
import type { Execution } from '@hitch/contract';

/** A cell as it was saved. */
export interface SavedCell {
  readonly id: string;
  readonly executionCount: number | null;
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
  const newest = new Map<string, Execution>();
  for (const execution of executions) {
    if (execution.cellId !== null) {
      newest.set(execution.cellId, execution);
    }
  }
  const lacked = cells.flatMap(cell => {
    const execution = newest.get(cell.id);
    return execution === undefined || isShown(cell, execution, savedSeq) ? [] : [execution];
  });
  return [...lacked.filter(isUnfinished), ...lacked.filter(execution => !isUnfinished(execution))];
}

function isShown(cell: SavedCell, execution: Execution, savedSeq: number | null): boolean {
  if (isUnfinished(execution)) {
    return false;
  }
  const { executionCount, lastSeq } = execution;
  const hadNoTurn = executionCount === null;
  // JupyterLab writes a cell's count when it has seen its end.
  return hadNoTurn || executionCount === cell.executionCount || (savedSeq !== null && lastSeq <= savedSeq);
}
