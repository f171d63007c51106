/** ray-client-ts: a typed client for Ray's HTTP API. */
export { RayClient } from './client.ts';
export type { RayClientOptions } from './client.ts';
export {
  RayAuthError,
  RayBadRequestError,
  RayBrowserRefusedError,
  RayConflictError,
  RayConnectionError,
  RayError,
  RayNotFoundError,
  RayPayloadTooLargeError,
  RayProtocolError,
  RayRateLimitedError,
  RayServerError,
} from './errors.ts';
export type { RayErrorDetails } from './errors.ts';
export type { RetryOptions } from './backoff.ts';
export type {
  Activities,
  Activity,
  AuthenticationMode,
  ClusterMetadata,
  ClusterStatus,
  RayVersion,
} from './cluster-schemas.ts';
export type { ClusterApi } from './cluster.ts';
export type { HealthApi, Ready, ReadyOptions } from './health.ts';
export { isTerminal } from './job-schemas.ts';
export type { JobDetails, JobErrorType, JobStatus, JobSubmitRequest, JobType } from './job-schemas.ts';
export type { JobsApi, WaitOptions } from './jobs.ts';
export type { GpuSummary, NodeSummary } from './node-schemas.ts';
export type { NodesApi, NodesSummary } from './nodes.ts';
export { MAX_PACKAGE_BYTES } from './packages.ts';
export type { PackagesApi } from './packages.ts';
export type { Sleep } from './sleep.ts';
export type { FilterKeys, StateApi, StateFilter, StateList, StateOptions, TaskOptions } from './state.ts';
export type {
  ActorState,
  JobState,
  NodeState,
  ObjectState,
  PlacementGroupState,
  TaskState,
  WorkerState,
} from './state-schemas.ts';
export type { TailOptions } from './tail.ts';
export type { ConnectionFactory } from './tail-socket.ts';
export type { CallOptions, TokenSource } from './transport.ts';
export type { OpenEnum } from './wire.ts';
