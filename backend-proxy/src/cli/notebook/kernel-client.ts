/** Talks to one kernel: executes code and sorts the answers to the execution they belong to. */
import { lostBytesOf, type JsonObject, type KernelMessage } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import type { NotebookOutput } from '@hitch/contract';
import type { KernelChannel } from './channel.ts';
import { CompleteOutput, neverSaid } from './complete-output.ts';
import { KernelLostError } from './errors.ts';
import { outputKindOf } from './output-kinds.ts';
import { type Shown, ShownOutputs } from './shown-outputs.ts';
import { timeOf } from './timing.ts';

export interface ExecuteRequest {
  readonly code: string;
  /** Sent as `metadata.cellId`, so that clients can fill the cell after a reload. */
  readonly cellId: string | null;
  readonly timeoutMs: number | null;
  /** Called for each stream text, in order, as it comes. */
  readonly stream?: (name: 'stdout' | 'stderr', text: string) => void;
  /** Called for each other output as it comes. */
  readonly output?: (output: NotebookOutput) => void;
  /** Answers `input()`; without it the kernel is told that nobody is there. */
  readonly input?: (prompt: string, password: boolean) => Promise<string>;
  /** Interrupts the cell when aborted; the execution then ends as the kernel says. */
  readonly signal?: AbortSignal;
}

export interface ExecuteResult extends Shown {
  /** By which {@link KernelClient.changes} names it. */
  readonly messageId: string;
  readonly status: 'ok' | 'error' | 'aborted';
  /** It was interrupted because its time was up. */
  readonly timedOut: boolean;
  readonly executionCount: number | null;
  readonly errorName: string | null;
  readonly errorValue: string | null;
  /** When its messages were sent, as nbclient keeps it in a cell's `metadata.execution`. */
  readonly timing: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface KernelClientOptions {
  readonly channel: KernelChannel;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Asks the server to interrupt the kernel. */
  readonly interrupt: () => Promise<void>;
  readonly notice?: (sentence: string) => void;
  readonly connection?: (state: 'down' | 'up') => void;
}

interface Running {
  readonly messageId: string;
  readonly request: ExecuteRequest;
  readonly timing: Record<string, string>;
  readonly startedAtMs: number;
  readonly finish: (result: ExecuteResult) => void;
  readonly fail: (error: Error) => void;
  /** The kernel has taken it up. */
  readonly begin: () => void;
  reply: KernelMessage | null;
  idle: boolean;
  isOver: boolean;
}

/** A cell that a kernel never begins is out of time as well, so much later. */
const BEGIN_GRACE_MS = 120_000;
/** A kernel that was interrupted and does not end the cell within this time is given up. */
const INTERRUPT_GRACE_MS = 20_000;
/** A kernel that starts may take this long to say what it is. */
const INFO_GRACE_MS = 30_000;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export class KernelClient {
  readonly #options: KernelClientOptions;
  readonly #running = new Map<string, Running>();
  readonly #shown = new ShownOutputs();
  readonly #infos = new Map<string, (info: JsonObject) => void>();
  readonly #complete: CompleteOutput;
  #lost: KernelLostError | null = null;

  constructor(options: KernelClientOptions) {
    this.#options = options;
    this.#complete = new CompleteOutput(options.clock, () => {
      const messageId = options.ids.secret(16);
      options.channel.send(this.#message('shell', messageId, 'kernel_info_request', {}));
      return messageId;
    });
    options.channel.listen({
      message: message => this.#take(message),
      notice: sentence => options.notice?.(sentence),
      connection: state => options.connection?.(state),
      ended: sentence => this.#end(sentence),
    });
  }

