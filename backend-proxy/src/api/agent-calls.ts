/** Calls to a cluster's agent on behalf of a client: a deadline, one sentence for silence, and the last known lists. */
import { type Cluster, type ClusterId, HitchError, readSshAlias } from '@hitch/contract';
import { agentClient, type AgentClient } from '../access/agent-client.ts';
import type { AgentLink } from '../access/agent-link.ts';
import { PATIENCE } from '../access/patience.ts';
import type { ClusterService } from '../clusters/service.ts';
import { type Clock, within } from '@hitch/platform/src/clock.ts';

/** A list is on somebody's screen: better an old one soon than a fresh one late. */
const LIST_TIMEOUT_MS = 8_000;
const LISTS_KEPT = 500;

type Call = AgentClient['call'];

/** @throws HitchError NOT_FOUND */
export function checkNode(cluster: Cluster, nodeIndex: number): void {
  if (nodeIndex > 0 && !cluster.nodes.some(({ index }) => index === nodeIndex)) {
    throw new HitchError('NOT_FOUND', `${cluster.name} has no node ${nodeIndex}.`, { field: 'nodeIndex' });
  }
}

/**
 * The way to a cluster's node, the head unless another is asked for.
 * @throws HitchError NOT_FOUND for no such cluster or node, CONFLICT where no machine is up, else UNREACHABLE
 */
export function linkTo(
  clusters: Pick<ClusterService, 'get' | 'nodeLink'>,
  clusterId: ClusterId,
  nodeIndex = 0,
): AgentLink {
  const cluster = clusters.get(clusterId);
  checkNode(cluster, nodeIndex);
  const link = clusters.nodeLink(clusterId, nodeIndex);
  if (link !== null && !link.closed.aborted) {
    return link;
  }
  switch (cluster.phase) {
    case 'stopped':
    case 'expired':
    case 'failed':
    case 'paused':
      throw new HitchError('CONFLICT', `${cluster.name} does not run (${cluster.phase}).`, {
        next: 'Start it again first.',
      });
    case 'requested':
    case 'purchasing':
    case 'bootstrapping':
      throw new HitchError('UNREACHABLE', `${cluster.name} is not up yet (${cluster.phase}).`, {
        next: 'Wait until its notebook is ready.',
      });
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'unreachable':
    case 'stopping':
      throw new HitchError('UNREACHABLE', `${cluster.name} does not answer; its work may continue.`, {
        next: 'Hitch keeps trying; its stop limits still apply.',
      });
  }
}

export class AgentCalls {
  readonly #clusters: Pick<ClusterService, 'get' | 'nodeLink'>;
  readonly #clock: Clock;
  readonly #answerMs: number;
  /** Oldest first. */
  readonly #lists = new Map<string, readonly unknown[]>();

  /** @param answerMs the longest for one call: a checksum of a large file, a move between disks. */
  constructor(
    clusters: Pick<ClusterService, 'get' | 'nodeLink'>,
    clock: Clock,
    answerMs: number = PATIENCE.answerMs,
  ) {
    this.#answerMs = answerMs;
    this.#clusters = clusters;
    this.#clock = clock;
  }

  /** @throws HitchError as {@link linkTo}. */
  link(clusterId: ClusterId, nodeIndex = 0): AgentLink {
    return linkTo(this.#clusters, clusterId, nodeIndex);
  }

  /** One call, to the head unless another node is asked for. @throws HitchError: the agent's own, or UNREACHABLE. */
  async call<T>(
    clusterId: ClusterId,
    run: (call: Call, options: { signal: AbortSignal }) => Promise<T>,
    signal: AbortSignal | undefined,
    timeoutMs = this.#answerMs,
    nodeIndex = 0,
  ): Promise<T> {
    const link = this.link(clusterId, nodeIndex);
    const name = this.#clusters.get(clusterId).name;
    try {
      return await within(this.#clock, timeoutMs, late =>
        run(agentClient(link).call, {
          signal: AbortSignal.any([late, link.closed, ...(signal === undefined ? [] : [signal])]),
        }),
      );
    } catch (error) {
      throw agentFailure(error, name);
    }
  }

  /** A list; of a cluster that does not answer, the last one known, each entry passed through `stale`. */
  async list<T>(
    clusterId: ClusterId,
    what: string,
    run: (call: Call, options: { signal: AbortSignal }) => Promise<readonly T[]>,
    signal: AbortSignal | undefined,
    stale: (entry: T) => T = entry => entry,
  ): Promise<T[]> {
    const key = `${clusterId} ${what}`;
    try {
      const list = await this.call(clusterId, run, signal, Math.min(LIST_TIMEOUT_MS, this.#answerMs));
      this.#lists.delete(key);
      this.#lists.set(key, list);
      for (const oldest of this.#lists.keys()) {
        if (this.#lists.size <= LISTS_KEPT) {
          break;
        }
        this.#lists.delete(oldest);
      }
      return [...list];
    } catch (error) {
      // The key holds the kind of list, so what lies under it is a list of T.
      const known = this.#lists.get(key) as readonly T[] | undefined;
      if (error instanceof HitchError && error.code === 'UNREACHABLE' && known !== undefined) {
        return known.map(stale);
      }
      throw error;
    }
  }
}

/** What an agent's failure means to a client: its own sentence where it answered, otherwise that it does not. */
export function agentFailure(error: unknown, name: string): HitchError {
  if (error instanceof HitchError && error.code !== 'UNREACHABLE') {
    return error.code === 'UNAUTHORIZED' || error.code === 'FORBIDDEN_ORIGIN'
      ? new HitchError('UNREACHABLE', `The agent of ${name} does not accept this daemon.`, { cause: error })
      : error;
  }
  return new HitchError('UNREACHABLE', `${name} does not answer; its work may continue.`, {
    next: 'Hitch keeps trying; its stop limits still apply.',
    cause: error,
  });
}

/** @throws HitchError NOT_FOUND for a host that is none of ours, and as `linkTo`. */
export function sshLink(
  service: Pick<ClusterService, 'get' | 'nodeLink' | 'idOf'>,
  alias: string,
): AgentLink {
  const named = readSshAlias(alias);
  const clusterId = named === null ? undefined : service.idOf(named.clusterName);
  if (named === null || clusterId === undefined) {
    throw new HitchError('NOT_FOUND', `There is no cluster that ssh would call ${alias}.`, {
      next: 'Look at hitch ls.',
    });
  }
  return linkTo(service, clusterId, named.nodeIndex);
}
