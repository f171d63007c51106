/** The check itself: rent, wait, run a cell, end, and wait until the network says that it is gone. */
import { type Cluster, HitchError, isGone, isOver, type Quote } from '@hitch/contract';
import { followCluster } from '../clusters.ts';
import { order } from '../commands/order.ts';
import type { Context } from '../context.ts';
import { CommandFailure, describeFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { lineWriter } from '../line-writer.ts';
import { chooseKernel, NO_WISH } from '../notebook/choose-kernel.ts';
import { JupyterApi } from '../notebook/kernel-session.ts';
import { openKernelClient } from '../notebook/open-kernel.ts';
import { LiveLine } from '../screen/live-line.ts';

export interface Step {
  readonly name: string;
  readonly atMs: number;
}

export interface Worked {
  /** As it was seen last; null: it was not ordered. */
  readonly cluster: Cluster | null;
  readonly steps: readonly Step[];
  /** Why it did not pass, a sentence; null: it did. */
  readonly problem: string | null;
}

const CELL = 'print(6 * 7)';
const CELL_SAYS = '42\n';
const CELL_LIMIT_MS = 120_000;

/** Whatever goes wrong on the way, and when Ctrl-C comes, it ends what it rented and waits for that. */
export async function rentAndEnd(context: Context, quote: Quote, json: boolean): Promise<Worked> {
  const { clock } = context;
  const begunAt = clock.monotonic();
  const steps: Step[] = [];
  const note = (name: string): void => {
    steps.push({ name, atMs: Math.round(clock.monotonic() - begunAt) });
  };
  const { api } = await context.session();
  let cluster: Cluster | null = null;
  const problems: string[] = [];
  // While it listens Ctrl-C ends no command: what may have been bought is not left to itself.
  const ctrlC = { isPressed: false };
  const release = context.interrupts.listen(() => {
    ctrlC.isPressed = true;
  });
  try {
    cluster = await order(context, () => api.clusters.create({ quoteId: quote.id }));
    note('ordered');
    if (ctrlC.isPressed) {
      throw new InterruptedError();
    }
    cluster = await untilReady(context, cluster, json);
    note('ready');
    await runCell(context, cluster);
    note('a cell ran');
  } catch (error) {
    problems.push(describeFailure(error).envelope.message);
    if (cluster === null && isUnanswered(error)) {
      problems.push('It may have been rented all the same: see hitch ls.');
    }
  }
  if (cluster !== null) {
    const left = await endAll(context, cluster, json);
    cluster = left.cluster;
    if (left.problem === null) {
      note('gone');
    } else {
      problems.push(left.problem);
    }
  }
  release();
  return { cluster, steps, problem: problems.length === 0 ? null : problems.join(' ') };
}

const isUnanswered = (error: unknown): boolean => error instanceof HitchError && error.code === 'UNREACHABLE';

async function untilReady(context: Context, { id }: Cluster, json: boolean): Promise<Cluster> {
  const settled = await follow(context, id, json, ({ phase }) => phase === 'ready' || isOver({ phase }));
  if (settled.phase !== 'ready') {
    throw failed(`It did not become ready: ${settled.message === '' ? settled.phase : settled.message}`);
  }
  return settled;
}

/** Asks for its end, and waits for that. What it says of a failure depends on whether it was asked for. */
async function endAll(
  context: Context,
  cluster: Cluster,
  json: boolean,
): Promise<Pick<Worked, 'problem'> & { readonly cluster: Cluster }> {
  const { id, name } = cluster;
  let isEnding = false;
  try {
    const { api } = await context.session();
    const now = await order(context, () => api.clusters.get({ clusterId: id }));
    if (!isGone(now)) {
      await order(context, () => api.clusters.stop({ clusterId: id, skipSave: true }));
    }
    isEnding = true;
    if (!json) {
      context.io.line(`Ending ${name}, and waiting until it is confirmed gone.`);
    }
    return { cluster: await follow(context, id, json, isGone), problem: null };
  } catch (error) {
    const why = describeFailure(error).envelope.message;
    const problem = isEnding
      ? `${name} is not confirmed gone: ${why} Hitch goes on ending it; see hitch ls.`
      : `${name} was not told to end, and costs on until its limits end it: ${why} End it: hitch stop ${name} --skip-save`;
    return { cluster, problem };
  }
}

async function follow(
  context: Context,
  clusterId: Cluster['id'],
  json: boolean,
  done: (cluster: Cluster) => boolean,
): Promise<Cluster> {
  const { io, clock } = context;
  const live = new LiveLine(io);
  const { api } = await context.session();
  const lineOf = await lineWriter(api, { hasClock: true });
  try {
    return await interruptible(context.interrupts, signal =>
      followCluster(context, clusterId, done, {
        signal,
        seen: cluster => {
          if (!json && !done(cluster)) {
            live.show('', lineOf(cluster, clock.now()), `${cluster.phase}|${cluster.message}`);
          }
        },
      }),
    );
  } finally {
    live.clear();
  }
}

async function runCell(context: Context, cluster: Cluster): Promise<void> {
  const session = await context.session();
  const jupyter = new JupyterApi(session, context.clock, cluster);
  const { name } = chooseKernel(cluster.name, NO_WISH, await jupyter.specs());
  const kernel = await jupyter.start('live check', name);
  const client = await openKernelClient({
    context,
    session,
    cluster,
    jupyter,
    kernel,
    notice: () => undefined,
  });
  let said = '';
  try {
    const { status, errorValue } = await interruptible(context.interrupts, signal =>
      client.execute({
        code: CELL,
        cellId: null,
        timeoutMs: CELL_LIMIT_MS,
        signal,
        stream: (_, text) => (said += text),
      }),
    );
    if (status !== 'ok' || said !== CELL_SAYS) {
      throw failed(`The cell ${CELL} did not say 42${errorValue === null ? '' : `: ${errorValue}`}.`);
    }
  } finally {
    client.close();
  }
}

const failed = (sentence: string): CommandFailure =>
  new CommandFailure(EXIT.clusterFailed, 'PROVIDER_ERROR', sentence);
