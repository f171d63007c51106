/** One job's folder on its node: what the agent writes there for the runner, and what the runner says (runner.py). */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  engineKindSchema,
  HitchError,
  jobCauseSchema,
  type JobId,
  jobIdSchema,
  jobNameSchema,
  jobSpecSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { startTimeOf } from '../processes/identity.ts';
import { readTail } from '../processes/log-files.ts';

/** What the agent itself remembers of a job. */
const recordSchema = z.object({
  id: jobIdSchema,
  name: jobNameSchema,
  /** The cluster's: with Ray it begins when Ray is up. */
  engine: engineKindSchema,
  spec: jobSpecSchema,
  createdAtMs: z.number(),
  /** Why it never ran, as a sentence; null: it did, or is to. */
  notRun: z.object({ cause: jobCauseSchema, message: z.string() }).nullable(),
});
export type JobRecord = z.infer<typeof recordSchema>;

const saidRunSchema = z.object({
  number: z.number(),
  startedAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  cause: jobCauseSchema.nullable(),
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  peakBytes: z.number().nullable(),
  message: z.string(),
  leftBehind: z.number(),
});
const saidSchema = z.object({
  state: z.enum(['running', 'stopping', 'again', 'ended']),
  runs: z.array(saidRunSchema),
});
/** What the runner says. */
export type JobSaid = z.infer<typeof saidSchema>;

/**
 * The run that is asked for; the last one where none is named. @throws HitchError NOT_FOUND where there has been none of that
 * number.
 */
export function runAsked(said: JobSaid | null, asked: number | undefined): number {
  const last = said?.runs.at(-1)?.number ?? 1;
  const run = asked ?? last;
  if (run > Math.max(1, last)) {
    throw new HitchError(
      'NOT_FOUND',
      `This job has no run ${run.toString()}; its last is ${last.toString()}.`,
      { field: 'run' },
    );
  }
  return run;
}

const runnerSchema = z.object({ pid: z.number().int(), startTime: z.string().nullable() });

export class JobFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get record(): JobRecord | null {
    return read(join(this.path, 'record.json'), recordSchema);
  }

  write(record: JobRecord): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    writeFileAtomic(join(this.path, 'record.json'), JSON.stringify(record));
  }

  get said(): JobSaid | null {
    return read(join(this.path, 'state.json'), saidSchema);
  }

  /** In the runner's place, where that is gone. */
  say(said: JobSaid): void {
    writeFileAtomic(join(this.path, 'state.json'), JSON.stringify(said));
  }

  /** For the runner. */
  put(name: 'job.json' | 'environment.json' | 'script', text: string): void {
    writeFileAtomic(join(this.path, name), text);
  }

  get scriptPath(): string {
    return join(this.path, 'script');
  }

  /** What a job says of its end itself; the runner reads it. */
  get messagePath(): string {
    return join(this.path, 'message');
  }

  get isStopAsked(): boolean {
    return existsSync(join(this.path, 'stop'));
  }

  askToStop(graceMs: number, cause: 'stopped' | 'cluster'): void {
    writeFileAtomic(join(this.path, 'stop'), JSON.stringify({ graceMs, cause }));
  }

  /** A runner was begun; there is never a second one. */
  get isBegun(): boolean {
    return existsSync(join(this.path, 'runner.json'));
  }

  /** The runner's pid while it lives. */
  async runner(): Promise<number | null> {
    const runner = read(join(this.path, 'runner.json'), runnerSchema);
    const startTime = runner === null ? null : await startTimeOf(runner.pid);
    return runner !== null && startTime !== null && [null, startTime].includes(runner.startTime)
      ? runner.pid
      : null;
  }

  get runnerLog(): string {
    return join(this.path, 'runner.log');
  }

  /** What the runner itself said last, as a rule why it did not come up. */
  get runnerWords(): string {
    return readTail(this.runnerLog).trim().split('\n').at(-1) ?? '';
  }

  log(run: number): string {
    return join(this.path, 'runs', run.toString());
  }

  /** Folder of its figures. */
  get metrics(): string {
    return join(this.path, 'metrics');
  }

  /** Of a job that is over: its logs and figures. */
  removeLogs(): void {
    rmSync(join(this.path, 'runs'), { recursive: true, force: true });
    rmSync(this.metrics, { recursive: true, force: true });
  }

  removeVariables(): void {
    rmSync(join(this.path, 'environment.json'), { force: true });
  }
}

/** Every job that this node has a folder of. */
export async function jobsIn(folder: string): Promise<JobId[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap(name => jobIdSchema.safeParse(name).data ?? []).sort();
}

function read<T>(path: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
