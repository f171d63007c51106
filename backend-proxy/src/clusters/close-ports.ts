/**
 * Has each machine of a cluster that others reach close its engine's ports to all but the cluster's machines, and one that is
 * rented all of its ports but its sshd's. Said before an engine starts there, when the machines change, and again every minute: whoever loads the machine's own rules anew
 * (`nft flush ruleset`, as Debian's service does) takes ours away with the rest.
 */
import type { NodeId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import { type Host, HostError } from '../access/host.ts';
import type { Door } from '../access/links.ts';
import { type ClusterState, memberOf, presentNodes } from '../ledger/cluster-state.ts';

const STANDS_MS = 60_000;

/** A node of the cluster, and where the others reach it, by its record; null: nowhere, or nobody knows yet. */
export interface Standing {
  readonly nodeId: NodeId;
  readonly privateAddress: string | null;
}

export interface Closing {
  /** Those that are not closed though they must be, and why: no engine may run there. */
  readonly failed: readonly { readonly nodeId: NodeId; readonly sentence: string }[];
  /** When to do it again; null: nothing is to be closed. */
  readonly againInMs: number | null;
}

type Way = Pick<Door, 'host' | 'facts'>;

export interface PortCloserParts {
  readonly calls: { limited<T>(name: 'facts', run: (signal: AbortSignal) => Promise<T>): Promise<T> };
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly links: { get(nodeId: NodeId): Way | null };
  readonly log: Log;
}

interface Told {
  readonly peers: string;
  readonly atMs: number;
}

export class PortCloser {
  readonly #parts: PortCloserParts;
  /** By the way in: who comes by another one is told anew. */
  readonly #told = new WeakMap<Way, Told>();

  constructor(parts: PortCloserParts) {
    this.#parts = parts;
  }

  /**
   * @param listens whether the cluster's engine listens on more than the loopback
   * @throws HostError of a machine that could not be told; then nobody may join it yet.
   */
  async close(nodes: readonly Standing[], listens: boolean): Promise<Closing> {
    const reached = nodes.flatMap(({ nodeId }) => {
      const way = this.#parts.links.get(nodeId);
      return way !== null && isReached(way.host, listens) ? [{ nodeId, way }] : [];
    });
    const failed = await Promise.all(
      reached.map(({ nodeId, way }) => this.#tell(nodeId, way, this.#othersOf(nodes, nodeId))),
    );
    return { failed: failed.flatMap(each => each ?? []), againInMs: reached.length === 0 ? null : STANDS_MS };
  }

  /** Where the others stand, by what they say of themselves and by their records, which hold while they do not answer. */
  #othersOf(nodes: readonly Standing[], own: NodeId): readonly string[] {
    const addresses = nodes
      .filter(({ nodeId }) => nodeId !== own)
      .flatMap(({ nodeId, privateAddress }) => [
        ...(privateAddress === null ? [] : [privateAddress]),
        ...(this.#parts.links.get(nodeId)?.facts.addresses ?? []),
      ]);
    return [...new Set(addresses)].toSorted();
  }

  async #tell(nodeId: NodeId, way: Way, peers: readonly string[]): Promise<Closing['failed'][number] | null> {
    const { calls, clock, log } = this.#parts;
    const { portBase } = way.facts;
    const told = this.#told.get(way);
    const nowMs = clock.monotonic();
    if (portBase === null || (told?.peers === peers.join() && nowMs - told.atMs < STANDS_MS)) {
      return null;
    }
    try {
      const open = await calls.limited(
        'facts',
        signal => way.host.closePorts?.({ portBase, peers }, signal) ?? Promise.resolve(null),
      );
      if (open !== null && told === undefined) {
        log.warn("The ports of a cluster's machine stay open to its network", { node: nodeId, reason: open });
      }
    } catch (error) {
      if (error instanceof HostError && error.fatal) {
        return { nodeId, sentence: error.message };
      }
      throw error;
    }
    this.#told.set(way, { peers: peers.join(), atMs: nowMs });
    return null;
  }
}

/** What is rented is the cluster's alone; of what is a person's own machine only an engine's ports are ours to close. */
const isReached = (host: Host, listens: boolean): boolean =>
  host.closePorts !== undefined &&
  (host.address.ssh?.kind === 'rented' || (listens && host.address.privateAddress !== null));

/** The cluster's present nodes, with the addresses of their machines. */
export function standingOf(state: ClusterState): readonly Standing[] {
  return presentNodes(state).flatMap(({ id, attemptId }) => {
    const attempt = state.attempts.find(each => each.id === attemptId);
    const member = attempt === undefined ? undefined : memberOf(attempt, id);
    // What was adopted may serve somebody by the ports that it has open.
    return attempt !== undefined && attempt.adopted !== null
      ? []
      : [{ nodeId: id, privateAddress: member?.address?.privateAddress ?? null }];
  });
}
