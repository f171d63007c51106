/** A drive for each cluster, as long as there is something on it. */
import { type Cluster, isOver } from '@hitch/contract';
import type { Contents, ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { ClusterDrive, type ClusterDriveOptions } from './drive.ts';

/** What is needed of the token of the clusters. */
export interface Clusters {
  readonly clusters: readonly Cluster[];
  readonly changed: ISignal<unknown, void>;
  settingsFor(cluster: Pick<Cluster, 'jupyterPath'>): ServerConnection.ISettings;
}

const HAS_FILES = new Set<Cluster['phase']>(['ready', 'degraded', 'unreachable', 'stopping']);

/** Whether its work folder can be looked at, or could a moment ago. */
export const hasFiles = (cluster: Pick<Cluster, 'phase' | 'conditions'>): boolean =>
  HAS_FILES.has(cluster.phase) || (!isOver(cluster) && cluster.conditions.kernel.status === 'yes');

export interface ClusterDrivesOptions {
  readonly hitch: Clusters;
  readonly contents: Pick<Contents.IManager, 'addDrive'>;
  readonly sentence: ClusterDriveOptions['sentence'];
}

export class ClusterDrives implements IDisposable {
  readonly #options: ClusterDrivesOptions;
  readonly #changed = new Signal<this, void>(this);
  readonly #drives = new Map<string, ClusterDrive>();
  #disposed = false;

  constructor(options: ClusterDrivesOptions) {
    this.#options = options;
    options.hitch.changed.connect(this.#look, this);
    this.#look();
  }

  /** Drives that can be looked into. */
  get drives(): readonly ClusterDrive[] {
    return [...this.#drives.values()].filter(({ state }) => state !== 'gone');
  }

  /** Drives came or went, or can be reached or no longer. */
  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  /** Of clusters that are over, too, as long as the page lives: documents of theirs may be open. */
  byName(name: string): ClusterDrive | undefined {
    return this.#drives.get(name);
  }

  byCluster(clusterId: string): ClusterDrive | undefined {
    return this.drives.find(drive => drive.clusterId === clusterId);
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
    this.#options.hitch.changed.disconnect(this.#look, this);
    Signal.clearData(this);
  }

  #look(): void {
    const { hitch } = this.#options;
    const living = new Map(hitch.clusters.filter(hasFiles).map(cluster => [cluster.name, cluster]));
    let changed = false;
    for (const [name, drive] of this.#drives) {
      const gone = living.get(name)?.id !== drive.clusterId;
      changed ||= gone !== (drive.state === 'gone');
      drive.setGone(gone);
    }
    for (const [name, cluster] of living) {
      if (this.#drives.get(name)?.clusterId !== cluster.id) {
        this.#add(cluster);
        changed = true;
      }
    }
    if (changed) {
      this.#changed.emit();
    }
  }

  #add(cluster: Cluster): void {
    const { hitch, contents, sentence } = this.#options;
    const drive = new ClusterDrive({ cluster, serverSettings: hitch.settingsFor(cluster), sentence });
    drive.stateChanged.connect(this.#tell, this);
    this.#drives.set(cluster.name, drive);
    contents.addDrive(drive);
  }

  #tell(): void {
    this.#changed.emit();
  }
}
