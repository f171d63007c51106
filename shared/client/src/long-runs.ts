/**
 * Which runs of a notebook took so long that a person looks elsewhere by now: one cell, or several that ran one after the other,
 * as *Run All* has them. Each is told of once, when nothing of its notebook runs any more.
 */
import * as format from '@hitch/contract/src/format.ts';

export interface EndedRun {
  readonly notebook: string;
  readonly cells: number;
  readonly failed: number;
  /** From the beginning of the first cell to the end of the last. */
  readonly tookMs: number;
}

/** `train.ipynb: 12 cells on llm-dev have ended after 14 min, 1 of them with an error.` @param name the notebook's */
export function endedRunWords({ cells, failed, tookMs }: EndedRun, name: string, cluster: string): string {
  const what = cells === 1 ? 'a cell' : `${cells.toString()} cells`;
  const have = cells === 1 ? 'has' : 'have';
  const how =
    failed === 0 ? '' : cells === 1 ? ', with an error' : `, ${failed.toString()} of them with an error`;
  return `${name}: ${what} on ${cluster} ${have} ended after ${format.duration(tookMs)}${how}.`;
}

export interface LongRunsOptions {
  /** What takes less is told of to nobody (ms); null: nothing is. Asked at each end. */
  readonly atLeastMs: () => number | null;
  readonly tell: (run: EndedRun) => void;
  /** Runs it so much later. @returns what prevents it. */
  readonly later: (run: () => void, ms: number) => () => void;
}

/** Between two cells that were asked for together passes less; what a person begins after that is another run. */
const GAP_MS = 3_000;

interface Run {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly cells: number;
  readonly failed: number;
}

export class LongRuns {
  readonly #options: LongRunsOptions;
  readonly #runs = new Map<string, Run>();
  /** Cells that run or wait for their turn, by notebook. */
  readonly #going = new Map<string, Set<object>>();
  readonly #waiting = new Map<string, () => void>();

  constructor(options: LongRunsOptions) {
    this.#options = options;
  }

  /** A cell of this notebook runs, or waits for its turn. Said twice it counts once. */
  began(notebook: string, cell: object): void {
    this.#wait(notebook, null);
    this.#going.set(notebook, (this.#going.get(notebook) ?? new Set()).add(cell));
  }

  /** A cell of this notebook has ended, at these times of this computer (ms). */
  ended(
    notebook: string,
    cell: object,
    { beganMs, endedMs, ok }: { readonly beganMs: number; readonly endedMs: number; readonly ok: boolean },
  ): void {
    const before = this.#runs.get(notebook);
    const goesOn = before !== undefined && beganMs - before.endedMs <= GAP_MS;
    this.#runs.set(notebook, {
      beganMs: goesOn ? before.beganMs : beganMs,
      endedMs,
      cells: (goesOn ? before.cells : 0) + 1,
      failed: (goesOn ? before.failed : 0) + (ok ? 0 : 1),
    });
    this.left(notebook, cell);
  }

  /** A cell is there no more, whatever it did. */
  left(notebook: string, cell: object): void {
    const going = this.#going.get(notebook);
    going?.delete(cell);
    if (going === undefined || going.size === 0) {
      this.#going.delete(notebook);
      this.#wait(
        notebook,
        this.#options.later(() => this.#over(notebook), GAP_MS),
      );
    }
  }

  dispose(): void {
    this.#waiting.forEach(cancel => cancel());
    this.#waiting.clear();
  }

  #wait(notebook: string, cancel: (() => void) | null): void {
    this.#waiting.get(notebook)?.();
    if (cancel === null) {
      this.#waiting.delete(notebook);
    } else {
      this.#waiting.set(notebook, cancel);
    }
  }

  #over(notebook: string): void {
    const run = this.#runs.get(notebook);
    this.#runs.delete(notebook);
    this.#waiting.delete(notebook);
    const atLeastMs = this.#options.atLeastMs();
    const tookMs = run === undefined ? 0 : run.endedMs - run.beganMs;
    if (run !== undefined && atLeastMs !== null && tookMs >= atLeastMs) {
      this.#options.tell({ notebook, cells: run.cells, failed: run.failed, tookMs });
    }
  }
}
