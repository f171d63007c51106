/** Runs a notebook's cells one after the other on one kernel and fills in what they print. */
import type { JsonObject } from '@hitch/contract';
import { cellIdOf, isSkipped, mayFail, type Notebook, type NotebookCell } from './format.ts';
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

/** The cell as Jupyter saves it after this run. */
function filled(cell: NotebookCell, result: ExecuteResult): NotebookCell {
  return {
    ...cell,
    outputs: [...result.outputs],
    execution_count: result.executionCount,
    metadata: { ...cell.metadata, execution: result.timing },
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

const isRunnable = (cell: NotebookCell): boolean =>
  cell.cell_type === 'code' && cell.source.trim() !== '' && !isSkipped(cell);

/** A fresh run begins without the outputs of the last one. */
function withoutOutputs(notebook: Notebook): Notebook {
  const cells = notebook.cells.map(cell =>
    cell.cell_type === 'code' && !isSkipped(cell) ? { ...cell, outputs: [], execution_count: null } : cell,
  );
  return { ...notebook, cells };
}

/** A notebook that fills while its cells run. */
class Filling {
  readonly #kernel: KernelClient;
  #notebook: Notebook;
  /** What the kernel says of its language, once it has. */
  #language: JsonObject = {};
  /** Cells by the messages that ran them. */
  readonly #cells = new Map<string, CellPlace>();
  readonly #lost = new Map<number, number>();

  constructor(notebook: Notebook, kernel: KernelClient) {
    this.#kernel = kernel;
    this.#notebook = withoutOutputs(notebook);
  }

  set info(info: JsonObject | null) {
    const language = info?.['language_info'];
    this.#language = language === undefined ? {} : { language_info: language };
  }

  get places(): readonly CellPlace[] {
    const cells = this.#notebook.cells.flatMap((cell, index) => (isRunnable(cell) ? [{ cell, index }] : []));
    return cells.map(({ cell, index }, at) => ({ number: at + 1, of: cells.length, index, cell }));
  }

  fill(place: CellPlace, result: ExecuteResult): void {
    this.#cells.set(result.messageId, place);
    this.#noteLoss(place, result.lostBytes);
    this.#put(place.index, cell => filled(cell, result));
  }

  #put(at: number, change: (cell: NotebookCell) => NotebookCell): void {
    const cells = this.#notebook.cells.map((cell, index) => (index === at ? change(cell) : cell));
    this.#notebook = { ...this.#notebook, cells };
  }

  #noteLoss({ number }: CellPlace, lostBytes: number | null): void {
    if (lostBytes !== null) {
      this.#lost.set(number, lostBytes);
    }
  }

  /** With what cells have shown since they were over. */
  get now(): Notebook {
    for (const [messageId, { outputs, lostBytes }] of this.#kernel.changes()) {
      const place = this.#cells.get(messageId);
      if (place !== undefined) {
        this.#noteLoss(place, lostBytes);
        this.#put(place.index, cell => ({ ...cell, outputs: [...outputs] }));
      }
    }
    const widgets = this.#kernel.widgets();
    const metadata = {
      ...this.#notebook.metadata,
      ...this.#language,
      ...(widgets === null ? {} : { widgets }),
    };
    return { ...this.#notebook, metadata };
  }

  get incomplete(): readonly Incomplete[] {
    return [...this.#lost].map(([number, lostBytes]) => ({ number, lostBytes }));
  }
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
  const { kernel } = options;
  const filling = new Filling(notebook, kernel);
  const over = Promise.withResolvers<undefined>();
  const asked = kernel.info(over.promise).then(info => (filling.info = info));
  const end = async (cellsRun: number, failed: RunResult['failed']): Promise<RunResult> => {
    // Whoever answers cells has answered that before.
    over.resolve(undefined);
    await asked;
    return { notebook: filling.now, cellsRun, failed, incomplete: filling.incomplete };
  };
  let cellsRun = 0;
  for (const place of filling.places) {
    if (options.signal?.aborted === true) {
      break;
    }
    options.started?.(place);
    const result = await kernel.execute(requestFor(place, options));
    cellsRun += 1;
    filling.fill(place, result);
    options.changed?.(filling.now);
    options.ended?.(place, result);
    const tolerated = options.allowErrors || (mayFail(place.cell) && !result.timedOut);
    if (result.status !== 'ok' && !tolerated) {
      return end(cellsRun, { place, sentence: failure(result), timedOut: result.timedOut });
    }
  }
  return end(cellsRun, null);
}
