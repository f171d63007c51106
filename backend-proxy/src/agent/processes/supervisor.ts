/**
 * Keeps one program running: starts it in a group of its own, records it, starts it again with a growing pause when
 * it ends, and takes it over when the agent itself was killed and started again.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cutText, HitchError, type Supervised } from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { endProcess } from './ending.ts';
import { startTimeOf } from './identity.ts';
import { openLog, readTail } from './log-files.ts';

/** What to run. Its secrets are in files: neither `args` nor another user's view of it may hold one. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
}

export interface SupervisorOptions {
  readonly name: 'jupyter' | 'ray';
  readonly clock: Clock;
  readonly log: Log;
  readonly runFolder: string;
  readonly logFile: string;
  /** Says what to run, before each start. A HitchError that cannot be retried ends the trying. */
  readonly program: (signal: AbortSignal) => Promise<Program>;
  /** Resolves once the program serves; it is asked anew after each start and each take-over. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** Removes what the last run may have left, before the next start. */
  readonly cleanUp: () => Promise<void>;
  readonly changed: () => void;
  /** A program that is not ready after this long is started again. */
  readonly readyWithinMs: number;
  /** Why the last run did not come up, as far as its log says; null: its last line has to do. */
  readonly reason?: () => string | null;
}

const recordSchema = z.object({ pid: z.number().int(), startTime: z.string() });
type ProcessRecord = z.infer<typeof recordSchema>;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const STEADY_MS = 60_000;
const LOOK_EVERY_MS = 1_000;
const FAILED_AFTER = 5;
const GRACE_MS = 8_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  #state: Supervised = { state: 'off', pid: null, restarts: 0, message: '' };
  #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #failuresInARow = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): Supervised {
    return this.#state;
  }

  /** Starts (or takes over) the program and keeps it running until {@link stop} or {@link letGo}. */
  start(): void {
    if (this.#running === null) {
      this.#stopping = new AbortController();
      this.#set({
        state: 'starting',
        message: `Starting ${this.#options.name.replace(/^./, letter => letter.toUpperCase())}.`,
      });
      this.#running = this.#run(this.#stopping.signal);
    }
  }

  /** Ends the program and forgets it. */
  async stop(): Promise<void> {
    await this.letGo();
    const record = this.#readRecord();
    if (record !== null && (await startTimeOf(record.pid)) === record.startTime) {
      await endProcess(this.#options.clock, record.pid, record.startTime, GRACE_MS);
    }
    rmSync(this.#recordPath, { force: true });
    this.#set({ state: 'off', pid: null, message: '' });
  }

  /** Stops watching; the program goes on, for the next agent to take over. */
  async letGo(): Promise<void> {
    this.#stopping.abort(new Error('the supervisor stops'));
    await this.#running;
    this.#running = null;
  }

  async #run(stopping: AbortSignal): Promise<void> {
    let adopted = await this.#liveRecord();
    for (;;) {
      const startedAt = this.#options.clock.monotonic();
      try {
        await this.#runOnce(adopted, stopping);
      } catch (error) {
        if (isHopeless(error)) {
          this.#set({ state: 'failed', pid: null, message: errorText(error) });
          return;
        }
        this.#options.log.warn(`${this.#options.name} did not run`, { error: errorText(error) });
        this.#set({ pid: null, message: errorText(error) });
      }
      adopted = null;
      if (isOver(stopping)) {
        return;
      }
      await this.#pause(this.#options.clock.monotonic() - startedAt, stopping);
      if (isOver(stopping)) {
        return;
      }
    }
  }

  /** Runs until the program ended; throws when it could not be started or did not become ready. */
  async #runOnce(adopted: ProcessRecord | null, stopping: AbortSignal): Promise<void> {
    const record = adopted ?? (await this.#launch(stopping));
    this.#set({ pid: record.pid });
    const over = new AbortController();
    const end = AbortSignal.any([stopping, over.signal]);
    const ended = this.#waitForEnd(record, stopping).then(() => over.abort(new Error('it ended')));
    try {
      await this.#untilReady(end);
    } catch (error) {
      if (isOver(stopping)) {
        return;
      }
      await endProcess(this.#options.clock, record.pid, record.startTime, GRACE_MS);
      await ended;
      throw error;
    }
    this.#options.log.info(`${this.#options.name} ${adopted === null ? 'runs' : 'was taken over'}`, {
      pid: record.pid,
    });
    this.#set({ state: 'running', message: '' });
    await ended;
  }

  async #launch(stopping: AbortSignal): Promise<ProcessRecord> {
    await this.#options.cleanUp();
    const program = await this.#options.program(stopping);
    const output = openLog(this.#options.logFile);
    let child: ChildProcess;
    try {
      child = spawn(program.file, program.args, {
        cwd: program.cwd,
        env: program.environment,
        stdio: ['ignore', output, output],
        detached: true,
        windowsHide: true,
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
    } finally {
      closeSync(output);
    }
    child.unref();
    const pid = child.pid;
    const startTime = pid === undefined ? null : await startTimeOf(pid);
    if (pid === undefined || startTime === null) {
      throw new Error(`${this.#options.name} ended as soon as it was started; see its log`);
    }
    const record = { pid, startTime };
    try {
      writeFileAtomic(this.#recordPath, JSON.stringify(record));
    } catch (error) {
      // Nobody would find it again, and another would be started beside it.
      await endProcess(this.#options.clock, pid, startTime, GRACE_MS);
      throw error;
    }
    return record;
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    const slow = new AbortController();
    const timer = this.#options.clock.setTimer(
      () => slow.abort(new Error('too slow')),
      this.#options.readyWithinMs,
    );
    try {
      await this.#options.ready(AbortSignal.any([signal, slow.signal]));
    } catch (error) {
      if (slow.signal.aborted) {
        const seconds = Math.round(this.#options.readyWithinMs / 1000);
        throw new Error(
          `${this.#options.name} was not ready after ${seconds.toString()} s; it said last: ${this.#lastWords()}`,
          { cause: error },
        );
      }
      if (signal.aborted) {
        // The same trouble has the same words, whether its end was seen first or what it said.
        const reason = this.#options.reason?.() ?? null;
        const words = reason ?? `${this.#options.name} ended before it was ready: ${this.#lastWords()}`;
        throw new Error(words, { cause: error });
      }
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #lastWords(): string {
    return this.#options.reason?.() ?? lastLine(this.#options.logFile);
  }

  /** Looks rather than listens: an adopted program is no child of this process. */
  async #waitForEnd(record: ProcessRecord, stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted && (await startTimeOf(record.pid)) === record.startTime) {
      await this.#options.clock.sleep(LOOK_EVERY_MS, stopping).catch(() => undefined);
    }
  }

  async #pause(ranMs: number, stopping: AbortSignal): Promise<void> {
    this.#failuresInARow = ranMs >= STEADY_MS ? 1 : this.#failuresInARow + 1;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failuresInARow - 1));
    const ended = `${this.#options.name} ended and is started again`;
    const message = this.#state.message === '' ? ended : this.#state.message;
    this.#options.log.warn(ended, { count: this.#failuresInARow, durationMs: pauseMs });
    this.#set({
      state: this.#failuresInARow >= FAILED_AFTER ? 'failed' : 'restarting',
      pid: null,
      restarts: this.#state.restarts + 1,
      message,
    });
    await this.#options.clock.sleep(pauseMs, stopping).catch(() => undefined);
  }

  async #liveRecord(): Promise<ProcessRecord | null> {
    const record = this.#readRecord();
    return record !== null && (await startTimeOf(record.pid)) === record.startTime ? record : null;
  }

  #readRecord(): ProcessRecord | null {
    try {
      return recordSchema.parse(JSON.parse(readFileSync(this.#recordPath, 'utf8')));
    } catch {
      return null;
    }
  }

  get #recordPath(): string {
    return join(this.#options.runFolder, `${this.#options.name}.json`);
  }

  #set(change: Partial<Supervised>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.changed();
  }
}

/** A sentence that asks the person to change something: trying again by itself cannot help. */
function isHopeless(error: unknown): boolean {
  return error instanceof HitchError && !error.retryable;
}

/** As a function, so that the compiler does not take what was false before an await for false after it. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

const LONGEST_LINE = 300;

/** What the program said last, which as a rule is why it ended. */
function lastLine(path: string): string {
  const lines = readTail(path).trimEnd().split('\n');
  return cutText((lines.at(-1) ?? '').trim(), LONGEST_LINE) || 'it said nothing';
}
