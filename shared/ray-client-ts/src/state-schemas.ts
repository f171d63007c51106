/**
 * Rows of the state API (`/api/v0/…`), whose keys are as the user gave them. Source: Ray 2.58.0's dataclasses.
 * Columns marked *detail* are there only when `detail: true` was asked for, and optional for that reason.
 */
import * as z from 'zod';
import { driverInfo } from './job-schemas.ts';
import { int64, int64String, openEnum, resources, stringMap, timestampMs } from './wire.ts';

const anyObject = z.record(z.string(), z.unknown());

export const nodeState = z.looseObject({
  node_id: z.string(),
  node_ip: z.string(),
  is_head_node: z.boolean(),
  /** There is no DRAINING: a drained node goes straight to DEAD, with the reason in `state_message`. Dead nodes stay listed. */
  state: openEnum<'ALIVE' | 'DEAD'>(),
  state_message: z.string().nullish(),
  node_name: z.string(),
  /** Memory in bytes. */
  resources_total: resources,
  labels: stringMap.nullish(),
  /** Detail. Unix milliseconds. */
  start_time_ms: timestampMs.optional(),
  /** Detail. Unix milliseconds; null while alive. */
  end_time_ms: timestampMs.optional(),
});
export type NodeState = z.infer<typeof nodeState>;

export const actorState = z.looseObject({
  actor_id: z.string(),
  class_name: z.string(),
  state: openEnum<'DEPENDENCIES_UNREADY' | 'PENDING_CREATION' | 'ALIVE' | 'RESTARTING' | 'DEAD'>(),
  job_id: z.string(),
  name: z.string().nullish(),
  node_id: z.string().nullish(),
  pid: z.number().nullish(),
  ray_namespace: z.string().nullish(),
  /** Detail. */
  placement_group_id: z.string().nullish(),
  /** Detail. */
  repr_name: z.string().nullish(),
  /** Detail. */
  required_resources: resources.nullish(),
  /** Detail. One key that names the kind, with `error_message` and `reason` inside. */
  death_cause: anyObject.nullish(),
  /** Detail. */
  is_detached: z.boolean().nullish(),
  /** Detail. A string on the wire. */
  num_restarts: int64.nullish(),
  /** Detail. A string on the wire. */
  num_restarts_due_to_node_preemption: int64.nullish(),
  /** Detail. */
  label_selector: stringMap.nullish(),
});
export type ActorState = z.infer<typeof actorState>;

export const taskState = z.looseObject({
  task_id: z.string(),
  attempt_number: z.number(),
  name: z.string(),
  state: openEnum<
    | 'NIL'
    | 'PENDING_ARGS_AVAIL'
    | 'PENDING_NODE_ASSIGNMENT'
    | 'PENDING_OBJ_STORE_MEM_AVAIL'
    | 'PENDING_ARGS_FETCH'
    | 'SUBMITTED_TO_WORKER'
    | 'PENDING_ACTOR_TASK_ARGS_FETCH'
    | 'PENDING_ACTOR_TASK_ORDERING_OR_CONCURRENCY'
    | 'RUNNING'
    | 'RUNNING_IN_RAY_GET'
    | 'RUNNING_IN_RAY_WAIT'
    | 'FINISHED'
    | 'FAILED'
    | 'GETTING_AND_PINNING_ARGS'
  >(),
  job_id: z.string(),
  actor_id: z.string().nullish(),
  type: openEnum<'NORMAL_TASK' | 'ACTOR_CREATION_TASK' | 'ACTOR_TASK' | 'DRIVER_TASK'>(),
  func_or_class_name: z.string(),
  parent_task_id: z.string().nullish(),
  node_id: z.string().nullish(),
  worker_id: z.string().nullish(),
  worker_pid: z.number().nullish(),
  error_type: z.string().nullish(),
  /** Detail. */
  error_message: z.string().nullish(),
  /** Detail. */
  required_resources: resources.nullish(),
  /** Detail. */
  placement_group_id: z.string().nullish(),
  /** Detail. */
  label_selector: stringMap.nullish(),
  /** Detail. Unix milliseconds. */
  creation_time_ms: timestampMs.optional(),
  /** Detail. Unix milliseconds. */
  start_time_ms: timestampMs.optional(),
  /** Detail. Unix milliseconds. */
  end_time_ms: timestampMs.optional(),
});
export type TaskState = z.infer<typeof taskState>;

const bundle = z.looseObject({
  unit_resources: resources.nullish(),
  node_id: z.string().nullish(),
  label_selector: stringMap.nullish(),
});

