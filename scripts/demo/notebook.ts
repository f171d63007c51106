// The demo's notebook: its first cell as soon as a kernel is there, the rest once Ray and the input file are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, outputText } from '@hitch/contract';
import { parseNotebook, type Notebook } from '../../backend-proxy/src/cli/notebook/format.ts';
import type { KernelClient } from '../../backend-proxy/src/cli/notebook/kernel-client.ts';
import { JupyterApi } from '../../backend-proxy/src/cli/notebook/kernel-session.ts';
import { openKernelClient } from '../../backend-proxy/src/cli/notebook/open-kernel.ts';
import { runNotebook } from '../../backend-proxy/src/cli/notebook/run-notebook.ts';
import { outputWords } from '../../backend-proxy/src/cli/notebook/show-output.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import type { Narrator } from './narrator.ts';

const NAME = 'ray-two-nodes.ipynb';
const CELL_TIMEOUT_MS = 180_000;

export interface DemoNotebook {
  /** The first code cell and what stands before it. */
  readonly first: Notebook;
  readonly rest: Notebook;
}

export function readDemoNotebook(samples: string): DemoNotebook {
  const notebook = parseNotebook(NAME, readFileSync(join(samples, NAME), 'utf8'));
  const split = notebook.cells.findIndex(cell => cell.cell_type === 'code') + 1;
  return {
    first: { ...notebook, cells: notebook.cells.slice(0, split) },
    rest: { ...notebook, cells: notebook.cells.slice(split) },
  };
}

export async function attachKernel(
  session: Session,
  cluster: Cluster,
  narrator: Narrator,
): Promise<KernelClient> {
  const jupyter = new JupyterApi(session, systemClock, cluster);
  const kernel = await jupyter.start(NAME, 'python3');
  return openKernelClient({
    context: { clock: systemClock, random: systemRandom, ids: createIds(systemClock, systemRandom) },
    session,
    cluster,
    jupyter,
    kernel,
    notice: sentence => narrator.step(sentence),
  });
}

export interface RunCellsOptions {
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
  /** Told as each cell begins, with its number among those of this run. */
  readonly started?: (number: number) => void;
}

/** Runs the cells and shows what they print. @returns how many ran. @throws Error when one failed. */
export async function runCells(
  kernel: KernelClient,
  notebook: Notebook,
  options: RunCellsOptions,
): Promise<number> {
  const { narrator, signal } = options;
  const { cellsRun, failed } = await runNotebook(notebook, {
    kernel,
    cellTimeoutMs: CELL_TIMEOUT_MS,
    allowErrors: false,
    signal,
    started: ({ number }) => options.started?.(number),
    // What Ray says of itself on standard error is not the notebook's story.
    stream: (name, text) => {
      if (name === 'stdout') narrator.output(outputText(text, false));
    },
    output: output => narrator.output(outputText(outputWords(output), false)),
  });
  signal.throwIfAborted();
  if (failed !== null) {
    throw new Error(`Cell ${failed.place.number} of the notebook ${failed.sentence}.`);
  }
  return cellsRun;
}
