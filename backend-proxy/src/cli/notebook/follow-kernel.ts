/** Listens to executions that somebody else asked for: their output from the start, until they are over. */
import {
  type Cluster,
  type Execution,
  HitchError,
  type KernelCursor,
  type KernelMessage,
  lostBytesOf,
} from '@hitch/contract';
import type { Context } from '../context.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import type { RunReport } from '../commands/run-report.ts';
import type { KernelChannel } from './channel.ts';
import { CONNECTED_AGAIN, CONNECTION_BROKE, whyGone } from './open-kernel.ts';
import type { JupyterApi } from './kernel-session.ts';
import { openSocketChannel } from './socket-channel.ts';
import { KernelLostError } from './errors.ts';

export interface FollowOptions {
  readonly clock: Context['clock'];
  readonly messageIds: readonly string[];
  /** How the kernel's executions stand. */
  readonly look: () => Promise<readonly Execution[]>;
  readonly report: Pick<RunReport, 'stream' | 'output' | 'notice'>;
  readonly signal: AbortSignal;
}

export interface OpenFollowOptions extends FollowOptions {
  readonly context: Pick<Context, 'clock' | 'ids' | 'random'>;
  readonly session: Session;
  readonly cluster: Cluster;
  readonly jupyter: JupyterApi;
  readonly kernelId: string;
  /** Where in the journal to begin. */
  readonly from: KernelCursor;
}

export interface Followed {
  readonly executions: readonly Execution[];
  /** Output that did not come, of these executions or of nobody knows which; null: all was shown. */
  readonly lostBytes: number | null;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
/** The reply goes to who asked. That an execution is over is said to all, unless the journal had to drop that. */
const LOOK_EVERY_MS = 5_000;
/** An answer may come long before the output of its cell: so often nothing new is seen until that is taken for whole. */
const MOST_SILENT_LOOKS = 60;
const NEVER_SAID =
  'The kernel answered, and said nothing for 5 minutes of whether its output is complete: what it printed last may be missing.';
/** All has been shown; its state follows in a moment. */
const LOOK_SOON_MS = 100;

function show(report: FollowOptions['report'], { header, content }: KernelMessage): void {
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

/** While the way is broken, the socket comes back by itself or says that there is none any more. */
async function lookIfReachable(look: FollowOptions['look']): Promise<readonly Execution[] | null> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof HitchError && (error.code === 'UNREACHABLE' || error.code === 'UNAUTHORIZED')) {
      return null;
    }
    throw error;
  }
}

class Following {
  readonly #options: FollowOptions;
  readonly #wanted: ReadonlySet<string>;
  readonly #open: Set<string>;
  readonly #lost = Promise.withResolvers<never>();
  #lostBytes: number | null = null;
  /** Looks since something of these executions was heard, or could not be. */
  #silentLooks = 0;
  #wake = Promise.withResolvers<null>();

  constructor(options: FollowOptions, channel: KernelChannel) {
    this.#options = options;
    this.#wanted = new Set(options.messageIds);
    this.#open = new Set(options.messageIds);
    this.#lost.promise.catch(() => undefined);
    const { report } = options;
    channel.listen({
      message: message => this.#take(message),
      notice: sentence => report.notice(sentence),
      connection: state => report.notice(state === 'down' ? CONNECTION_BROKE : CONNECTED_AGAIN),
      ended: sentence => this.#lost.reject(new KernelLostError(sentence)),
    });
  }

  #take(message: KernelMessage): void {
    const of = message.parentHeader.msg_id;
    const isWanted = of !== undefined && this.#wanted.has(of);
    const lost = lostBytesOf(message);
    if (lost !== null && (isWanted || of === undefined)) {
      this.#lostBytes = (this.#lostBytes ?? 0) + lost;
    }
    if (lost !== null && of === undefined) {
      this.#options.report.notice(text(message.content['text']).trim());
    }
    if (!isWanted) {
      return;
    }
    this.#silentLooks = 0;
    show(this.#options.report, message);
    if (message.header.msg_type === 'status' && message.content['execution_state'] === 'idle') {
      this.#open.delete(of);
      this.#wake.resolve(null);
    }
  }

  /** Until the executions are over and all that they have shown is here. */
  async untilOver(stopped: Promise<null>): Promise<Followed | null> {
    const { look, signal } = this.#options;
    while (!signal.aborted) {
      const all = await lookIfReachable(look);
      const executions = all?.filter(({ messageId }) => this.#wanted.has(messageId)) ?? null;
      const isOver = executions?.every(({ state }) => state !== 'queued' && state !== 'running') ?? false;
      if (executions !== null && isOver && this.#isAllHere(executions)) {
        return { executions, lostBytes: this.#lostBytes };
      }
      this.#silentLooks = executions === null ? 0 : this.#silentLooks + 1;
      await this.#pause(stopped, executions !== null && this.#open.size === 0);
    }
    return null;
  }

  /** What was lost, or dropped from the journal, is not waited for. */
  #isAllHere(executions: readonly Execution[]): boolean {
    if (this.#open.size === 0) {
      return true;
    }
    const isAnswered = executions.every(({ state }) => state === 'ok' || state === 'error');
    if (!isAnswered || this.#lostBytes !== null) {
      return this.#silentLooks > 0;
    }
    if (this.#silentLooks < MOST_SILENT_LOOKS) {
      return false;
    }
    this.#options.report.notice(NEVER_SAID);
    this.#lostBytes = 0;
    return true;
  }

  async #pause(stopped: Promise<null>, isSoon: boolean): Promise<void> {
    this.#wake = Promise.withResolvers<null>();
    const pause = Promise.withResolvers<null>();
    const { clock } = this.#options;
    const timer = clock.setTimer(() => pause.resolve(null), isSoon ? LOOK_SOON_MS : LOOK_EVERY_MS);
    await Promise.race([this.#wake.promise, pause.promise, this.#lost.promise, stopped]).finally(() =>
      timer.cancel(),
    );
  }
}

/** @returns how the executions ended; null when the signal came first. @throws KernelLostError */
export async function followOn(channel: KernelChannel, options: FollowOptions): Promise<Followed | null> {
  const { signal } = options;
  const stopped = Promise.withResolvers<null>();
  const stop = (): void => stopped.resolve(null);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Following(options, channel).untilOver(stopped.promise);
  } finally {
    signal.removeEventListener('abort', stop);
    channel.close();
  }
}

/** The same, on a connection of its own. */
export async function followExecutions(options: OpenFollowOptions): Promise<Followed | null> {
  const { context, session, cluster, jupyter } = options;
  const channel = await openSocketChannel({
    session,
    path: jupyter.channelsPath(options.kernelId),
    clock: context.clock,
    ids: context.ids,
    random: context.random,
    from: options.from,
    whyGone: () => whyGone(session, cluster),
  });
  return followOn(channel, options);
}