const placementGroupStats = z.looseObject({
  /** Unix nanoseconds, a decimal string. */
  creation_request_received_ns: int64String.nullish(),
  /** Unix nanoseconds, a decimal string. */
  scheduling_started_time_ns: int64String.nullish(),
  scheduling_latency_us: int64.nullish(),
  end_to_end_creation_latency_us: int64.nullish(),
  scheduling_attempt: int64.nullish(),
  scheduling_state: z.string().nullish(),
});

export const placementGroupState = z.looseObject({
  placement_group_id: z.string(),
  name: z.string(),
  creator_job_id: z.string(),
  state: openEnum<'PENDING' | 'PREPARED' | 'CREATED' | 'REMOVED' | 'RESCHEDULING'>(),
  /** Detail. */
  bundles: z.array(bundle).nullish(),
  /** Detail. */
  is_detached: z.boolean().nullish(),
  /** Detail. */
  stats: placementGroupStats.nullish(),
});
export type PlacementGroupState = z.infer<typeof placementGroupState>;

export const workerState = z.looseObject({
  worker_id: z.string(),
  is_alive: z.boolean(),
  worker_type: openEnum<'WORKER' | 'DRIVER' | 'SPILL_WORKER' | 'RESTORE_WORKER'>(),
  exit_type: openEnum<
    'SYSTEM_ERROR' | 'INTENDED_SYSTEM_EXIT' | 'USER_ERROR' | 'INTENDED_USER_EXIT' | 'NODE_OUT_OF_MEMORY'
  >().nullish(),
  node_id: z.string(),
  ip: z.string(),
  pid: z.number(),
  /** Detail. */
  exit_detail: z.string().nullish(),
  /** Detail. Unix milliseconds; null where Ray wrote 2^64-1. */
  worker_launch_time_ms: timestampMs.optional(),
  /** Detail. Unix milliseconds; null where Ray wrote 2^64-1. */
  worker_launched_time_ms: timestampMs.optional(),
  /** Detail. Unix milliseconds. */
  start_time_ms: timestampMs.optional(),
  /** Detail. Unix milliseconds; null while alive. */
  end_time_ms: timestampMs.optional(),
});
export type WorkerState = z.infer<typeof workerState>;

export const jobState = z.looseObject({
  type: openEnum<'SUBMISSION' | 'DRIVER'>(),
  job_id: z.string().nullish(),
  submission_id: z.string().nullish(),
  driver_info: driverInfo.nullish(),
  status: openEnum<'PENDING' | 'RUNNING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED'>(),
  entrypoint: z.string(),
  message: z.string().nullish(),
  error_type: z.string().nullish(),
  /** Detail. Unix milliseconds. */
  start_time: timestampMs.optional(),
  /** Detail. Unix milliseconds. */
  end_time: timestampMs.optional(),
  /** Detail. */
  metadata: stringMap.nullish(),
  /** Detail. */
  runtime_env: anyObject.nullish(),
  /** Detail. */
  driver_exit_code: z.number().nullish(),
});
export type JobState = z.infer<typeof jobState>;

export const objectState = z.looseObject({
  object_id: z.string(),
  /** Bytes; -1 when unknown. */
  object_size: int64,
  /** A task state, `-` or `NIL`. */
  task_status: z.string(),
  attempt_number: int64,
  reference_type: openEnum<
    | 'ACTOR_HANDLE'
    | 'PINNED_IN_MEMORY'
    | 'LOCAL_REFERENCE'
    | 'USED_BY_PENDING_TASK'
    | 'CAPTURED_IN_OBJECT'
    | 'UNKNOWN_STATUS'
  >(),
  call_site: z.string(),
  type: openEnum<'WORKER' | 'DRIVER' | 'SPILL_WORKER' | 'RESTORE_WORKER'>(),
  pid: z.number(),
  ip: z.string(),
});
export type ObjectState = z.infer<typeof objectState>;

/** The reply around the rows. `data.result` is null only beside `result: false`. */
export function stateReply<Row extends z.ZodType>(row: Row) {
  return z.looseObject({
    result: z.boolean(),
    msg: z.string(),
    data: z.looseObject({
      result: z
        .looseObject({
          total: z.number(),
          num_after_truncation: z.number(),
          num_filtered: z.number(),
          result: z.array(row),
          partial_failure_warning: z.string().nullish(),
          warnings: z.array(z.string()).nullish(),
        })
        .nullable(),
    }),
  });
}
