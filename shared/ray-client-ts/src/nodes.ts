import { nodesSummaryReply } from './node-schemas.ts';
import type { NodeSummary } from './node-schemas.ts';
import type { CallOptions, Transport } from './transport.ts';

export interface NodesSummary {
  /** Dead nodes stay listed. */
  nodes: NodeSummary[];
  /** For a person, by node id: `0.0/2.0 CPU` and so on, a line for each resource, named as the user did. */
  logicalResources: Record<string, string>;
}

export class NodesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What each node's processors, memory, disks, network and GPUs do right now. For what a node *has*, use `state.nodes`. */
  async summary(options: CallOptions = {}): Promise<NodesSummary> {
    const query = new URLSearchParams({ view: 'summary' });
    const { data } = await this.#transport.json(
      { method: 'GET', path: '/nodes', query, ...options },
      nodesSummaryReply,
    );
    return { nodes: data.summary, logicalResources: data.nodeLogicalResources ?? {} };
  }
}
