/** One job of this node: from being asked for to its end, whichever agent sees it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import {
  type JobFinds,
  type jobLogBytesQuerySchema,
  type JobLogPage,
  type jobLogQuerySchema,
  type JobRun,
  type jobSearchQuerySchema,
  type JobState,
  type NodeJob,
  stateAfter,
} from '@hitch/contract';
import type * as z from 'zod';
import { errorText } from '@hitch/platform/src/log.ts';
import { endTagged } from '../processes/ending.ts';
import { openLog } from '../processes/log-files.ts';
import { commandOf } from './command.ts';
import { type JobFolder, type JobRecord, type JobSaid, runAsked } from './job-folder.ts';
import { logExtent, openStretch, searchLog } from './job-log.ts';
import type { JobGround, JobPlace } from './job-place.ts';
import type { OpenedLog } from './log-bytes.ts';
import { ON_EVERY_NODE } from './metrics/variables.ts';

const LOOK_EVERY_MS = 250;
/** Somebody waits for the next line. */
const LOOK_FOR_OUTPUT_MS = 50;
const RUNNER_STARTS_WITHIN_MS = 60_000;

export class Job {
  readonly #folder: JobFolder;
  readonly #place: JobPlace;
  readonly #leaving = new AbortController();
  #record: JobRecord;
  #waitsFor = '';
  #over = false;
  #following: Promise<void> | null = null;

  constructor(folder: JobFolder, record: JobRecord, place: JobPlace) {
    this.#folder = folder;
    this.#record = record;
    this.#place = place;
    this.#over = record.notRun !== null || folder.said?.state === 'ended';
  }

  get folder(): JobFolder {
    return this.#folder;
  }

