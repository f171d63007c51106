/** `hitch kernels`: what runs on a cluster, also what a closed window left running; followed, interrupted or ended. */
import { HitchError, type Cluster, type Execution, type Kernel } from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupts.ts';
import { followExecutions } from '../notebook/follow-kernel.ts';
import { JupyterApi } from '../notebook/kernel-session.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import { clusterRef } from '../values.ts';
import { checkKernelIsUp } from './kernel-is-up.ts';
import { incompleteFailure } from './incomplete.ts';
import { RunReport } from './run-report.ts';

const kernelRef = z
  .string()
  .regex(/^[0-9a-f-]{4,36}$/, 'is not a kernel id; hitch kernels lists them')
  .optional();

const schema = z
  .object({
    cluster: clusterRef,
    follow: kernelRef,
    interrupt: kernelRef,
    end: kernelRef,
    json: z.boolean().default(false),
  })
  .refine(({ follow, interrupt, end }) => [follow, interrupt, end].filter(Boolean).length <= 1, {
    path: ['follow'],
    message: 'cannot be combined: choose one of --follow, --interrupt and --end',
  });
type KernelsInput = z.output<typeof schema>;

interface Place {
  readonly context: Context;
  readonly session: Session;
  readonly cluster: Cluster;
  readonly jupyter: JupyterApi;
}

const isOpen = ({ state }: Execution): boolean => state === 'queued' || state === 'running';

/** A kernel's state in words. */
export function kernelStateText(state: Kernel['state']): string {
  return state === 'busy' ? 'running a cell' : state === 'idle' ? 'idle' : state;
}

async function list({ context, session, cluster }: Place, json: boolean): Promise<ExitCode> {
  const kernels = await session.api.kernels.list({ clusterId: cluster.id });
  if (json) {
    context.io.json(kernels);
    return EXIT.ok;
  }
  if (kernels.length === 0) {
    context.io.line(`No kernel runs on ${cluster.name}.`);
  }
  for (const { id, name, state, path, clients } of kernels) {
    const watched = clients === 0 ? ', not connected to any client' : '';
    context.io.line(`${id}  ${name}  ${kernelStateText(state)}${watched}  ${path ?? ''}`.trimEnd());
  }
  return EXIT.ok;
}

/** Output from the start of what runs now, until it is over. Leaving ends nothing. */
async function follow(place: Place, wanted: string, json: boolean): Promise<ExitCode> {
  const { context, session, cluster, jupyter } = place;
  const kernel = await jupyter.reuse(wanted);
  const which = { clusterId: cluster.id, kernelId: kernel.kernelId };
  const look = (): Promise<Execution[]> => session.api.kernels.executions({ ...which, content: 'none' });
  const all = await look();
  const open = all.filter(isOpen);
  const meant = open.length > 0 ? open : all.slice(-1);
  if (meant.length === 0) {
    throw new HitchError('CONFLICT', `Nothing has run on the kernel ${kernel.kernelId} yet.`);
  }
  const report = new RunReport(context.io, json, kernel, cluster);
  const { epoch } = await session.api.kernels.cursor(which);
  return interruptible(context.interrupts, async signal => {
    const followed = await followExecutions({
      context,
      clock: context.clock,
      session,
      cluster,
      jupyter,
      kernelId: kernel.kernelId,
      from: { epoch, seq: 0 },
      messageIds: meant.map(({ messageId }) => messageId),
      look,
      report,
      signal,
    });
    if (followed === null) {
      report.notice(`It keeps running. Come back with ${followCommand(cluster, kernel.kernelId)}.`);
      return EXIT.interrupted;
    }
    const { executions, lostBytes } = followed;
    if (!executions.every(({ state }) => state === 'ok')) {
      return EXIT.cellFailed;
    }
    if (lostBytes !== null) {
      throw incompleteFailure('Some output is missing', lostBytes);
    }
    return EXIT.ok;
  });
}

export const followCommand = ({ name }: Pick<Cluster, 'name'>, kernelId: string): string =>
  `hitch kernels ${name} --follow ${kernelId.slice(0, 8)}`;

async function run(context: Context, input: KernelsInput): Promise<ExitCode> {
  const session = await context.session();
  const cluster = await findCluster(session.api, input.cluster);
  checkKernelIsUp(cluster);
  const jupyter = new JupyterApi(session, context.clock, cluster);
  const place: Place = { context, session, cluster, jupyter };
  if (input.follow !== undefined) {
    return follow(place, input.follow, input.json);
  }
  if (input.interrupt !== undefined) {
    const { kernelId } = await jupyter.reuse(input.interrupt);
    await jupyter.interrupt(kernelId);
    context.io.note(`Interrupted the kernel ${kernelId}.`);
    return EXIT.ok;
  }
  if (input.end !== undefined) {
    const { kernelId } = await jupyter.reuse(input.end);
    await jupyter.endKernel(kernelId);
    context.io.note(`Shut down the kernel ${kernelId}; its variables are gone.`);
    return EXIT.ok;
  }
  return list(place, input.json);
}

export const addKernels = defineCommand({
  usage: 'kernels <cluster>',
  summary: 'list the kernels of a cluster; follow, interrupt or shut one down',
  examples: [
    ['hitch kernels llm-dev', 'all kernels, also those left running by a closed window'],
    ['hitch kernels llm-dev --follow 3f2a91c0', 'the output of its running cell, from the start'],
    ['hitch kernels llm-dev --interrupt 3f2a91c0', 'interrupt its cell (keeps its variables)'],
    ['hitch kernels llm-dev --end 3f2a91c0', 'shut it down (its variables are lost)'],
  ],
  options: command =>
    command
      .option('--follow <id>', 'show the output of its running cells, from the start to the end')
      .option('--interrupt <id>', 'interrupt the running cell')
      .option('--end <id>', 'shut the kernel down'),
  schema,
  run,
});
