/** A cluster side without clusters: records in memory, events by hand. For tests of what stands in front of it. */
import {
  clusterIdSchema,
  type Cluster,
  type ClusterEvent,
  type ClusterId,
  type Copy,
  HitchError,
  type LimitChange,
  type Quote,
  type QuoteId,
  type QuoteRequest,
  type WatchedEvent,
} from '@hitch/contract';
import type { AgentLink } from '../../src/access/agent-link.ts';
import type { ClusterService } from '../../src/clusters/service.ts';
import { ids, quote, START_MS } from '../store/records.ts';

export function wireCluster(change: Partial<Cluster> = {}): Cluster {
  const id = change.id ?? ids.next('clu');
  const condition = { status: 'yes', reason: 'ok', message: '', sinceMs: START_MS } as const;
  return {
    id,
    name: 'llm-dev',
    practice: true,
    phase: 'ready',
    phaseSinceMs: START_MS,
    message: '',
    conditions: { kernel: condition, engine: condition, billing: condition, cleanup: condition },
    engine: 'single',
    template: 'notebook',
    nodes: [],
    caps: { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null },
    save: { paths: [], toFolder: null },
    saved: [],
    saving: null,
    createdAtMs: START_MS,
    endedAtMs: null,
    usage: {
      ratePerHourMicroUsd: '420000',
      accruedMicroUsd: '1130000',
      spentBeforeMicroUsd: '0',
      committedMicroUsd: '1130000',
      paidAheadMicroUsd: '0',
      capMicroUsd: '2000000',
      capReachedAtMs: null,
      parts: [],
    },
    jupyterPath: `/clusters/${id}/jupyter`,
    lastEventSeq: 0,
    ...change,
  };
}

export class FakeClusters implements ClusterService {
  readonly clusters = new Map<ClusterId, Cluster>();
  readonly links = new Map<ClusterId, AgentLink>();
  readonly asked: QuoteRequest[] = [];
  readonly recorded: WatchedEvent[] = [];
  #wake = Promise.withResolvers<undefined>();

  add(change: Partial<Cluster> = {}): Cluster {
    const cluster = wireCluster(change);
    this.clusters.set(cluster.id, cluster);
    return cluster;
  }

  say(of: Cluster, value: string): void {
    const seq = this.recorded.length + 1;
    const event: ClusterEvent = {
      clusterId: of.id,
      seq,
      atMs: START_MS + seq,
      kind: 'phase',
      nodeId: null,
      attemptId: null,
      value,
      message: '',
    };
    this.recorded.push({ cursor: `e${seq}`, event });
    this.#wake.resolve(undefined);
    this.#wake = Promise.withResolvers();
  }

  async quote(request: QuoteRequest): Promise<Quote> {
    this.asked.push(request);
    return quote().quote;
  }

  async quoteAgain(_id: ClusterId, _options: LimitChange & { readonly skipTried: boolean }): Promise<Quote> {
    return quote().quote;
  }

  quoteById(_id: QuoteId): Quote {
    throw new HitchError('QUOTE_EXPIRED', 'The quote expired 3 minutes ago.', { next: 'Ask for another.' });
  }

  async create({ name }: { quoteId: QuoteId; name?: string }): Promise<Cluster> {
    return this.add(name === undefined ? {} : { name });
  }

  async adopt(): Promise<Cluster> {
    return this.add({});
  }

  list(): readonly Cluster[] {
    return [...this.clusters.values()];
  }

  get(id: ClusterId): Cluster {
    const cluster = this.clusters.get(id);
    if (cluster === undefined) {
      throw new HitchError('NOT_FOUND', 'There is no such cluster.');
    }
    return cluster;
  }

  async stop(id: ClusterId, _options: { skipSave: boolean }): Promise<Cluster> {
    return this.get(id);
  }

  async startAgain(id: ClusterId, _quoteId: QuoteId): Promise<Cluster> {
    return this.get(id);
  }

  async extend(id: ClusterId, _change: object, _options?: { readonly onlyLess: boolean }): Promise<Cluster> {
    return this.get(id);
  }

  async changeEnvironment(id: ClusterId, _environment: string | null): Promise<Cluster> {
    return this.get(id);
  }

  async keepEnvironment(id: ClusterId): Promise<Cluster> {
    return this.get(id);
  }

  async save(_id: ClusterId, _paths?: readonly string[]): Promise<Copy> {
    throw new HitchError('CONFLICT', 'The fake cluster saves nothing.');
  }

  async remove(id: ClusterId): Promise<void> {
    this.get(id);
    this.clusters.delete(id);
  }

  async events(id: ClusterId, afterSeq: number, limit: number): Promise<readonly ClusterEvent[]> {
    return this.recorded
      .map(({ event }) => event)
      .filter(event => event.clusterId === id && event.seq > afterSeq)
      .slice(0, limit);
  }

  cursor(): string {
    return `e${this.recorded.length}`;
  }

  async *watch(cursor: string | undefined, signal: AbortSignal): AsyncGenerator<WatchedEvent> {
    const aborted = new Promise<void>(resolve => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const match = /^e(\d+)$/.exec(cursor ?? this.cursor());
    if (match === null) {
      throw new HitchError('BAD_INPUT', 'The event cursor is not one of this daemon’s.', { field: 'cursor' });
    }
    for (let next = Number(match[1]); !signal.aborted;) {
      const event = this.recorded[next];
      if (event === undefined) {
        await Promise.race([this.#wake.promise, aborted]);
      } else {
        next += 1;
        yield event;
      }
    }
  }

  usage(id: ClusterId): Cluster['usage'] {
    return this.get(id).usage;
  }

  async usageTotal(): Promise<{ costMicroUsd: string; ratePerHourMicroUsd: string }> {
    return { costMicroUsd: '41200000', ratePerHourMicroUsd: '420000' };
  }

  async logs(): Promise<string> {
    return 'agent started\n';
  }

  idOf(name: string): ClusterId | undefined {
    return this.list().find(cluster => cluster.name === name)?.id;
  }

  nodeLink(id: ClusterId, nodeIndex: number): AgentLink | null {
    return nodeIndex === 0 ? (this.links.get(id) ?? null) : null;
  }
}

export function parseClusterId(text: string): ClusterId {
  const parsed = clusterIdSchema.safeParse(text);
  if (!parsed.success) {
    throw new HitchError('NOT_FOUND', 'There is no such cluster.');
  }
  return parsed.data;
}
