/** One cluster's state while a transaction changes it. */
import type {
  AttemptId,
  AttemptState,
  ClusterId,
  Condition,
  Conditions,
  NodeId,
  NodePhase,
  ProviderId,
  QuoteId,
} from '@hitch/contract';
import type { ClusterState } from './cluster-state.ts';
import type { KeptKind } from './kind.ts';
import { hostHistories, hostKey, type HostNews, hostSaidAfter, withNews } from './kinds/host-history.ts';
import { quotes } from './kinds/quote.ts';
import { countedWith } from './kinds/counted.ts';
import { isSameRef, refKey, refOf, refs } from './kinds/ref.ts';
import type {
  AttemptRecord,
  ClusterRecord,
  EventRecord,
  NodeRecord,
  QuoteRecord,
  RefRecord,
  SegmentRecord,
} from './records.ts';
import type { Change } from './store.ts';
import { summarise } from './summary.ts';

export interface TransactionContext {
  readonly clusterId: ClusterId;
  readonly state: ClusterState | null;
  readonly nowMs: number;
  readonly leaseEpoch: number;
  get<R extends object>(kind: KeptKind<R>, key: string): R | undefined;
  put<R extends object>(kind: KeptKind<R>, record: R): void;
  nameTaken(name: string): boolean;
  titleOf(provider: ProviderId): string;
  limitsOf(provider: ProviderId): PhaseLimits;
}

/** How long a network’s machines may take for what its own limits know of; the rest takes as long as any. */
export interface PhaseLimits {
  readonly booting?: number;
  readonly bootstrapping?: number;
}

export interface TransactionResult {
  readonly state: ClusterState | null;
  readonly change: Change;
  readonly lastPosition: number;
}

type Said = Pick<EventRecord, 'kind' | 'value' | 'message'> & {
  readonly nodeId?: NodeId | null;
  readonly attemptId?: AttemptId | null;
};

export class ClusterTransaction {
  readonly #context: TransactionContext;
  #cluster: ClusterRecord | null;
  #nodes: NodeRecord[];
  #attempts: AttemptRecord[];
  #segments: SegmentRecord[];
  readonly #dirtyNodes = new Set<NodeId>();
  readonly #dirtyAttempts = new Set<AttemptId>();
  readonly #dirtySegments = new Set<SegmentRecord>();
  readonly #said: Said[] = [];
  #dirtyCluster = false;
  #needsDisk = false;
  #forgotten = false;

  constructor(context: TransactionContext) {
    this.#context = context;
    this.#cluster = context.state?.cluster ?? null;
    this.#nodes = [...(context.state?.nodes ?? [])];
    this.#attempts = [...(context.state?.attempts ?? [])];
    this.#segments = [...(context.state?.segments ?? [])];
  }

  get nowMs(): number {
    return this.#context.nowMs;
  }

  get leaseEpoch(): number {
    return this.#context.leaseEpoch;
  }

  get exists(): boolean {
    return this.#cluster !== null && !this.#forgotten;
  }

  get cluster(): ClusterRecord {
    if (this.#cluster === null) {
      throw new Error(`Cluster ${this.#context.clusterId} is not there any more.`);
    }
    return this.#cluster;
  }

  get nodes(): readonly NodeRecord[] {
    return this.#nodes;
  }

  get attempts(): readonly AttemptRecord[] {
    return this.#attempts;
  }

  get segments(): readonly SegmentRecord[] {
    return this.#segments;
  }

