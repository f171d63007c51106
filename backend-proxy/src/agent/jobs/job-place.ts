/** What a job of this node stands in: its folders, its limits, and what it gets before it begins. */
import type { EngineKind } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { JobRecord } from './job-folder.ts';

export interface JobPlace {
  readonly clock: Clock;
  readonly log: Log;
  /** The node's ref, with which everything here is tagged. */
  readonly ref: string;
  readonly workFolder: string;
  /** Folder of the runner's program. */
  readonly program: string;
  /** Interpreter that runs the runner. */
  readonly python: string;
  readonly logBytes: number;
  /** Resolves once a job can begin, with its variables; rejects with a sentence where none can. */
  readonly ready: (
    engine: EngineKind,
    wait: (why: string) => void,
    signal: AbortSignal,
  ) => Promise<JobGround>;
  readonly changed: () => void;
  /** What it gets so that its figures can be read. */
  readonly metricVariables: (
    record: JobRecord,
    given: Readonly<Record<string, string>>,
  ) => Promise<Readonly<Record<string, string>>>;
  /** Points of a run's figures. */
  readonly points: (id: JobRecord['id'], run: number) => number;
}

export interface JobGround {
  readonly variables: Readonly<Record<string, string>>;
  /** The interpreter of people's programs. */
  readonly python: string;
}
