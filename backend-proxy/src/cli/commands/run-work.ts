/** The work of `run`: cells through a kernel, outputs to a file. */
import type { Context } from '../context.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatNotebook } from '../notebook/format.ts';
import type { ExecuteRequest, KernelClient } from '../notebook/kernel-client.ts';
import { runNotebook, type Incomplete } from '../notebook/run-notebook.ts';
import { ask, askHidden } from '../screen/prompt.ts';
import { incompleteFailure } from './incomplete.ts';
import type { RunReport } from './run-report.ts';
import type { RunSource } from './run-source.ts';

export interface WorkOptions {
  readonly cellTimeoutMs: number | null;
  readonly allowErrors: boolean;
  readonly signal: AbortSignal;
}

/** `input()` is answered by the person at the terminal, where there is one. */
function inputFrom({ io }: Context): { input?: NonNullable<ExecuteRequest['input']> } {
  return io.interactive
    ? { input: (prompt, password) => (password ? askHidden(io, prompt) : ask(io, prompt)) }
    : {};
}

const interruptedOr = (signal: AbortSignal, code: ExitCode): ExitCode =>
  signal.aborted ? EXIT.interrupted : code;

export async function runCell(
  context: Context,
  client: KernelClient,
  source: Extract<RunSource, { kind: 'cell' }>,
  options: WorkOptions,
  report: RunReport,
): Promise<ExitCode> {
  const result = await client.execute({
    code: source.code,
    cellId: null,
    timeoutMs: options.cellTimeoutMs,
    signal: options.signal,
    stream: (name, text) => report.stream(name, text),
    output: output => report.output(output),
    ...inputFrom(context),
  });
  const ok = result.status === 'ok';
  report.done({ cellsRun: 1, ok, notebook: null });
  if (result.timedOut) {
    throw new CommandFailure(
      EXIT.timedOut,
      'CONFLICT',
      'The cell was interrupted: it ran longer than --timeout.',
    );
  }
  const code = interruptedOr(options.signal, ok || options.allowErrors ? EXIT.ok : EXIT.cellFailed);
  if (code === EXIT.ok && result.lostBytes !== null) {
    throw incompleteFailure('Some output of the cell is missing', result.lostBytes);
  }
  return code;
}

export async function runWholeNotebook(
  context: Context,
  client: KernelClient,
  source: Extract<RunSource, { kind: 'notebook' }>,
  options: WorkOptions,
  report: RunReport,
): Promise<ExitCode> {
  const result = await runNotebook(source.notebook, {
    kernel: client,
    ...options,
    started: place => report.cellStarted(place),
    ended: (place, cellResult) => report.cellEnded(place, cellResult),
    stream: (name, text) => report.stream(name, text),
    output: output => report.output(output),
    // Each cell's output is on disk before the next one runs.
    changed: notebook => writeFileAtomic(source.outputPath, formatNotebook(notebook), 0o644),
    ...inputFrom(context),
  });
  writeFileAtomic(source.outputPath, formatNotebook(result.notebook), 0o644);
  report.done({ cellsRun: result.cellsRun, ok: result.failed === null, notebook: source.outputPath });
  if (result.failed === null) {
    if (!options.signal.aborted && result.incomplete.length > 0) {
      throw incompleteNotebook(result.incomplete, source.outputPath);
    }
    return interruptedOr(options.signal, EXIT.ok);
  }
  const { place, sentence, timedOut } = result.failed;
  if (options.signal.aborted) {
    return EXIT.interrupted;
  }
  throw new CommandFailure(
    timedOut ? EXIT.timedOut : EXIT.cellFailed,
    'CONFLICT',
    `Cell ${place.number} of ${place.of} ${sentence}.`,
    { next: `The outputs so far are in ${source.outputPath}.` },
  );
}

function incompleteNotebook(cells: readonly Incomplete[], path: string): CommandFailure {
  const numbers = cells.map(({ number }) => number).join(', ');
  return incompleteFailure(
    `Some outputs of ${cells.length === 1 ? 'cell' : 'cells'} ${numbers} are missing`,
    cells.reduce((sum, { lostBytes }) => sum + lostBytes, 0),
    `Lines that begin with [Hitch] in ${path} say where and why.`,
  );
}
