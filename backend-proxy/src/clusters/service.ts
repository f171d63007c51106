/** What the daemon's API (and nothing else) asks of the cluster side of the house. */
import type {
  Cluster,
  ClusterEvent,
  ClusterId,
  Copy,
  LimitChange,
  NodeId,
  ProviderId,
  Quote,
  QuoteId,
  QuoteRequest,
  Usage,
  WatchedEvent,
} from '@hitch/contract';
import type { AgentLink } from '../access/agent-link.ts';
import type { Adoption } from './adopt-machine.ts';
import type { AgainOptions } from './quote-again.ts';

/** Every method throws HitchError with a sentence. Methods that return a promise resolve once the change is durable. */
export interface ClusterService {
  quote(request: QuoteRequest): Promise<Quote>;
  quoteById(id: QuoteId): Quote;
  /** For a cluster that is there: what was ordered for it, or other machines for its lost nodes. */
  quoteAgain(id: ClusterId, options: AgainOptions): Promise<Quote>;
  create(input: { quoteId: QuoteId; name?: string }): Promise<Cluster>;
  /** Takes over a machine on the account that nobody here rented. @throws as {@link adoptMachine} */
  adopt(network: ProviderId, adoption: Omit<Adoption, 'name'> & { readonly name?: string }): Promise<Cluster>;
  list(): readonly Cluster[];
  get(id: ClusterId): Cluster;
  /** Of the cluster that is called so; stopped ones keep their names. */
  idOf(name: string): ClusterId | undefined;
  /** @param options.savePaths saved too, besides what was named before. */
  stop(id: ClusterId, options: { skipSave: boolean; savePaths?: readonly string[] }): Promise<Cluster>;
  startAgain(id: ClusterId, quoteId: QuoteId): Promise<Cluster>;
  extend(
    id: ClusterId,
    change: LimitChange,
    /** @throws HitchError APPROVAL_NEEDED where more would be allowed than before: a page may only ask for less. */
    options?: { readonly onlyLess: boolean },
  ): Promise<Cluster>;
  /** Begins to fetch the paths, those that are named to be saved where none are given. */
  save(id: ClusterId, paths?: readonly string[]): Promise<Copy>;
  /** @param environment a lock; null: what it was rented with. */
  changeEnvironment(id: ClusterId, environment: string | null): Promise<Cluster>;
  /** Ends a change of the environment that goes on. */
  keepEnvironment(id: ClusterId): Promise<Cluster>;
  remove(id: ClusterId): Promise<void>;
  events(id: ClusterId, afterSeq: number, limit: number): Promise<readonly ClusterEvent[]>;
  /** The cursor that stands after the newest event. */
  cursor(): string;
  /** Every event after the cursor, then live ones; without a cursor only live ones. Ends when aborted. */
  watch(cursor: string | undefined, signal: AbortSignal): AsyncIterable<WatchedEvent>;
  usage(id: ClusterId): Usage;
  usageTotal(fromMs: number, toMs: number): Promise<{ costMicroUsd: string; ratePerHourMicroUsd: string }>;
  logs(
    id: ClusterId,
    query: { nodeId?: NodeId; name: 'agent' | 'jupyter' | 'ray' | 'bootstrap'; bytes: number },
  ): Promise<string>;
  /** The way to a node's agent, the head's being 0; null while there is none. Answers from memory. */
  nodeLink(id: ClusterId, nodeIndex: number): AgentLink | null;
}
