/** Where kernels run: this Jupyter server, and each cluster that has a Jupyter server now. */
import type { Cluster } from '@hitch/contract';
import {
  type Kernel,
  KernelAPI,
  type KernelSpec,
  KernelSpecAPI,
  ServerConnection,
  type Session,
  SessionAPI,
} from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import type { IHitch } from '../tokens.ts';
import { LastKnown } from './last-known.ts';
import { kernelName, readKernelName } from './names.ts';

const OVER: ReadonlySet<string> = new Set(['stopped', 'expired', 'failed', 'paused']);
/** Ends the calls that nobody would wait for any longer. */
const CALL_MS = 30_000;
/** Starting a kernel may load an interpreter from a cold disk. */
const START_MS = 150_000;

type Settings = ServerConnection.ISettings;

const withSignal = (settings: Settings, signal: AbortSignal): Settings => ({
  ...settings,
  init: { ...settings.init, signal },
});

/** One cluster's Jupyter server. */
export class RemotePlace {
  readonly #base: Settings;
  readonly specs: LastKnown<KernelSpec.ISpecModel>;
  readonly kernels: LastKnown<Kernel.IModel>;
  readonly sessions: LastKnown<Session.IModel>;
  cluster: Cluster;

  constructor(cluster: Cluster, base: Settings, changed: (what: 'specs' | 'running') => void) {
    this.cluster = cluster;
    this.#base = base;
    const now = Date.now;
    const running = () => {
      changed('running');
    };
    this.specs = new LastKnown({
      fetch: async signal =>
        Object.values((await KernelSpecAPI.getSpecs(withSignal(base, signal))).kernelspecs).filter(
          spec => spec !== undefined,
        ),
      idOf: ({ name }) => name,
      changed: () => {
        changed('specs');
      },
      now,
    });
    this.kernels = new LastKnown({
      fetch: signal => KernelAPI.listRunning(withSignal(base, signal)),
      idOf: ({ id }) => id,
      changed: running,
      now,
    });
    this.sessions = new LastKnown({
      fetch: signal => SessionAPI.listRunning(withSignal(base, signal)),
      idOf: ({ id }) => id,
      changed: running,
      now,
    });
  }

  dispose(): void {
    [this.specs, this.kernels, this.sessions].forEach(list => list.dispose());
  }

  get wsUrl(): string {
    return this.#base.wsUrl;
  }

  /** Also those of its sessions: the two lists come one after the other, and both are of what runs. */
  get runningKernels(): readonly Kernel.IModel[] {
    const listed = new Set(this.kernels.items.map(({ id }) => id));
    const ofSessions = this.sessions.items.flatMap(({ kernel }) => (kernel === null ? [] : [kernel]));
    return [...this.kernels.items, ...ofSessions.filter(({ id }) => !listed.has(id))];
  }

  /** A session that was started or changed from here. */
  put(session: Session.IModel): void {
    this.sessions.put(session);
    if (session.kernel !== null) {
      this.kernels.put(session.kernel);
    }
  }

  /** A kernel that was ended from here, and its sessions with it. */
  drop(kernelId: string | undefined): void {
    if (kernelId !== undefined) {
      const sessions = this.sessions.items.filter(({ kernel }) => kernel?.id === kernelId);
      sessions.forEach(({ id }) => this.sessions.drop(id));
      this.kernels.drop(kernelId);
    }
  }

