/**
 * The records the daemon keeps. They live in memory (one daemon owns the store), each change is committed to the
 * store before anything acts on it, and after a crash the next daemon goes on from exactly these rows.
 */
import type {
  AttemptId,
  AttemptState,
  Caps,
  ClusterId,
  ClusterPhase,
  Conditions,
  EngineKind,
  MicroUsd,
  NodeId,
  NodePhase,
  Offer,
  ProviderId,
  Quote,
  QuoteId,
  QuoteRequest,
  SavePlan,
} from '@hitch/contract';

/** What the person wants of a cluster; reconcilers move the phase towards it. */
export type Desired = 'up' | 'stopped';

/** Why a cluster is going down; decides its last phase and sentence. */
export type StopCause = 'user' | 'stop_time' | 'term' | 'idle' | 'cap' | 'failure';

/** What a person ordered, as it was asked for: the offers, the filters and the limits. */
export interface Order {
  readonly request: QuoteRequest;
  /** Its stop time counts from here. */
  readonly atMs: number;
}

export interface ClusterRecord {
  readonly id: ClusterId;
  readonly owner: string;
  readonly project: string;
  /** Grows each time a daemon takes the store over; a row written under an older epoch is not this daemon's word. */
  readonly leaseEpoch: number;
  readonly name: string;
  readonly practice: boolean;
  readonly desired: Desired;
  readonly stopCause: StopCause | null;
  readonly skipSave: boolean;
  readonly phase: ClusterPhase;
  readonly phaseSinceMs: number;
  readonly message: string;
  readonly conditions: Conditions;
  readonly engine: EngineKind;
  readonly template: string;
  readonly quoteId: QuoteId;
  /** What was asked for when it was last started; null: an older Hitch wrote it. */
  readonly order: Order | null;
  readonly caps: Caps;
  /** What is spent from here on counts against the cap. */
  readonly capFromMs: number;
  readonly save: SavePlan;
  /** Where what was named to save lies on this computer, absolute paths. */
  readonly saved: readonly string[];
  readonly saveDone: boolean;
  readonly secrets: readonly string[];
  /** Ray's token of this cluster. */
  readonly engineToken: string;
  readonly createdAtMs: number;
  /** When it was last asked to run: each start is a run of its own. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** When a person took it off the list. Its refs stay here, in case that a network shows one of its machines again. */
  readonly removedAtMs: number | null;
  readonly lastEventSeq: number;
}

export interface NodeRecord {
  readonly id: NodeId;
  readonly clusterId: ClusterId;
  /** The yes that it is rented under; a cluster's present nodes are those of its present quote. */
  readonly quoteId: QuoteId;
  /** 0 is the head. */
  readonly index: number;
  readonly phase: NodePhase;
  readonly phaseSinceMs: number;
  /** When the present phase counts as failed. */
  readonly deadlineMs: number | null;
  readonly message: string;
  /** The attempt this node lives on, once one is owned. */
  readonly attemptId: AttemptId | null;
  /** Its agent has spoken: something of the person's may lie there. */
  readonly wasUp: boolean;
  /** Bearer of the agent on this node. */
  readonly agentToken: string;
}

/** Where a machine is reached: kept with its record, so that it can be dialled without its network. Nothing of it is secret. */
export interface MachineAddress {
  /** What its adapter needs, in the adapter's own words: a socket's path, or a name, a port and a user. */
  readonly at: string;
  /** The public key that must answer there; null where no network lies between. */
  readonly hostKey: string | null;
}

/** What was agreed to beside the offer: frozen in the quote, sent to the network as it is. */
export interface Terms {
  /** How long is bought, where the offer is sold by terms: a multiple of its `termMs`; null: it costs what it is used. */
  readonly termMs: number | null;
  readonly diskGiB: number;
  readonly market: Offer['market'];
  /** The most that a spot machine may cost an hour; null: what it costs is not bid for. */
  readonly bidPerHourMicroUsd: MicroUsd | null;
  /** A container image, or the network's own name of a VM image; null: the network's default. */
  readonly image: string | null;
}

