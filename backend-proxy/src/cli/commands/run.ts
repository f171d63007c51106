/** `hitch run`: a notebook or a cell on a cluster. */
import type { Cluster } from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupts.ts';
import { checkLanguage, chooseKernel, NO_WISH, wantedBy } from '../notebook/choose-kernel.ts';
import { KernelLostError } from '../notebook/errors.ts';
import { JupyterApi, type StartedKernel } from '../notebook/kernel-session.ts';
import { openKernelClient } from '../notebook/open-kernel.ts';
import type { KernelClient } from '../notebook/kernel-client.ts';
import { clusterRef, duration } from '../values.ts';
import { checkKernelIsUp } from './kernel-is-up.ts';
import { followCommand } from './kernels.ts';
import { RunReport } from './run-report.ts';
import { readSource, type RunSource } from './run-source.ts';
import { runCell, runWholeNotebook } from './run-work.ts';

const schema = z.object({
  cluster: clusterRef,
  notebook: z.string().optional(),
  code: z.string().optional(),
  inplace: z.boolean().default(false),
  kernel: z
    .string()
    .regex(/^[0-9a-f-]{4,36}$/, 'is not a kernel id; hitch show lists them')
    .optional(),
  keep: z.boolean().default(false),
  timeout: duration.optional(),
  allowErrors: z.boolean().default(false),
  json: z.boolean().default(false),
});
type RunInput = z.output<typeof schema>;

/** From here on somebody may think of going away. */
const LONG_MS = 20_000;

async function work(
  context: Context,
  input: RunInput,
  source: RunSource,
  client: KernelClient,
  report: RunReport,
): Promise<ExitCode> {
  const options = { cellTimeoutMs: input.timeout ?? null, allowErrors: input.allowErrors };
  return interruptible(context.interrupts, signal =>
    source.kind === 'cell'
      ? runCell(context, client, source, { ...options, signal }, report)
      : runWholeNotebook(context, client, source, { ...options, signal }, report),
  );
}

/** Jupyter gives two sessions of one path one kernel: each run has a path of its own. */
const sessionPath = (name: string, { ids }: Context): string => `${name} (hitch run ${ids.secret(3)})`;

async function kernelFor(
  context: Context,
  input: RunInput,
  source: RunSource,
  jupyter: JupyterApi,
  cluster: Cluster,
): Promise<{ kernel: StartedKernel; notice: string | null }> {
  const specs = await jupyter.specs();
  const wanted = source.kind === 'notebook' ? wantedBy(source.name, source.notebook) : NO_WISH;
  if (input.kernel !== undefined) {
    const kernel = await jupyter.reuse(input.kernel);
    checkLanguage(cluster.name, wanted, kernel.kernelName, specs);
    return { kernel, notice: null };
  }
  const { name, notice } = chooseKernel(cluster.name, wanted, specs);
  return { kernel: await jupyter.start(sessionPath(source.name, context), name), notice };
}

async function run(context: Context, input: RunInput): Promise<ExitCode> {
  const source = await readSource(context, input);
  const session = await context.session();
  const cluster = await findCluster(session.api, input.cluster);
  checkKernelIsUp(cluster);
  const jupyter = new JupyterApi(session, context.clock, cluster);
  const { kernel, notice } = await kernelFor(context, input, source, jupyter, cluster);
  const report = new RunReport(context.io, input.json, kernel, cluster);
  if (notice !== null) {
    report.notice(notice);
  }
  const client = await openKernelClient({
    context,
    session,
    cluster,
    jupyter,
    kernel,
    notice: sentence => report.notice(sentence),
  });
  const hint = context.clock.setTimer(() => {
    const back = followCommand(cluster, kernel.kernelId);
    report.notice(`This keeps running if you close the window. Come back to its output with ${back}.`);
  }, LONG_MS);
  try {
    return await work(context, input, source, client, report);
  } catch (error) {
    if (!(error instanceof KernelLostError)) throw error;
    throw new CommandFailure(EXIT.unreachable, 'UNREACHABLE', error.message, {
      next: `See the cluster with hitch show ${cluster.name}.`,
      cause: error,
    });
  } finally {
    hint.cancel();
    client.close();
    if (!input.keep) {
      await jupyter
        .end(kernel)
        .catch(() => report.notice('The kernel could not be shut down; it runs until the cluster stops.'));
    }
  }
}

export const addRun = defineCommand({
  usage: 'run <cluster> [notebook]',
  summary: 'run a notebook or a cell on a cluster, with live output',
  examples: [
    ['hitch run llm-dev train.ipynb', 'all cells; outputs go to train.out.ipynb'],
    ['hitch run llm-dev train.ipynb --inplace --timeout 1h', 'outputs into the file, at most an hour a cell'],
    ['hitch run llm-dev -c "import torch; torch.cuda.is_available()"', 'one cell'],
    ['hitch run llm-dev < script.py', 'code from standard input'],
    ['hitch run llm-dev -c "%pip install polars"', 'install a package; see hitch help packages'],
  ],
  options: command =>
    command
      .option('-c, --code <code>', 'one cell to run')
      .option('--inplace', 'write the outputs into the notebook itself')
      .option('--kernel <id>', 'attach to a running kernel (keeps its variables)')
      .option('--keep', 'keep the kernel running afterwards')
      .option('--timeout <duration>', 'interrupt a cell after this long')
      .option('--allow-errors', 'continue after a failing cell'),
  schema,
  run,
});
