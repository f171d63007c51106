/** What a run shows: text for people, or one JSON line for each thing that happens. */
import type { Cluster, NotebookOutput } from '@hitch/contract';
import type { ExecuteResult } from '../notebook/kernel-client.ts';
import type { StartedKernel } from '../notebook/kernel-session.ts';
import type { CellPlace } from '../notebook/run-notebook.ts';
import { outputWords } from '../notebook/show-output.ts';
import type { Io } from '../screen/io.ts';

/** Characters of a cell's first line. */
const LONGEST_LINE = 80;

export class RunReport {
  readonly #io: Io;
  readonly #json: boolean;
  #atLineStart = true;

  constructor(io: Io, json: boolean, kernel: StartedKernel, cluster: Cluster) {
    this.#io = io;
    this.#json = json;
    if (json) {
      io.jsonLine({
        type: 'kernel',
        cluster: cluster.name,
        kernelId: kernel.kernelId,
        name: kernel.kernelName,
      });
    }
  }

  cellStarted(place: CellPlace): void {
    if (this.#json) {
      this.#io.jsonLine({ type: 'cell', number: place.number, of: place.of, index: place.index });
    } else {
      const first = place.cell.source.split('\n').find(line => line.trim() !== '') ?? '';
      const shown = first.length > LONGEST_LINE ? `${first.slice(0, LONGEST_LINE - 1)}…` : first;
      this.note(`[${place.number}/${place.of}] ${shown}`);
    }
  }

  stream(name: 'stdout' | 'stderr', text: string): void {
    if (this.#json) {
      this.#io.jsonLine({ type: 'stream', name, text });
      return;
    }
    this.#io.output(text, name === 'stderr' ? 'error' : 'out');
    this.#atLineStart = text.endsWith('\n');
  }

  output(output: NotebookOutput): void {
    if (this.#json) {
      this.#io.jsonLine({ type: 'output', output });
      return;
    }
    this.#io.endOutput();
    this.#freshLine();
    this.#io.output(outputWords(output), output.output_type === 'error' ? 'error' : 'out');
  }

  cellEnded(place: CellPlace, result: ExecuteResult): void {
    if (this.#json) {
      const { status, executionCount, startedAtMs, endedAtMs } = result;
      this.#io.jsonLine({
        type: 'cell_ended',
        number: place.number,
        status,
        executionCount,
        durationMs: endedAtMs - startedAtMs,
      });
    }
  }

  /** Something about the way to the kernel; not part of the output. */
  notice(sentence: string): void {
    if (this.#json) {
      this.#io.jsonLine({ type: 'notice', message: sentence });
    } else {
      this.note(sentence);
    }
  }

  done(summary: { readonly cellsRun: number; readonly ok: boolean; readonly notebook: string | null }): void {
    if (this.#json) {
      this.#io.jsonLine({ type: 'done', ...summary });
    } else if (summary.ok && summary.notebook !== null) {
      this.note(`${summary.cellsRun} cells ran. Outputs are in ${summary.notebook}.`);
    }
  }

  /** A line on standard error that begins at the left even when a cell printed half a line. */
  note(text: string): void {
    this.#freshLine();
    this.#io.endOutput();
    this.#io.note(this.#io.styleError('dim', text));
  }

  #freshLine(): void {
    if (!this.#atLineStart && this.#io.stdout.isTTY === true) {
      this.#io.line();
    }
    this.#atLineStart = true;
  }
}
