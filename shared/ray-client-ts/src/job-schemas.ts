/** Shapes of the Jobs API (version 4). Source: Ray 2.58.0's pydantic models; its OpenAPI file is wrong in places. */
import * as z from 'zod';
import { openEnum, stringMap } from './wire.ts';
import type { OpenEnum } from './wire.ts';

export type JobStatus = OpenEnum<'PENDING' | 'RUNNING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED'>;
export type JobType = OpenEnum<'SUBMISSION' | 'DRIVER'>;
export type JobErrorType = OpenEnum<
  | 'RUNTIME_ENV_SETUP_FAILURE'
  | 'JOB_SUPERVISOR_ACTOR_START_TIMEOUT'
  | 'JOB_SUPERVISOR_ACTOR_START_FAILURE'
  | 'JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE'
  | 'JOB_SUPERVISOR_ACTOR_UNKNOWN_FAILURE'
  | 'JOB_SUPERVISOR_ACTOR_DIED'
  | 'JOB_ENTRYPOINT_COMMAND_START_ERROR'
  | 'JOB_ENTRYPOINT_COMMAND_ERROR'
>;

/** Whether a job in this status can never change again. An unknown status counts as still going. */
export function isTerminal(status: JobStatus): boolean {
  return status === 'STOPPED' || status === 'SUCCEEDED' || status === 'FAILED';
}

/**
 * What to run. Names are Ray's own. Ray refuses a key that it does not know, so leave out what an older server
 * lacks; keys that are null or undefined are never sent.
 */
export interface JobSubmitRequest {
  /** A shell command. Runs on the head node unless an `entrypoint_*` amount or selector is given. */
  entrypoint: string;
  /** Chosen by Ray (`raysubmit_…`) when absent. Give one to be able to retry a submission safely. */
  submission_id?: string | null | undefined;
  /** `working_dir`, `py_modules`, `pip`, `uv`, `conda`, `env_vars`, `excludes`, `image_uri`, `config`. Not checked on submission: a bad one makes the job FAILED. */
  runtime_env?: Record<string, unknown> | null | undefined;
  metadata?: Record<string, string> | null | undefined;
  entrypoint_num_cpus?: number | null | undefined;
  entrypoint_num_gpus?: number | null | undefined;
  /** Bytes, an integer. Ray 2.8 and later. */
  entrypoint_memory?: number | null | undefined;
  entrypoint_resources?: Record<string, number> | null | undefined;
  /** Recent versions only; present in 2.58. */
  entrypoint_label_selector?: Record<string, string> | null | undefined;
}

export const jobSubmitResponse = z.looseObject({ submission_id: z.string() });

export const driverInfo = z.looseObject({
  /** The driver's job id, such as `06000000`. */
  id: z.string(),
  node_ip_address: z.string(),
  /** A string, unlike every other pid in this API. */
  pid: z.string(),
});

export const jobDetails = z.looseObject({
  /** `SUBMISSION` came through this API; `DRIVER` is a plain `ray.init()` somewhere, without logs or stop. */
  type: openEnum<'SUBMISSION' | 'DRIVER'>(),
  /** Null until the submitted program calls `ray.init()`. */
  job_id: z.string().nullish(),
  submission_id: z.string().nullish(),
  driver_info: driverInfo.nullish(),
  status: openEnum<'PENDING' | 'RUNNING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED'>(),
  entrypoint: z.string(),
  /** For a person. A FAILED job's holds up to 20,000 characters of its log. */
  message: z.string().nullish(),
  error_type: z.string().nullish(),
  /** Unix milliseconds. */
  start_time: z.number().nullish(),
  /** Unix milliseconds. */
  end_time: z.number().nullish(),
  metadata: stringMap.nullish(),
  runtime_env: z.record(z.string(), z.unknown()).nullish(),
  driver_agent_http_address: z.string().nullish(),
  driver_node_id: z.string().nullish(),
  /** Null when stopped. */
  driver_exit_code: z.number().nullish(),
});
export type JobDetails = z.infer<typeof jobDetails>;

export const jobLogs = z.looseObject({ logs: z.string() });
export const jobStopped = z.looseObject({ stopped: z.boolean() });
export const jobDeleted = z.looseObject({ deleted: z.boolean() });