/** More time that was bought for a machine that is sold by terms: an intent of its own, stored before it is paid. */
export interface MoreTime {
  /** When the machine would have ended without it. */
  readonly fromMs: number;
  readonly ms: number;
  readonly askedAtMs: number;
  /** `asked`: without an answer that says anything · `absent`: the network has not moved its end, and never will. */
  readonly state: 'asked' | 'bought' | 'refused' | 'absent';
  /** Looks since the visibility delay that found the end where it was. */
  readonly absentSightings: number;
}

export interface AttemptRecord {
  readonly id: AttemptId;
  readonly nodeId: NodeId;
  readonly clusterId: ClusterId;
  readonly ref: string;
  /** By what its network's answers are known: its ref, or what the network makes of the whole order. */
  readonly mark: string;
  readonly provider: ProviderId;
  /** The offer as it was quoted, at the price of its terms. */
  readonly offer: Offer;
  readonly terms: Terms;
  readonly state: AttemptState;
  /** Refused for a reason that passes (a rate limit): the same offer may be asked again, by another attempt. */
  readonly mayRetry: boolean;
  readonly instanceId: string | null;
  /** Where its machine was reached last: dialled before its network is asked. */
  readonly address: MachineAddress | null;
  /** The end time that its network was given last (ms since the epoch); null: none, or by an older Hitch. */
  readonly toldEndAtMs: number | null;
  /** Second machines of this purchase, by their ids: asked to end, not confirmed gone, what they cost not counted yet. */
  readonly seconds: readonly string[];
  /** When the network itself ends it, as it said last; null: not that we know. */
  readonly endsAtMs: number | null;
  readonly moreTime: readonly MoreTime[];
  /** What is to cost an hour besides what its segments say, and does not cost yet: a lease to come, a GPU that boots. */
  readonly aheadPerHourMicroUsd: MicroUsd;
  /** What has left the account for it, as its network or its offer says; null: only what it costs. */
  readonly paidMicroUsd: MicroUsd | null;
  readonly message: string;
  readonly createdAtMs: number;
  /** Quarantine: the network's list cannot be trusted to miss the ref before this. */
  readonly visibleByMs: number | null;
  /** Times in a row that the network's list did not show it (or its get answered `gone`). */
  readonly absentSightings: number;
  readonly endedAtMs: number | null;
}

/**
 * A stretch of time at one price (`rate`), an amount paid at once on top of it (`once`), or the least that the attempt's
 * hours cost, which count towards it (`floor`). Cost is a pure function of these.
 */
export interface SegmentRecord {
  readonly attemptId: AttemptId;
  readonly nodeId: NodeId;
  readonly clusterId: ClusterId;
  /** 0, 1, 2… inside its attempt. */
  readonly index: number;
  readonly kind: 'rate' | 'once' | 'floor';
  /** Micro-USD an hour for `rate`, else micro-USD. */
  readonly amountMicroUsd: MicroUsd;
  readonly label: string;
  readonly startMs: number;
  /** Null while it runs. Equal to `startMs` but for `rate`. */
  readonly endMs: number | null;
}

export interface QuoteRecord {
  readonly id: QuoteId;
  readonly quote: Quote;
  /** What is ordered with it; null: machines for lost nodes of a cluster, or an older Hitch made it. */
  readonly order: QuoteRequest | null;
  /** It is for lost nodes, and allows no more than their cluster may cost already. */
  readonly keepsCaps: boolean;
  /** The cluster that it rents once more; null: a new one, or an older Hitch made it. */
  readonly forCluster: ClusterId | null;
  /** The frozen offers, in the order they are tried. */
  readonly offers: readonly Offer[];
  /** No node may cost more than this an hour. */
  readonly maxNodePricePerHourMicroUsd: MicroUsd;
  readonly usedBy: ClusterId | null;
}

export interface EventRecord {
  /** Counts over all clusters; the event cursor is made from it. */
  readonly position: number;
  readonly clusterId: ClusterId;
  readonly seq: number;
  readonly atMs: number;
  readonly kind: 'phase' | 'node' | 'attempt' | 'condition' | 'price' | 'warning' | 'saved' | 'removed';
  readonly nodeId: NodeId | null;
  readonly attemptId: AttemptId | null;
  readonly value: string;
  readonly message: string;
}
