/** Listens to executions that somebody else asked for: their output from the start, until they are over. */
import type { Cluster, Execution, KernelCursor, KernelMessage } from '@hitch/contract';
import type { Context } from '../context.ts';
import type { Session } from '../session.ts';
import type { RunReport } from '../commands/run-report.ts';
import { CONNECTED_AGAIN, CONNECTION_BROKE, whyGone } from './open-kernel.ts';
import type { JupyterApi } from './kernel-session.ts';
import { openSocketChannel } from './socket-channel.ts';
import { KernelLostError } from './errors.ts';

export interface FollowOptions {
  readonly context: Pick<Context, 'clock' | 'ids' | 'random'>;
  readonly session: Session;
  readonly cluster: Cluster;
  readonly jupyter: JupyterApi;
  readonly kernelId: string;
  /** Where in the journal to begin. */
  readonly from: KernelCursor;
  readonly messageIds: readonly string[];
  /** How the kernel's executions stand. */
  readonly look: () => Promise<readonly Execution[]>;
  readonly report: RunReport;
  readonly signal: AbortSignal;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
/** The reply goes to who asked. That an execution is over is said to all, unless the journal had to drop that. */
const LOOK_EVERY_MS = 5_000;
/** All has been shown; its state follows in a moment. */
const LOOK_SOON_MS = 100;

function show(report: RunReport, { header, content }: KernelMessage): void {
  switch (header.msg_type) {
    case 'stream':
      report.stream(content['name'] === 'stderr' ? 'stderr' : 'stdout', text(content['text']));
      return;
    case 'display_data':
    case 'execute_result':
    case 'error':
      report.output({ ...content, output_type: header.msg_type });
      return;
    default:
  }
}

/** @returns how the executions ended; null when the signal came first. @throws KernelLostError */
export async function followExecutions(options: FollowOptions): Promise<readonly Execution[] | null> {
  const { context, session, cluster, jupyter, report, signal } = options;
  const { clock, ids, random } = context;
  const wanted = new Set(options.messageIds);
  const channel = await openSocketChannel({
    session,
    path: jupyter.channelsPath(options.kernelId),
    clock,
    ids,
    random,
    from: options.from,
    whyGone: () => whyGone(session, cluster),
  });
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const stopped = Promise.withResolvers<null>();
  const open = new Set(wanted);
  let heard = true;
  let wake = Promise.withResolvers<null>();
  channel.listen({
    message: message => {
      const of = message.parentHeader.msg_id ?? '';
      if (!wanted.has(of)) {
        return;
      }
      heard = true;
      show(report, message);
      if (message.header.msg_type === 'status' && message.content['execution_state'] === 'idle') {
        open.delete(of);
        wake.resolve(null);
      }
    },
    notice: sentence => report.notice(sentence),
    connection: state => report.notice(state === 'down' ? CONNECTION_BROKE : CONNECTED_AGAIN),
    ended: sentence => lost.reject(new KernelLostError(sentence)),
  });
  const stop = (): void => stopped.resolve(null);
  signal.addEventListener('abort', stop, { once: true });
  try {
    while (!signal.aborted) {
      const now = (await options.look()).filter(({ messageId }) => wanted.has(messageId));
      const isOver = now.every(({ state }) => state !== 'queued' && state !== 'running');
      if (isOver && (open.size === 0 || !heard)) {
        return now;
      }
      heard = false;
      wake = Promise.withResolvers<null>();
      const pause = Promise.withResolvers<null>();
      const timer = clock.setTimer(() => pause.resolve(null), open.size === 0 ? LOOK_SOON_MS : LOOK_EVERY_MS);
      await Promise.race([wake.promise, pause.promise, lost.promise, stopped.promise]).finally(() =>
        timer.cancel(),
      );
    }
    return null;
  } finally {
    signal.removeEventListener('abort', stop);
    channel.close();
  }
}