  get state(): ClusterState {
    return { cluster: this.cluster, nodes: this.#nodes, attempts: this.#attempts, segments: this.#segments };
  }

  quote(id: QuoteId): QuoteRecord | undefined {
    return this.#context.get(quotes, id);
  }

  /** What is kept for ever of a purchase. */
  ref(attempt: Pick<AttemptRecord, 'provider' | 'mark'>): RefRecord | undefined {
    return this.#context.get(refs, refKey(attempt));
  }

  nameTaken(name: string): boolean {
    return this.#context.nameTaken(name);
  }

  titleOf(provider: ProviderId): string {
    return this.#context.titleOf(provider);
  }

  limitsOf(provider: ProviderId): PhaseLimits {
    return this.#context.limitsOf(provider);
  }

  node(id: NodeId): NodeRecord | undefined {
    return this.#nodes.find(node => node.id === id);
  }

  attempt(id: AttemptId): AttemptRecord | undefined {
    return this.#attempts.find(attempt => attempt.id === id);
  }

  createCluster(cluster: ClusterRecord): void {
    this.#cluster = cluster;
    this.#dirtyCluster = true;
  }

  setCluster(patch: Partial<ClusterRecord>): void {
    this.#cluster = { ...this.cluster, ...patch };
    this.#dirtyCluster = true;
  }

  setCondition(name: keyof Conditions, status: Condition['status'], reason: string, message: string): void {
    const { conditions } = this.cluster;
    const before = conditions[name];
    if (before.status === status && before.reason === reason && before.message === message) {
      return;
    }
    const changed = before.status !== status || before.reason !== reason;
    const condition = { status, reason, message, sinceMs: changed ? this.nowMs : before.sinceMs };
    this.setCluster({ conditions: { ...conditions, [name]: condition } });
    if (changed) {
      this.say({ kind: 'condition', value: `${name}:${status}:${reason}`, message });
    }
  }

  addNode(node: NodeRecord): void {
    this.#nodes.push(node);
    this.#dirtyNodes.add(node.id);
  }

  setNode(id: NodeId, patch: Partial<NodeRecord>): void {
    this.#nodes = this.#nodes.map(node => (node.id === id ? { ...node, ...patch } : node));
    this.#dirtyNodes.add(id);
  }

  /** Moves a node to a phase and says so. Staying in a phase keeps its deadline and only changes the sentence. */
  nodePhase(id: NodeId, phase: NodePhase, message: string, limitMs: number | null = null): void {
    const node = this.node(id);
    if (node === undefined || (node.phase === phase && node.message === message)) {
      return;
    }
    if (node.phase === phase) {
      this.setNode(id, { message });
    } else {
      const deadlineMs = limitMs === null ? null : this.nowMs + limitMs;
      const wasUp = node.wasUp || phase === 'starting' || phase === 'ready';
      this.setNode(id, { phase, message, phaseSinceMs: this.nowMs, deadlineMs, wasUp });
    }
    this.say({ kind: 'node', value: phase, message, nodeId: id });
  }

  addAttempt(attempt: AttemptRecord): void {
    this.#attempts.push(attempt);
    this.#dirtyAttempts.add(attempt.id);
    this.#sayAttempt(attempt);
  }

  setAttempt(id: AttemptId, patch: Partial<AttemptRecord>): void {
    this.#attempts = this.#attempts.map(attempt => (attempt.id === id ? { ...attempt, ...patch } : attempt));
    this.#dirtyAttempts.add(id);
  }

  /** Moves an attempt to a state and says so. */
  attemptState(
    id: AttemptId,
    state: AttemptState,
    message: string,
    patch: Partial<AttemptRecord> = {},
  ): void {
    const ended = state === 'gone' || state === 'refused';
    this.setAttempt(id, { ...(ended ? { endedAtMs: this.nowMs } : {}), ...patch, state, message });
    const attempt = this.attempt(id);
    if (attempt !== undefined) {
      this.#sayAttempt(attempt);
    }
    if (state === 'owned') {
      this.noteHost(id, { what: 'bought' });
    }
  }

  /** Writes into the history of a purchase's host what came of it, once each. */
  noteHost(id: AttemptId, news: HostNews): void {
    const attempt = this.attempt(id);
    const said = attempt === undefined ? null : hostSaidAfter(attempt.hostSaid, news);
    if (attempt !== undefined && said !== null) {
      const before = this.#context.get(hostHistories, hostKey(attempt.offer));
      this.#context.put(hostHistories, withNews(before, attempt.offer, attempt.hostSaid, news, this.nowMs));
      this.setAttempt(id, { hostSaid: said });
    }
  }

  segmentsOf(attemptId: AttemptId): readonly SegmentRecord[] {
    return this.#segments.filter(segment => segment.attemptId === attemptId);
  }

  addSegment(
    attempt: AttemptRecord,
    segment: Pick<SegmentRecord, 'kind' | 'amountMicroUsd' | 'label' | 'startMs' | 'endMs'>,
  ): void {
    const added: SegmentRecord = {
      attemptId: attempt.id,
      nodeId: attempt.nodeId,
      clusterId: attempt.clusterId,
      // One of them may have been set aside as not readable.
      index: 1 + Math.max(-1, ...this.segmentsOf(attempt.id).map(({ index }) => index)),
      ...segment,
    };
    this.#segments.push(added);
    this.#dirtySegments.add(added);
  }

  setSegment(
    segment: SegmentRecord,
    patch: Pick<Partial<SegmentRecord>, 'startMs' | 'endMs' | 'amountMicroUsd'>,
  ): void {
    const changed = { ...segment, ...patch };
    this.#segments = this.#segments.map(other => (other === segment ? changed : other));
    this.#dirtySegments.delete(segment);
    this.#dirtySegments.add(changed);
  }

  putQuote(quote: QuoteRecord): void {
    this.#context.put(quotes, quote);
  }

  /** What is changed here counts only once the disk has it: else it is taken in memory while the disk is full. */
  insistOnDisk(): void {
    this.#needsDisk = true;
  }

  say(said: Said): void {
    this.#said.push(said);
  }

  /** Takes the cluster off the list. Its records stay, as what networks may still show is known by them. */
  remove(): void {
    this.say({
      kind: 'removed',
      value: 'removed',
      message: `${this.cluster.name} was removed from the list.`,
    });
    this.setCluster({ removedAtMs: this.nowMs });
    this.insistOnDisk();
  }

  /** Takes a removed cluster out of the records for good. Its refs stay. */
  forget(): void {
    this.#forgotten = true;
    this.#dirtyCluster = true;
  }

  /** What to commit after the event at `lastPosition`, or null when nothing was written. */
  finish(lastPosition: number): TransactionResult | null {
    const touched =
      this.#dirtyCluster || this.#dirtyNodes.size + this.#dirtyAttempts.size + this.#dirtySegments.size > 0;
    if (this.#cluster === null || !(touched || this.#said.length > 0)) {
      return null;
    }
    if (!this.#forgotten) {
      summarise(this);
    }
    this.#noteRefs();
    const events = this.#events(lastPosition);
    this.setCluster({
      leaseEpoch: this.#context.leaseEpoch,
      lastEventSeq: this.cluster.lastEventSeq + events.length,
    });
    if (this.#forgotten) {
      return {
        state: null,
        lastPosition: lastPosition + events.length,
        change: { events, forget: [this.cluster.id] },
      };
    }
    const change: Change = {
      clusters: [this.cluster],
      nodes: this.#nodes.filter(({ id }) => this.#dirtyNodes.has(id)),
      attempts: this.#attempts.filter(({ id }) => this.#dirtyAttempts.has(id)),
      segments: [...this.#dirtySegments],
      events,
      ...(this.#needsDisk ? { needsDisk: true } : {}),
    };
    return { state: this.state, change, lastPosition: lastPosition + events.length };
  }

  /** Each purchase is noted by its ref with the intent itself, and with whatever is written of it. */
  #noteRefs(): void {
    for (const attempt of this.#attempts) {
      if (this.#forgotten || this.#dirtyAttempts.has(attempt.id)) {
        const before = this.ref(attempt);
        const now = refOf(this.cluster, attempt, before);
        const ref = this.#forgotten ? countedWith(now, this.segmentsOf(attempt.id)) : now;
        if (!isSameRef(ref, before)) {
          this.#context.put(refs, ref);
        }
      }
    }
  }

  #events(lastPosition: number): EventRecord[] {
    return this.#said.map((said, index) => ({
      nodeId: null,
      attemptId: null,
      ...said,
      position: lastPosition + index + 1,
      clusterId: this.cluster.id,
      seq: this.cluster.lastEventSeq + index + 1,
      atMs: this.nowMs,
    }));
  }

  #sayAttempt({ id, nodeId, state, message }: AttemptRecord): void {
    this.say({ kind: 'attempt', value: state, message, nodeId, attemptId: id });
  }
}
