/** What is shown of a cluster besides its record: its newest events and its kernels, for the clusters that are open. */
import type { Cluster, ClusterEvent, ClusterId, Kernel } from '@hitch/contract';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { sentenceOf } from '../actions/report.ts';
import type { IHitch } from '../tokens.ts';

export interface Details {
  /** Oldest first. */
  readonly events: readonly ClusterEvent[];
  /** Null: not known yet, or none can be there. */
  readonly kernels: readonly Kernel[] | null;
  /** Why the newest could not be had; null: it could. */
  readonly problem: string | null;
}

const NOTHING: Details = { events: [], kernels: null, problem: null };
const KEPT = 200;

/** Both lists by their sequence number, each event once, the newest `KEPT`. */
export function joined(known: readonly ClusterEvent[], more: readonly ClusterEvent[]): ClusterEvent[] {
  const bySeq = new Map([...known, ...more].map(event => [event.seq, event]));
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq).slice(-KEPT);
}

export class DetailsModel implements IDisposable {
  readonly changed = new Signal<this, void>(this);
  readonly #hitch: IHitch;
  readonly #known = new Map<ClusterId, Details>();
  readonly #end = new AbortController();

  constructor(hitch: IHitch) {
    this.#hitch = hitch;
    hitch.events.connect(this.#heard, this);
  }

  get isDisposed(): boolean {
    return this.#end.signal.aborted;
  }

  dispose(): void {
    this.#end.abort();
    this.#hitch.events.disconnect(this.#heard, this);
    Signal.clearData(this);
  }

  of(id: ClusterId): Details {
    return this.#known.get(id) ?? NOTHING;
  }

  follow(cluster: Cluster): void {
    if (!this.#known.has(cluster.id)) {
      this.#known.set(cluster.id, NOTHING);
      void this.#ask(cluster, true);
    }
  }

  unfollow(id: ClusterId): void {
    this.#known.delete(id);
  }

  /** Asks for what may have changed without an event. */
  async refresh(): Promise<void> {
    const followed = this.#hitch.clusters.filter(({ id }) => this.#known.has(id));
    await Promise.all(followed.map(cluster => this.#ask(cluster, false)));
  }

  #heard(_: IHitch, event: ClusterEvent): void {
    const details = this.#known.get(event.clusterId);
    if (details !== undefined) {
      this.#put(event.clusterId, { ...details, events: joined(details.events, [event]) });
    }
  }

  #put(id: ClusterId, details: Details): void {
    if (this.#known.has(id) && !this.isDisposed) {
      this.#known.set(id, details);
      this.changed.emit();
    }
  }

  async #ask(cluster: Cluster, withEvents: boolean): Promise<void> {
    const { id } = cluster;
    const { api } = this.#hitch.client;
    const call = { signal: this.#end.signal };
    const afterSeq = Math.max(0, cluster.lastEventSeq - KEPT);
    const notebook = cluster.conditions.kernel.status === 'yes' && cluster.phase !== 'unreachable';
    try {
      const [events, kernels] = await Promise.all([
        withEvents ? api.clusters.events({ clusterId: id, afterSeq, limit: KEPT }, call) : [],
        notebook ? api.kernels.list({ clusterId: id }, call) : null,
      ]);
      this.#put(id, { events: joined(this.of(id).events, events), kernels, problem: null });
    } catch (error) {
      if (!this.isDisposed) {
        this.#put(id, { ...this.of(id), problem: sentenceOf(error) });
      }
    }
  }
}
