/** The cluster as a whole: demand, activity, versions. */
import {
  activities,
  authenticationMode,
  clusterMetadataReply,
  clusterStatusReply,
} from './cluster-schemas.ts';
import type { Activities, AuthenticationMode, ClusterMetadata, ClusterStatus } from './cluster-schemas.ts';
import type { CallOptions, Transport } from './transport.ts';

export class ClusterApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Use and waiting demand, also without an autoscaler. Resource names in it are camel-cased by Ray. */
  async status(options: CallOptions = {}): Promise<ClusterStatus> {
    const call = { method: 'GET', path: '/api/cluster_status', ...options } as const;
    return (await this.#transport.json(call, clusterStatusReply)).data;
  }

  /** Whether anything works on the cluster: the signal for an idle rule. Ray's internal namespaces do not count. */
  async activities(options: CallOptions = {}): Promise<Activities> {
    return this.#transport.json({ method: 'GET', path: '/api/component_activities', ...options }, activities);
  }

  /** Versions of Ray and Python, which must be the same on every node. */
  async metadata(options: CallOptions = {}): Promise<ClusterMetadata> {
    const call = { method: 'GET', path: '/api/v0/cluster_metadata', ...options } as const;
    return (await this.#transport.json(call, clusterMetadataReply)).data;
  }

  /** Whether the cluster asks for a token. Answered without one. */
  async authenticationMode(options: CallOptions = {}): Promise<AuthenticationMode> {
    const call = { method: 'GET', path: '/api/authentication_mode', ...options } as const;
    return (await this.#transport.json(call, authenticationMode)).authentication_mode;
  }
}