  /** Runs one piece of code to its end. @throws KernelLostError */
  async execute(request: ExecuteRequest): Promise<ExecuteResult> {
    if (this.#lost !== null) {
      throw this.#lost;
    }
    const { clock, ids, channel } = this.#options;
    const messageId = ids.secret(16);
    const begun = Promise.withResolvers<undefined>();
    const done = new Promise<ExecuteResult>((finish, fail) => {
      this.#shown.begin(messageId);
      this.#running.set(messageId, {
        messageId,
        request,
        timing: {},
        startedAtMs: clock.now(),
        finish,
        fail,
        begin: () => begun.resolve(undefined),
        reply: null,
        idle: false,
        isOver: false,
      });
    });
    channel.send(this.#executeMessage(messageId, request));
    try {
      return await this.#guarded(done, begun.promise, request);
    } finally {
      this.#running.delete(messageId);
      this.#complete.forget(messageId);
    }
  }

  /**
   * Asks the kernel what it is: its `language_info` first of all. It answers before the cells that are sent later.
   * @param over nobody waits for it any longer than some seconds after this
   * @returns null where it has not answered by then
   */
  async info(over: Promise<unknown>): Promise<JsonObject | null> {
    const { clock, ids, channel } = this.#options;
    const messageId = ids.secret(16);
    const answer = Promise.withResolvers<JsonObject | null>();
    const timers: Timer[] = [];
    this.#infos.set(messageId, answer.resolve);
    void over.then(() => {
      if (this.#infos.has(messageId)) {
        timers.push(clock.setTimer(() => answer.resolve(null), INFO_GRACE_MS));
      }
    });
    channel.send(this.#message('shell', messageId, 'kernel_info_request', {}));
    try {
      return await answer.promise;
    } finally {
      this.#infos.delete(messageId);
      timers.forEach(timer => timer.cancel());
    }
  }

  /** What cells that are over show by now, by the ids of their messages, where that has changed since it was asked last. */
  changes(): ReadonlyMap<string, Shown> {
    return this.#shown.changes();
  }

  /** The widgets of all cells so far, as a notebook's `metadata.widgets` has them; null where there are none. */
  widgets(): JsonObject | null {
    return this.#shown.widgets.saved();
  }

  close(): void {
    this.#options.channel.close();
  }

  #executeMessage(messageId: string, request: ExecuteRequest): KernelMessage {
    const content = {
      code: request.code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: request.input !== undefined,
      stop_on_error: true,
    };
    const metadata: JsonObject = request.cellId === null ? {} : { cellId: request.cellId };
    return this.#message('shell', messageId, 'execute_request', content, metadata);
  }

  #message(
    channel: 'shell' | 'stdin',
    messageId: string,
    type: string,
    content: JsonObject,
    metadata: JsonObject = {},
    parent: KernelMessage['parentHeader'] = {},
  ): KernelMessage {
    return {
      channel,
      header: {
        msg_id: messageId,
        msg_type: type,
        session: this.#options.channel.sessionId,
        date: new Date(this.#options.clock.now()).toISOString(),
        username: 'hitch',
        version: '5.4',
      },
      parentHeader: parent,
      metadata,
      content,
      buffers: [],
    };
  }

  /** Interrupts at the time limit or the caller's abort, and gives up on a kernel that does not react. */
  async #guarded(
    done: Promise<ExecuteResult>,
    begun: Promise<unknown>,
    request: ExecuteRequest,
  ): Promise<ExecuteResult> {
    const { clock } = this.#options;
    const limits = { timedOut: false, stopped: false, over: false };
    const interrupt = (): void => void this.#options.interrupt().catch(() => undefined);
    let giveUp: (error: Error) => void = () => undefined;
    const surrender = new Promise<never>((_, reject) => (giveUp = reject));
    const timers: Timer[] = [];
    const stop = (): void => {
      limits.stopped = true;
      interrupt();
      const deaf = new KernelLostError('The kernel did not react to the interrupt; its cell keeps running.');
      timers.push(clock.setTimer(() => giveUp(deaf), INTERRUPT_GRACE_MS));
    };
    const onTime = (): void => {
      limits.timedOut = true;
      stop();
    };
    const { timeoutMs } = request;
    const unbegun = timeoutMs === null ? null : clock.setTimer(onTime, timeoutMs + BEGIN_GRACE_MS);
    // A kernel may still be starting: that is not the cell's time, and an interrupt before it would be lost.
    void begun.then(() => {
      unbegun?.cancel();
      if (limits.stopped && !limits.over) {
        interrupt();
      } else if (timeoutMs !== null && !limits.over) {
        timers.push(clock.setTimer(onTime, timeoutMs));
      }
    });
    request.signal?.addEventListener('abort', stop, { once: true });
    if (request.signal?.aborted === true) {
      stop();
    }
    try {
      const result = await Promise.race([done, surrender]);
      return { ...result, timedOut: limits.timedOut && result.status !== 'ok' };
    } finally {
      limits.over = true;
      request.signal?.removeEventListener('abort', stop);
      [unbegun, ...timers].forEach(timer => timer?.cancel());
    }
  }

  #take(message: KernelMessage): void {
    const { msg_type: type } = message.header;
    if (type === 'status' && ['restarting', 'dead'].includes(text(message.content['execution_state']))) {
      this.#end(
        'The kernel died or was restarted; if nobody restarted it, the machine may be out of memory.',
      );
      return;
    }
    this.#shown.take(message);
    this.#complete.take(message);
    const of = message.parentHeader.msg_id;
    if (of === undefined && lostBytesOf(message) !== null) {
      this.#options.notice?.(text(message.content['text']).trim());
    }
    if (type === 'kernel_info_reply') {
      this.#infos.get(of ?? '')?.(message.content);
    }
    const running = this.#running.get(of ?? '');
    if (running !== undefined) {
      this.#takeFor(running, message, type);
    }
  }

  #takeFor(running: Running, message: KernelMessage, type: string): void {
    const { content } = message;
    const kind = outputKindOf(type);
    running.begin();
    const [key, time] = timeOf(message, this.#options.clock.now()) ?? [];
    if (key !== undefined && time !== undefined) {
      running.timing[key] = time;
    }
    if (type === 'stream') {
      running.request.stream?.(content['name'] === 'stderr' ? 'stderr' : 'stdout', text(content['text']));
    } else if (kind !== undefined && kind !== 'clear_output') {
      running.request.output?.({ ...content, output_type: kind });
    } else if (type === 'input_request') {
      void this.#answerInput(running, message);
    } else if (type === 'status' && content['execution_state'] === 'idle') {
      running.idle = true;
    } else if (type === 'execute_reply') {
      running.reply = message;
      this.#complete.await(running.messageId, isComplete => {
        if (!isComplete) {
          const { ids, clock } = this.#options;
          const notice = { messageId: ids.secret(16), cell: running.messageId, atMs: clock.now() };
          this.#take(neverSaid(notice));
        }
        running.idle = true;
        this.#finishIfOver(running);
      });
    }
    this.#finishIfOver(running);
  }

  /** A cell is over when its reply came and its output is complete: both, in either order. */
  #finishIfOver(running: Running): void {
    const { reply, idle, messageId, timing, startedAtMs } = running;
    if (reply === null || !idle || running.isOver) {
      return;
    }
    running.isOver = true;
    const { content } = reply;
    const count = content['execution_count'];
    const status = text(content['status']);
    this.#tellWidgets(reply);
    running.finish({
      ...this.#shown.end(messageId),
      messageId,
      timing,
      timedOut: false,
      status: status === 'ok' || status === 'aborted' ? status : 'error',
      executionCount: typeof count === 'number' ? count : null,
      errorName: status === 'ok' ? null : text(content['ename']) || null,
      errorValue: status === 'ok' ? null : text(content['evalue']) || null,
      startedAtMs,
      endedAtMs: this.#options.clock.now(),
    });
  }

  /** `Output` widgets are told what they have taken, as a page would do, before the next cell can ask them. */
  #tellWidgets({ parentHeader }: KernelMessage): void {
    const { channel, ids } = this.#options;
    for (const { commId, outputs } of this.#shown.widgets.untold()) {
      const data = { method: 'update', state: { outputs }, buffer_paths: [] };
      const content = { comm_id: commId, data };
      channel.send(this.#message('shell', ids.secret(16), 'comm_msg', content, {}, parentHeader));
    }
  }

  async #answerInput(running: Running, message: KernelMessage): Promise<void> {
    const { prompt, password } = message.content;
    const value = await running.request.input?.(text(prompt), password === true).catch(() => '');
    this.#options.channel.send(
      this.#message(
        'stdin',
        this.#options.ids.secret(16),
        'input_reply',
        { value: value ?? '', status: 'ok' },
        {},
        message.header,
      ),
    );
  }

  #end(sentence: string): void {
    this.#lost ??= new KernelLostError(sentence);
    for (const running of this.#running.values()) {
      running.fail(this.#lost);
    }
  }
}
