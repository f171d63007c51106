/** An engine turns running agents into something to compute on. Pure: it plans, the reconciler asks the agents. */
import type { AgentStatus, Condition, EngineConfig, EngineKind, NodeId } from '@hitch/contract';
import type { HostFacts, PythonNeeds } from '../access/host.ts';

/** One node of a cluster, as far as an engine is concerned. The head comes first. */
export interface Member {
  readonly nodeId: NodeId;
  readonly index: number;
  /** Null until its machine answers. */
  readonly facts: HostFacts | null;
  /** The agent's newest word; null while it does not answer. */
  readonly status: AgentStatus | null;
  /** It will not come (any more). */
  readonly lost: boolean;
}

export interface EngineRetry {
  /** Of the start that runs now; the first is 1. */
  readonly number: number;
  /** Why the one before came to nothing. */
  readonly reason: string;
}

export interface EnginePlan {
  /** Agents to tell how they take part. */
  readonly starts: readonly { readonly nodeId: NodeId; readonly config: EngineConfig }[];
  /** Nodes that do all they are to do. */
  readonly ready: readonly NodeId[];
  /** Nodes that cannot, and why. */
  readonly failed: readonly { readonly nodeId: NodeId; readonly sentence: string }[];
  /** Nodes on which it did not come up and is started again. */
  readonly retries?: readonly (EngineRetry & { readonly nodeId: NodeId })[];
  readonly engine: Pick<Condition, 'status' | 'reason' | 'message'>;
}

export interface Engine {
  readonly kind: EngineKind;
  readonly needs: PythonNeeds;
  plan(members: readonly Member[], secrets: { readonly token: string }): EnginePlan;
}
