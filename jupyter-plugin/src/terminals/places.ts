/** Which terminals there are on a cluster, and the way to each. */
import { HitchError, isOver, type Cluster, type ClusterId, type HitchClient } from '@hitch/contract';
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import type { TerminalPlace } from './connection.ts';

export interface TerminalsOptions {
  readonly client: HitchClient;
  /** Of this JupyterLab: the bridge stands below its base URL. */
  readonly serverSettings: ServerConnection.ISettings;
  /** As last known; for telling a terminal that is over from one out of reach. */
  readonly cluster: (id: ClusterId) => Pick<Cluster, 'phase'> | undefined;
}

export class ClusterTerminals {
  readonly #options: TerminalsOptions;

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  async names(clusterId: ClusterId): Promise<readonly string[]> {
    return (await this.#options.client.api.terminals.list({ clusterId })).map(({ name }) => name);
  }

  async create(clusterId: ClusterId): Promise<string> {
    return (await this.#options.client.api.terminals.create({ clusterId })).name;
  }

  place(clusterId: ClusterId, name: string): TerminalPlace {
    const { client, serverSettings } = this.#options;
    return {
      name,
      serverSettings,
      url: () => socketUrl(serverSettings, clusterId, name),
      runs: () => this.#runs(clusterId, name),
      end: async () => {
        await client.api.terminals.remove({ clusterId, name });
      },
    };
  }

  async #runs(clusterId: ClusterId, name: string): Promise<boolean> {
    const cluster = this.#options.cluster(clusterId);
    if (cluster !== undefined && isOver(cluster)) {
      return false;
    }
    try {
      return (await this.names(clusterId)).includes(name);
    } catch (error) {
      if (error instanceof HitchError && error.code === 'NOT_FOUND') {
        return false;
      }
      throw error;
    }
  }
}

function socketUrl(settings: ServerConnection.ISettings, clusterId: string, name: string): string {
  const url = URLExt.join(
    settings.wsUrl,
    'hitch/clusters',
    clusterId,
    'terminals',
    encodeURIComponent(name),
    'socket',
  );
  return settings.appendToken && settings.token !== ''
    ? `${url}?token=${encodeURIComponent(settings.token)}`
    : url;
}