  call<T>(run: (settings: Settings) => Promise<T>): Promise<T> {
    return away(run(withSignal(this.#base, AbortSignal.timeout(CALL_MS))));
  }

  start<T>(run: (settings: Settings) => Promise<T>): Promise<T> {
    return away(run(withSignal(this.#base, AbortSignal.timeout(START_MS))));
  }

  publicName(spec: string): string {
    return kernelName(this.cluster.name, spec);
  }
}

/** JupyterLab waits for a network that is down, and takes every other failure for the kernel's death. */
async function away<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const down =
      error instanceof ServerConnection.ResponseError
        ? [424, 502, 503, 504].includes(error.response.status)
        : error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
    if (down) {
      throw new ServerConnection.NetworkError(new TypeError((error as Error).message, { cause: error }));
    }
    throw error;
  }
}

export class Places {
  readonly local: Settings;
  readonly #hitch: IHitch;
  readonly #remote = new Map<string, RemotePlace>();
  /** Kernel ids are unique over all servers; their names are not. */
  readonly #owners = new Map<string, string>();
  readonly #specsChanged = new Signal<this, void>(this);
  readonly #runningChanged = new Signal<this, void>(this);
  readonly #ghosts = new Map<string, string>();
  /** Counts what was started, moved or renamed from here. */
  #changes = 0;

  constructor(hitch: IHitch) {
    this.#hitch = hitch;
    this.local = hitch.serverSettings;
    this.#update();
    hitch.changed.connect(this.#update, this);
  }

  /** Kernelspecs are others than were answered last. */
  get specsChanged(): ISignal<this, void> {
    return this.#specsChanged;
  }

  /** Kernels or sessions are others than were answered last. */
  get runningChanged(): ISignal<this, void> {
    return this.#runningChanged;
  }

  get remote(): readonly RemotePlace[] {
    return [...this.#remote.values()];
  }

  /** Names without a kernel behind them that notebooks ask for, and their languages. */
  get ghosts(): ReadonlyMap<string, string> {
    return this.#ghosts;
  }

  addGhost(name: string, language: string): void {
    if (!this.#ghosts.has(name)) {
      this.#ghosts.set(name, language);
      this.#specsChanged.emit();
    }
  }

  /** The place of the kernel with this name there; `place` is null where no running cluster is meant. */
  named(name: string): { place: RemotePlace | null; spec: string } | null {
    const read = readKernelName(name);
    if (read === null) {
      return null;
    }
    // A cluster's own name may hold the separator.
    const place = this.remote.find(({ cluster }) => name.startsWith(kernelName(cluster.name, '')));
    return place === undefined
      ? { place: null, spec: read.spec }
      : { place, spec: name.slice(kernelName(place.cluster.name, '').length) };
  }

  ownerOf(kernelId: string): RemotePlace | null {
    return this.#remote.get(this.#owners.get(kernelId) ?? '') ?? null;
  }

  /** Notes whose kernel it is, and names it as this JupyterLab does. */
  own(place: RemotePlace, model: Kernel.IModel): Kernel.IModel {
    this.#owners.set(model.id, place.cluster.id);
    return { ...model, name: place.publicName(model.name) };
  }

  /** A kernel or a session was started, moved or renamed from here. */
  changed(): void {
    this.#changes += 1;
  }

  /**
   * Lists until nothing was changed from here meanwhile. JupyterLab takes what is missing from a list for ended, and
   * a place that is slow to answer would keep back a list from before the change.
   */
  async listed<T>(list: () => Promise<T>): Promise<T> {
    for (;;) {
      const changes = this.#changes;
      const found = await list();
      if (changes === this.#changes) {
        return found;
      }
    }
  }

  /** The cluster that a kernel's name speaks of, running or not; undefined where the list has none. */
  clusterOf(name: string): Cluster | undefined {
    return [...this.#hitch.clusters]
      .sort((a, b) => b.createdAtMs - a.createdAtMs)
      .find(cluster => name.startsWith(kernelName(cluster.name, '')));
  }

  #update(): void {
    const before = this.#key();
    const present = this.#hitch.clusters.filter(cluster => {
      const { status } = cluster.conditions.kernel;
      // One that was there and does not answer is there: unreachable is not dead.
      return !OVER.has(cluster.phase) && (status === 'yes' || this.#remote.has(cluster.id));
    });
    const ids = new Set<string>(present.map(({ id }) => id));
    for (const [id, place] of this.#remote) {
      if (!ids.has(id)) {
        place.dispose();
        this.#remote.delete(id);
      }
    }
    for (const cluster of present) {
      const known = this.#remote.get(cluster.id);
      if (known === undefined) {
        const tell = (what: 'specs' | 'running') => {
          (what === 'specs' ? this.#specsChanged : this.#runningChanged).emit();
        };
        this.#remote.set(cluster.id, new RemotePlace(cluster, this.#hitch.settingsFor(cluster), tell));
      } else {
        known.cluster = cluster;
      }
    }
    if (before !== this.#key()) {
      this.#specsChanged.emit();
      this.#runningChanged.emit();
    }
  }

  #key(): string {
    return this.remote
      .map(({ cluster: { id, name, nodes } }) => `${id} ${name} ${nodes.map(({ title }) => title).join()}`)
      .join('|');
  }
}