  get record(): JobRecord {
    return this.#record;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Begins it, or goes on following what an earlier agent began. */
  follow(): void {
    if (!this.#over) {
      this.#following ??= this.#follow().catch((error: unknown) => {
        if (!this.#leaving.signal.aborted) {
          this.#place.log.error('A job cannot be followed', {
            jobId: this.#record.id,
            error: errorText(error),
          });
        }
      });
    }
  }

  /** Stops following; the job goes on, for the next agent to take over. */
  async letGo(): Promise<void> {
    this.#leaving.abort(new Error('the agent leaves'));
    await this.#following;
  }

  async state(): Promise<NodeJob> {
    const { id, notRun } = this.#record;
    const said = this.#folder.said;
    if (notRun !== null) {
      return { id, state: stateAfter(notRun.cause), message: notRun.message, runs: await this.#runs(said) };
    }
    if (said?.state === 'ended' && !this.#over) {
      this.#end();
    }
    const state = this.#stateOf(said);
    const message = state === 'waiting' ? this.#waitsFor : '';
    return { id, state, message, runs: await this.#runs(said) };
  }

  /** Asks it to end; the runner gives it its grace. */
  async stop(cause: 'stopped' | 'cluster', graceMs = this.#record.spec.graceMs): Promise<void> {
    if (this.#over || this.#folder.isStopAsked) {
      return;
    }
    this.#folder.askToStop(graceMs, cause);
    const pid = await this.#folder.runner();
    if (pid !== null && process.platform !== 'win32') {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // It ended by itself; what it said stands in its folder.
      }
    }
    this.#place.changed();
  }

  /** Resolves when it is over, whoever ended it. */
  async ended(signal: AbortSignal): Promise<void> {
    while (!this.#over) {
      await this.#place.clock.sleep(LOOK_FOR_OUTPUT_MS, signal);
    }
  }

  async log(query: z.output<typeof jobLogQuerySchema>, signal: AbortSignal): Promise<JobLogPage> {
    const { facts, stretch } = await this.openLog(query, signal);
    try {
      const data = await stretch.read();
      return { ...facts, data: data.toString('base64'), next: facts.from + data.length };
    } finally {
      await stretch.close();
    }
  }

  /** Once there is something from the place on, the run is over, or it was waited long enough. The caller closes it. */
  async openLog(query: z.output<typeof jobLogBytesQuerySchema>, signal: AbortSignal): Promise<OpenedLog> {
    const { clock } = this.#place;
    const until = clock.monotonic() + query.waitMs;
    for (;;) {
      // In this order: what is written after the end was looked for is read by the next question.
      const said = this.#folder.said;
      const { run, isOver } = this.#runAsked(said, query.run);
      const folder = this.#folder.log(run);
      const stretch = await openStretch(folder, query.from, query.most);
      if (stretch.bytes > 0 || isOver || clock.monotonic() >= until) {
        const { endByte } = await logExtent(folder);
        return { facts: { run, from: stretch.from, endByte, isOver }, stretch };
      }
      await clock.sleep(LOOK_FOR_OUTPUT_MS, signal);
    }
  }

  async search({ run: asked, text, from }: z.output<typeof jobSearchQuerySchema>): Promise<JobFinds> {
    const { run } = this.#runAsked(this.#folder.said, asked);
    return { run, ...(await searchLog(this.#folder.log(run), text, from)) };
  }

  /** Gives its log's room back, once it is over. @returns bytes. */
  async removeLogs(): Promise<void> {
    this.#folder.removeLogs();
  }

  async logBytes(): Promise<number> {
    const extents = await Promise.all(
      (this.#folder.said?.runs ?? []).map(({ number }) => logExtent(this.#folder.log(number))),
    );
    return extents.reduce((sum, { endByte, droppedBytes }) => sum + endByte - droppedBytes, 0);
  }

  #runAsked(said: JobSaid | null, asked: number | undefined): { run: number; isOver: boolean } {
    const run = runAsked(said, asked);
    const isOver =
      this.#over || said?.runs.some(({ number, endedAtMs }) => number === run && endedAtMs !== null) === true;
    return { run, isOver };
  }

  #stateOf(said: JobSaid | null): JobState {
    switch (said?.state) {
      case undefined:
        return this.#folder.isStopAsked ? 'stopping' : 'waiting';
      case 'running':
        return 'running';
      case 'stopping':
        return 'stopping';
      case 'again':
        return this.#folder.isStopAsked ? 'stopping' : 'running';
      case 'ended':
        return stateAfter(said.runs.at(-1)?.cause ?? 'stopped');
    }
  }

  #runs(said: JobSaid | null): Promise<JobRun[]> {
    return Promise.all(
      (said?.runs ?? []).map(async run => ({
        ...run,
        log: await logExtent(this.#folder.log(run.number)),
        points: this.#place.points(this.#record.id, run.number),
      })),
    );
  }

  async #follow(): Promise<void> {
    const { signal } = this.#leaving;
    if (!this.#folder.isBegun) {
      await this.#begin(signal);
    }
    let last = '';
    while (!this.#over) {
      // In this order: a runner that is gone has said all it will say.
      const pid = await this.#folder.runner();
      const said = this.#folder.said;
      if (said?.state === 'ended') {
        this.#end();
        return;
      }
      if (pid === null) {
        await this.#unwatched(said);
        return;
      }
      const now = JSON.stringify(said);
      if (now !== last) {
        last = now;
        this.#place.changed();
      }
      await this.#place.clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const stopped = new AbortController();
    const waiting = AbortSignal.any([signal, stopped.signal]);
    const look = this.#untilStopAsked(waiting).then(() => stopped.abort(new Error('stopped')));
    try {
      const wait = (why: string): void => {
        this.#waitsFor = why;
        this.#place.changed();
      };
      const ground = await this.#place.ready(this.#record.engine, wait, waiting);
      this.#waitsFor = '';
      await this.#launch(ground);
    } catch (error) {
      if (signal.aborted) {
        throw error;
      }
      this.#notRun(
        stopped.signal.aborted
          ? { cause: 'stopped', message: 'It was stopped before it began.' }
          : { cause: 'environment', message: errorText(error) },
      );
    } finally {
      stopped.abort(new Error('it began'));
      await look;
    }
  }

  async #untilStopAsked(signal: AbortSignal): Promise<void> {
    while (!this.#folder.isStopAsked) {
      try {
        await this.#place.clock.sleep(LOOK_EVERY_MS, signal);
      } catch {
        return;
      }
    }
  }

  async #launch(ground: JobGround): Promise<void> {
    const { spec, id } = this.#record;
    const { ref, workFolder, logBytes, program, python, clock } = this.#place;
    this.#folder.put(
      'job.json',
      JSON.stringify({
        id,
        command: commandOf(this.#record, this.#folder, this.#place, ground),
        folder: join(workFolder, spec.folder),
        retries: spec.retries,
        timeLimitMs: spec.timeLimitMs,
        graceMs: spec.graceMs,
        memoryBytes: spec.memoryBytes,
        logBytes: Math.floor(logBytes / (spec.retries + 1)),
      }),
    );
    const tags = {
      HITCH_NODE: ref,
      HITCH_JOB: id,
      // For programs on other nodes, where the rest of these variables is another.
      HITCH_JOB_VARIABLES: [...Object.keys(spec.variables), ...ON_EVERY_NODE].join(','),
      HITCH_JOB_MESSAGE: this.#folder.messagePath,
    };
    const given = { ...ground.variables, ...spec.variables };
    const metrics = await this.#place.metricVariables(this.#record, given);
    this.#folder.put('environment.json', JSON.stringify({ ...metrics, ...given, ...tags }));
    const output = openLog(this.#folder.runnerLog);
    let child: ChildProcess;
    try {
      child = spawn(python, ['-B', '-E', '-s', join(program, 'runner.py'), this.#folder.path], {
        cwd: program,
        stdio: ['ignore', output, output],
        detached: true,
        windowsHide: true,
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.unref();
    } finally {
      closeSync(output);
    }
    const until = clock.monotonic() + RUNNER_STARTS_WITHIN_MS;
    while (!this.#folder.isBegun) {
      const isOver = child.exitCode !== null || child.signalCode !== null;
      if (isOver || clock.monotonic() > until) {
        throw new Error(
          `What looks after jobs did not start: ${this.#folder.runnerWords || 'it said nothing'}`,
        );
      }
      await clock.sleep(10);
    }
  }

  #notRun(notRun: NonNullable<JobRecord['notRun']>): void {
    this.#record = { ...this.#record, notRun };
    this.#folder.write(this.#record);
    this.#end();
  }

  /** Whoever looked after it was ended from outside: the job would go on unseen, and nobody could say how it ends. */
  async #unwatched(said: JobSaid | null): Promise<void> {
    const { clock, ref, log } = this.#place;
    const { id, spec } = this.#record;
    log.warn('What looked after a job is gone', { jobId: id });
    await endTagged(clock, { HITCH_NODE: ref, HITCH_JOB: id }, spec.graceMs);
    const message = 'How it ended is not known: what looks after it was ended from outside.';
    const runs = said?.runs ?? [];
    if (runs.length === 0) {
      this.#notRun({ cause: 'unwatched', message });
      return;
    }
    const last = runs.length - 1;
    this.#folder.say({
      state: 'ended',
      runs: runs.map((run, at) =>
        at === last ? { ...run, endedAtMs: clock.now(), cause: 'unwatched', message } : run,
      ),
    });
    this.#end();
  }

  #end(): void {
    if (this.#over) {
      return;
    }
    this.#over = true;
    // Secrets may be among them.
    this.#folder.removeVariables();
    this.#place.log.info('A job is over', { jobId: this.#record.id });
    this.#place.changed();
  }
}
