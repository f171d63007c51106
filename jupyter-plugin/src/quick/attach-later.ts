/** Notebooks that get their kernel on a cluster as soon as it has one, and the cell that runs there first. */
import type { Cluster, ClusterId } from '@hitch/contract';
import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';
import * as z from 'zod';
import type { IHitch } from '../tokens.ts';

/** Of this tab alone, and kept when it is loaded anew: another tab with the same notebook did not ask for it. */
const KEY = 'hitch:attach-later';

const waitSchema = z.object({
  clusterId: z.string(),
  /** The notebook's. */
  path: z.string(),
  /** The cell to run there; null: none. */
  cellId: z.string().nullable(),
});
type Wait = z.infer<typeof waitSchema>;

export interface AttachLaterOptions {
  readonly hitch: IHitch;
  readonly notebooks: INotebookTracker;
  /** Gives the notebook its kernel there; answers whether it has it. */
  readonly move: (panel: NotebookPanel, cluster: Cluster) => Promise<boolean>;
  readonly run: (panel: NotebookPanel, cell: Cell) => Promise<unknown>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
}

export class AttachLater {
  readonly #options: AttachLaterOptions;
  readonly #changed = new Signal<this, void>(this);
  readonly #moving = new Set<NotebookPanel>();
  #waits: readonly Wait[];

  constructor(options: AttachLaterOptions) {
    this.#options = options;
    this.#waits = this.#kept();
    const { hitch, notebooks } = options;
    hitch.changed.connect(this.#look, this);
    // After the page was loaded anew notebooks come one by one.
    notebooks.widgetAdded.connect((_, panel) => this.#follow(panel));
    notebooks.forEach(panel => this.#follow(panel));
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  /** The cluster that a notebook waits for; undefined: it waits for none. */
  clusterOf(path: string): Cluster | undefined {
    const wait = this.#waits.find(known => known.path === path);
    return this.#options.hitch.clusters.find(({ id }) => id === wait?.clusterId);
  }

  /** A notebook waits for one cluster: the latest. */
  add(clusterId: ClusterId, path: string, cellId: string | null): void {
    this.#set([...this.#waits.filter(wait => wait.path !== path), { clusterId, path, cellId }]);
    this.#look();
  }

  forget(path: string): void {
    this.#set(this.#waits.filter(wait => wait.path !== path));
  }

  #follow({ context }: NotebookPanel): void {
    let path = context.path;
    context.pathChanged.connect((_, renamed) => {
      this.#set(this.#waits.map(wait => (wait.path === path ? { ...wait, path: renamed } : wait)));
      path = renamed;
    });
    void context.ready.then(() => this.#look());
  }

  #look(): void {
    const { hitch } = this.#options;
    // Nothing is known before the first list.
    if (hitch.providers.length === 0) {
      return;
    }
    for (const wait of this.#waits) {
      const cluster = hitch.clusters.find(({ id }) => id === wait.clusterId);
      // Why there is none is told of the cluster itself; one that is rented anew under its id has not ended.
      if (cluster === undefined || cluster.endedAtMs !== null) {
        this.forget(wait.path);
      } else if (cluster.conditions.kernel.status === 'yes') {
        void this.#attach(wait, cluster);
      }
    }
  }

  async #attach({ path, cellId }: Wait, cluster: Cluster): Promise<void> {
    const { notebooks, move, run } = this.#options;
    const panel = notebooks.find(({ context }) => context.path === path);
    if (panel?.context.isReady !== true || this.#moving.has(panel)) {
      return;
    }
    this.#moving.add(panel);
    // It is kept until then: the page may be loaded anew in the middle of it.
    const isThere = await move(panel, cluster).finally(() => {
      this.#moving.delete(panel);
      this.forget(panel.context.path);
    });
    if (!isThere || cellId === null || panel.isDisposed) {
      return;
    }
    const cell = panel.content.widgets.find(({ model }) => model.id === cellId);
    if (cell !== undefined) {
      await run(panel, cell);
    }
  }

  #set(waits: readonly Wait[]): void {
    this.#waits = waits;
    try {
      this.#options.storage.setItem(KEY, JSON.stringify(waits));
    } catch {
      // Then it is kept as long as the page is.
    }
    this.#changed.emit();
  }

  #kept(): readonly Wait[] {
    try {
      return z.array(waitSchema).parse(JSON.parse(this.#options.storage.getItem(KEY) ?? '[]'));
    } catch {
      return [];
    }
  }
}
