/** Talks to one kernel: executes code and sorts the answers to the execution they belong to. */
import { lostBytesOf, type JsonObject, type KernelMessage } from '@hitch/contract';
import type { Clock, Timer } from '../../platform/clock.ts';
import type { Ids } from '../../platform/random.ts';
import { OutputFold } from '../../agent/kernels/outputs.ts';
import type { NotebookOutput } from '@hitch/contract';
import type { KernelChannel } from './channel.ts';
import { KernelLostError } from './errors.ts';

export interface ExecuteRequest {
  readonly code: string;
  /** Sent as `metadata.cellId`, so that faces can fill the cell after a reload. */
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

export interface ExecuteResult {
  readonly status: 'ok' | 'error' | 'aborted';
  /** It was interrupted because its time was up. */
  readonly timedOut: boolean;
  readonly executionCount: number | null;
  readonly outputs: readonly NotebookOutput[];
  readonly errorName: string | null;
  readonly errorValue: string | null;
  /** Output that did not come, as the machinery said in the cell; null: all of it is here. 0: nobody knows how much. */
  readonly lostBytes: number | null;
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
  readonly request: ExecuteRequest;
  readonly fold: OutputFold;
  readonly startedAtMs: number;
  readonly finish: (result: ExecuteResult) => void;
  readonly fail: (error: Error) => void;
  /** The kernel has taken it up. */
  readonly begin: () => void;
  reply: KernelMessage | null;
  idle: boolean;
  lostBytes: number | null;
}

const OUTPUT_TYPES = ['display_data', 'execute_result', 'error'] as const;
type OutputType = (typeof OUTPUT_TYPES)[number];
const outputTypeOf = (type: string): OutputType | undefined => OUTPUT_TYPES.find(known => known === type);

/** A cell that a kernel never begins is out of time as well, so much later. */
const BEGIN_GRACE_MS = 120_000;
/** A kernel that was interrupted and does not end the cell within this time is given up. */
const INTERRUPT_GRACE_MS = 20_000;
/** `idle` may be lost with a kernel's output thread; the reply alone then ends the cell. */
const IDLE_GRACE_MS = 10_000;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export class KernelClient {
  readonly #options: KernelClientOptions;
  readonly #running = new Map<string, Running>();
  #lost: KernelLostError | null = null;

  constructor(options: KernelClientOptions) {
    this.#options = options;
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
    const fold = new OutputFold(Number.MAX_SAFE_INTEGER);
    const begun = Promise.withResolvers<undefined>();
    const done = new Promise<ExecuteResult>((finish, fail) => {
      this.#running.set(messageId, {
        request,
        fold,
        startedAtMs: clock.now(),
        finish,
        fail,
        begin: () => begun.resolve(undefined),
        reply: null,
        idle: false,
        lostBytes: null,
      });
    });
    channel.send(this.#executeMessage(messageId, request));
    try {
      return await this.#guarded(done, begun.promise, request);
    } finally {
      this.#running.delete(messageId);
    }
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
      const deaf = new KernelLostError('The kernel did not react to the interrupt; its cell goes on.');
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
    if (type === 'update_display_data') {
      this.#running.forEach(({ fold }) => fold.update(message.content));
    }
    if (type === 'status' && ['restarting', 'dead'].includes(text(message.content['execution_state']))) {
      this.#end(
        'The kernel died or was restarted; if nobody restarted it, the machine may be out of memory.',
      );
      return;
    }
    const running = this.#running.get(message.parentHeader.msg_id ?? '');
    this.#noteLoss(message, running);
    if (running !== undefined) {
      this.#takeFor(running, message, type);
    }
  }

  /** Output is missing: of this cell, or where nobody knows of which, maybe of each that runs. */
  #noteLoss(message: KernelMessage, running: Running | undefined): void {
    const lost = lostBytesOf(message);
    if (lost === null || (running === undefined && message.parentHeader.msg_id !== undefined)) {
      return;
    }
    for (const cell of running === undefined ? this.#running.values() : [running]) {
      cell.lostBytes = (cell.lostBytes ?? 0) + lost;
    }
    if (running === undefined) {
      this.#options.notice?.(text(message.content['text']).trim());
    }
  }

  #takeFor(running: Running, message: KernelMessage, type: string): void {
    const { content } = message;
    const outputType = outputTypeOf(type);
    running.begin();
    if (type === 'stream') {
      running.fold.add('stream', content);
      running.request.stream?.(content['name'] === 'stderr' ? 'stderr' : 'stdout', text(content['text']));
    } else if (outputType !== undefined) {
      running.fold.add(outputType, content);
      running.request.output?.({ ...content, output_type: outputType });
    } else if (type === 'clear_output') {
      running.fold.add('clear_output', content);
    } else if (type === 'input_request') {
      void this.#answerInput(running, message);
    } else if (type === 'status' && content['execution_state'] === 'idle') {
      running.idle = true;
    } else if (type === 'execute_reply') {
      running.reply = message;
      this.#options.clock.setTimer(() => {
        running.idle = true;
        this.#finishIfOver(running);
      }, IDLE_GRACE_MS);
    }
    this.#finishIfOver(running);
  }

  /** A cell is over when its reply came and its output is complete: both, in either order. */
  #finishIfOver(running: Running): void {
    const { reply, idle, fold, startedAtMs, lostBytes } = running;
    if (reply === null || !idle) {
      return;
    }
    const { content } = reply;
    const count = content['execution_count'];
    const status = text(content['status']);
    running.finish({
      timedOut: false,
      status: status === 'ok' || status === 'aborted' ? status : 'error',
      executionCount: typeof count === 'number' ? count : null,
      // What a page needs to follow a display is no part of a notebook's format.
      outputs: fold.outputs().map(({ transient: _, ...output }) => output),
      errorName: status === 'ok' ? null : text(content['ename']) || null,
      errorValue: status === 'ok' ? null : text(content['evalue']) || null,
      lostBytes,
      startedAtMs,
      endedAtMs: this.#options.clock.now(),
    });
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
