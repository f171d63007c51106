/** Runs a notebook's cells one after the other on one kernel and fills in what they print. */
import { cellIdOf, mayFail, type Notebook, type NotebookCell } from './format.ts';
import type { ExecuteRequest, ExecuteResult, KernelClient } from './kernel-client.ts';

export interface CellPlace {
  /** Counts code cells, from 1. */
  readonly number: number;
  readonly of: number;
  /** Index among all cells of the notebook. */
  readonly index: number;
  readonly cell: NotebookCell;
}

export interface RunOptions {
  readonly kernel: KernelClient;
  /** The most one cell may take; null: as long as it needs. */
  readonly cellTimeoutMs: number | null;
  /** Goes on after a cell that failed. */
  readonly allowErrors: boolean;
  readonly signal?: AbortSignal;
  readonly started?: (place: CellPlace) => void;
  readonly ended?: (place: CellPlace, result: ExecuteResult) => void;
  readonly stream?: ExecuteRequest['stream'];
  readonly output?: ExecuteRequest['output'];
  readonly input?: ExecuteRequest['input'];
  /** Called with the notebook as it stands after each cell, so that a crash here loses at most one cell. */
  readonly changed?: (notebook: Notebook) => void;
}

export interface RunResult {
  readonly notebook: Notebook;
  /** Code cells that ran, whether well or not. */
  readonly cellsRun: number;
  /** The cell that ended the run; null when all ran well. */
  readonly failed: {
    readonly place: CellPlace;
    readonly sentence: string;
    readonly timedOut: boolean;
  } | null;
  /** Cells whose output is not all there. */
  readonly incomplete: readonly Incomplete[];
}

export interface Incomplete {
  readonly number: number;
  /** 0: nobody knows how much. */
  readonly lostBytes: number;
}

const isoTime = (atMs: number): string => new Date(atMs).toISOString();

/** The cell as Jupyter saves it after this run. */
function filled(cell: NotebookCell, result: ExecuteResult): NotebookCell {
  return {
    ...cell,
    outputs: [...result.outputs],
    execution_count: result.executionCount,
    metadata: {
      ...cell.metadata,
      execution: {
        'iopub.execute_input': isoTime(result.startedAtMs),
        'shell.execute_reply': isoTime(result.endedAtMs),
      },
    },
  };
}

function failure(result: ExecuteResult): string {
  if (result.timedOut) {
    const seconds = Math.round((result.endedAtMs - result.startedAtMs) / 1000);
    return `was interrupted after ${seconds} s: its time was up`;
  }
  if (result.status === 'aborted') {
    return 'did not run: the kernel stopped at an earlier error';
  }
  const value = (result.errorValue ?? '').split('\n')[0] ?? '';
  return `failed with ${result.errorName ?? 'an error'}${value === '' ? '' : `: ${value}`}`;
}

const isRunnable = (cell: NotebookCell): boolean => cell.cell_type === 'code' && cell.source.trim() !== '';

/** A fresh run begins without the outputs of the last one. */
function withoutOutputs(notebook: Notebook): Notebook {
  const cells = notebook.cells.map(cell =>
    cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell,
  );
  return { ...notebook, cells };
}

const requestFor = (place: CellPlace, options: RunOptions): ExecuteRequest => ({
  code: place.cell.source,
  cellId: cellIdOf(place.cell, place.index),
  timeoutMs: options.cellTimeoutMs,
  ...(options.stream === undefined ? {} : { stream: options.stream }),
  ...(options.output === undefined ? {} : { output: options.output }),
  ...(options.input === undefined ? {} : { input: options.input }),
  ...(options.signal === undefined ? {} : { signal: options.signal }),
});

/**
 * Runs the code cells in order and stops at the first that fails, unless it may.
 * A cell over its time limit counts as failed. @throws KernelLostError when the kernel is gone.
 */
export async function runNotebook(notebook: Notebook, options: RunOptions): Promise<RunResult> {
  let current = withoutOutputs(notebook);
  const places = current.cells.flatMap((cell, index) => (isRunnable(cell) ? [{ cell, index }] : []));
  let cellsRun = 0;
  const incomplete: Incomplete[] = [];
  for (const [at, { cell, index }] of places.entries()) {
    const place: CellPlace = { number: at + 1, of: places.length, index, cell };
    if (options.signal?.aborted === true) {
      break;
    }
    options.started?.(place);
    const result = await options.kernel.execute(requestFor(place, options));
    cellsRun += 1;
    if (result.lostBytes !== null) {
      incomplete.push({ number: place.number, lostBytes: result.lostBytes });
    }
    const cells = current.cells.map((other, otherIndex) =>
      otherIndex === index ? filled(other, result) : other,
    );
    current = { ...current, cells };
    options.changed?.(current);
    options.ended?.(place, result);
    const tolerated = options.allowErrors || (mayFail(cell) && !result.timedOut);
    if (result.status !== 'ok' && !tolerated) {
      return {
        notebook: current,
        cellsRun,
        failed: { place, sentence: failure(result), timedOut: result.timedOut },
        incomplete,
      };
    }
  }
  return { notebook: current, cellsRun, failed: null, incomplete };
}
