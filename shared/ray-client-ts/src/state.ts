/** The state API: what the cluster holds, as filtered lists. No paging: narrow with filters, or raise `limit`. */
import type * as z from 'zod';
import { RayProtocolError } from './errors.ts';
import {
  actorState,
  jobState,
  nodeState,
  objectState,
  placementGroupState,
  stateReply,
  taskState,
  workerState,
} from './state-schemas.ts';
import type {
  ActorState,
  JobState,
  NodeState,
  ObjectState,
  PlacementGroupState,
  TaskState,
  WorkerState,
} from './state-schemas.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Filterable columns, by list. Any other is answered with 400 and the list of allowed ones. */
export interface FilterKeys {
  nodes: 'node_id' | 'node_ip' | 'node_name' | 'is_head_node' | 'state';
  actors:
    | 'actor_id'
    | 'class_name'
    | 'job_id'
    | 'name'
    | 'node_id'
    | 'pid'
    | 'placement_group_id'
    | 'ray_namespace'
    | 'repr_name'
    | 'state';
  tasks:
    | 'actor_id'
    | 'attempt_number'
    | 'error_type'
    | 'func_or_class_name'
    | 'is_debugger_paused'
    | 'job_id'
    | 'language'
    | 'name'
    | 'node_id'
    | 'parent_task_id'
    | 'placement_group_id'
    | 'state'
    | 'task_id'
    | 'type'
    | 'worker_id'
    | 'worker_pid';
  placementGroups: 'creator_job_id' | 'is_detached' | 'name' | 'placement_group_id' | 'state';
  workers:
    | 'debugger_port'
    | 'exit_type'
    | 'ip'
    | 'is_alive'
    | 'node_id'
    | 'num_paused_threads'
    | 'pid'
    | 'worker_id'
    | 'worker_type';
  jobs: 'job_id' | 'status' | 'submission_id' | 'type';
  objects:
    | 'attempt_number'
    | 'call_site'
    | 'ip'
    | 'object_id'
    | 'object_size'
    | 'pid'
    | 'reference_type'
    | 'task_status'
    | 'type';
}

/** `key = value`, or `key != value`. A value that the column's type is known to hold is completed by the editor. */
export type StateFilter<Key extends string, Row> = {
  [K in Key]: {
    key: K;
    predicate?: '=' | '!=' | undefined;
    value: K extends keyof Row
      ? NonNullable<Row[K]> & (string | number | boolean)
      : string | number | boolean;
  };
}[Key];

export interface StateOptions<Key extends string, Row> extends CallOptions {
  /** All must hold. */
  filters?: readonly StateFilter<Key, Row>[] | undefined;
  /** Rows at most; 100 by default, 10,000 at most. */
  limit?: number | undefined;
  /** Also the columns marked *detail*. */
  detail?: boolean | undefined;
  /** How long the head asks its nodes, in whole seconds; 30 by default. Late nodes are left out with a warning. */
  serverTimeoutS?: number | undefined;
}

export interface TaskOptions extends StateOptions<FilterKeys['tasks'], TaskState> {
  /** Leave out the drivers' own tasks. Ray's default is true. */
  excludeDriver?: boolean | undefined;
}

export interface StateList<Row> {
  items: Row[];
  /** Rows that exist, as far as Ray kept them. */
  total: number;
  /** Rows left after Ray's own cut at the source; fewer than `total` means that some were not even looked at. */
  numAfterTruncation: number;
  /** Rows that met the filters; more than `items` when `limit` cut them. */
  numFiltered: number;
  /** Why the list may be incomplete, for a person; empty when it is complete. */
  warnings: string[];
}

export class StateApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Nodes, dead ones included, with resources under the names the user gave. */
  async nodes(options: StateOptions<FilterKeys['nodes'], NodeState> = {}): Promise<StateList<NodeState>> {
    return this.#list('nodes', nodeState, options);
  }

  async actors(options: StateOptions<FilterKeys['actors'], ActorState> = {}): Promise<StateList<ActorState>> {
    return this.#list('actors', actorState, options);
  }

  async tasks(options: TaskOptions = {}): Promise<StateList<TaskState>> {
    const extra: Record<string, string> =
      options.excludeDriver === undefined ? {} : { exclude_driver: options.excludeDriver ? '1' : '0' };
    return this.#list('tasks', taskState, options, extra);
  }

  async placementGroups(
    options: StateOptions<FilterKeys['placementGroups'], PlacementGroupState> = {},
  ): Promise<StateList<PlacementGroupState>> {
    return this.#list('placement_groups', placementGroupState, options);
  }

  async workers(
    options: StateOptions<FilterKeys['workers'], WorkerState> = {},
  ): Promise<StateList<WorkerState>> {
    return this.#list('workers', workerState, options);
  }

  /** The same jobs as `jobs.list`, filtered by the server. */
  async jobs(options: StateOptions<FilterKeys['jobs'], JobState> = {}): Promise<StateList<JobState>> {
    return this.#list('jobs', jobState, options);
  }

  async objects(
    options: StateOptions<FilterKeys['objects'], ObjectState> = {},
  ): Promise<StateList<ObjectState>> {
    return this.#list('objects', objectState, options);
  }

  async #list<Schema extends z.ZodType, Key extends string>(
    resource: string,
    row: Schema,
    options: StateOptions<Key, z.output<Schema>>,
    extra: Record<string, string> = {},
  ): Promise<StateList<z.output<Schema>>> {
    const { signal, timeoutMs } = options;
    const path = `/api/v0/${resource}`;
    const query = stateQuery(options, extra);
    const reply = await this.#transport.json(
      { method: 'GET', path, query, signal, timeoutMs },
      stateReply(row),
    );
    const found = reply.data.result;
    if (found === null) {
      throw new RayProtocolError(`GET ${path} was answered without rows: ${reply.msg}`, { retryable: true });
    }
    const partial = found.partial_failure_warning ?? '';
    return {
      items: found.result,
      total: found.total,
      numAfterTruncation: found.num_after_truncation,
      numFiltered: found.num_filtered,
      warnings: [...(partial === '' ? [] : [partial]), ...(found.warnings ?? [])],
    };
  }
}

interface QueryOptions {
  filters?: readonly { key: string; predicate?: '=' | '!=' | undefined; value: unknown }[] | undefined;
  limit?: number | undefined;
  detail?: boolean | undefined;
  serverTimeoutS?: number | undefined;
}

/** Filters travel as three parallel lists. */
function stateQuery(options: QueryOptions, extra: Record<string, string>): URLSearchParams {
  const query = new URLSearchParams(extra);
  if (options.limit !== undefined) query.set('limit', String(options.limit));
  if (options.detail !== undefined) query.set('detail', options.detail ? '1' : '0');
  if (options.serverTimeoutS !== undefined) query.set('timeout', String(options.serverTimeoutS));
  for (const { key, predicate, value } of options.filters ?? []) {
    query.append('filter_keys', key);
    query.append('filter_predicates', predicate ?? '=');
    query.append('filter_values', String(value));
  }
  return query;
}
