/** What the plugins of this package offer one another. */
import type { Cluster, ClusterEvent, HitchClient, ProviderInfo } from '@hitch/contract';
import type { ServerConnection } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

/** How the page stands with the daemon. */
export interface HitchLink {
  /**
   * `connecting`: nothing was heard yet · `live`: what is shown is so · `reconnecting`: lost a moment ago, tried
   * again · `down`: lost for longer, or refused; still tried again.
   */
  readonly state: 'connecting' | 'live' | 'reconnecting' | 'down';
  /** For people: what is wrong, and what to do. */
  readonly sentence: string;
}

/** The one place that knows the clusters. It answers from memory; nothing here waits for the network. */
export interface IHitch {
  /** The daemon, through this Jupyter server's bridge. Each call throws a `HitchError` with a sentence. */
  readonly client: HitchClient;
  /** Those of this JupyterLab. */
  readonly serverSettings: ServerConnection.ISettings;
  /** As last heard; a failure empties nothing. */
  readonly clusters: readonly Cluster[];
  /** As last heard. */
  readonly providers: readonly ProviderInfo[];
  readonly link: HitchLink;
  /** Why remote kernels work in part only, a sentence each: server-side execution, another router of kernels. */
  readonly limits: readonly string[];
  /** Clusters, providers, limits or the link are other than before. */
  readonly changed: ISignal<IHitch, void>;
  /** Each transition since the page was opened, once and in order, after {@link clusters} has it. */
  readonly events: ISignal<IHitch, ClusterEvent>;
  /** Asks the daemon now. It never throws: {@link link} says how it went. */
  refresh(): Promise<void>;
  /** Says in {@link limits} that something works in part only. */
  limit(sentence: string): void;
  /** For contents, terminals and kernels of one cluster: rooted at its Jupyter API, with sockets that carry on. */
  settingsFor(cluster: Pick<Cluster, 'jupyterPath'>): ServerConnection.ISettings;
}

export const IHitch = new Token<IHitch>(
  'jupyterlab-hitch:IHitch',
  'The clusters that Hitch has rented, and the way to its daemon.',
);
