/** Notebooks that get their kernel on a cluster as soon as it has one, and the cell that runs there first. */
import type { Cluster, ClusterId } from '@hitch/contract';
import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';
import * as z from 'zod';
import type { Moved } from '../run-on/move.ts';
import type { IHitch } from '../tokens.ts';

/** Of this tab alone, and kept when it is loaded anew: another tab with the same notebook did not ask for it. */
const KEY = 'hitch:attach-later';

const waitSchema = z.object({
  clusterId: z.string(),
  /** The notebook's. */
  path: z.string(),
  /** The cell to run there; null: none. */
  cellId: z.string().nullable(),
  /** When the cluster ended before it was rented anew: a list that still says so is older than the order. */
  endedBeforeMs: z.number().nullable().default(null),
  /** The cell was run, or was about to be when the page was loaded anew. */
  began: z.boolean().default(false),
});
type Wait = z.infer<typeof waitSchema>;

export interface AttachLaterOptions {
  readonly hitch: IHitch;
  readonly notebooks: INotebookTracker;
  /** Whether the notebook has its kernel there now. */
  readonly isThere: (panel: NotebookPanel, cluster: Cluster) => boolean;
  /** Gives the notebook its kernel there, for as long as `isWanted` says so. */
  readonly move: (panel: NotebookPanel, cluster: Cluster, isWanted: () => boolean) => Promise<Moved>;
  readonly run: (panel: NotebookPanel, cell: Cell) => Promise<unknown>;
  /** Whether the notebook's kernel there was ever asked to run this cell. */
  readonly hasRun: (panel: NotebookPanel, cluster: Cluster, cellId: string) => Promise<boolean>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
}

export class AttachLater {
  readonly #options: AttachLaterOptions;
  readonly #changed = new Signal<this, void>(this);
  readonly #moving = new Set<NotebookPanel>();
  /** Paths of notebooks that could not be moved, which was told: they are not tried again by themselves. */
  readonly #failed = new Set<string>();
  /** Ordered from this page, and in no list of it yet. */
  readonly #unlisted = new Set<string>();
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
    const wait = this.#waits.find(known => known.path === path && !known.began);
    return this.#failed.has(path)
      ? undefined
      : this.#options.hitch.clusters.find(({ id }) => id === wait?.clusterId);
  }

  /**
   * A notebook waits for one cluster: the latest.
   * @param endedBeforeMs when it ended before this order; null: it is another cluster than there were
   */
  add(clusterId: ClusterId, path: string, cellId: string | null, endedBeforeMs: number | null): void {
    const others = this.#waits.filter(wait => wait.path !== path);
    this.#failed.delete(path);
    this.#unlisted.add(clusterId);
    this.#set([...others, { clusterId, path, cellId, endedBeforeMs, began: false }]);
    this.#look();
  }

  forget(path: string): void {
    this.#failed.delete(path);
    this.#set(this.#waits.filter(wait => wait.path !== path));
  }

  #follow({ context }: NotebookPanel): void {
    let path = context.path;
    context.pathChanged.connect((_, renamed) => {
      this.#set(this.#waits.map(wait => (wait.path === path ? { ...wait, path: renamed } : wait)));
      path = renamed;
    });
    // Whoever gives it the kernel there, the cell that was asked for runs.
    context.sessionContext.kernelChanged.connect(() => this.#look());
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
      if (this.#isOver(wait, cluster)) {
        this.forget(wait.path);
      } else if (cluster?.conditions.kernel.status === 'yes') {
        void this.#attach(wait, cluster);
      }
    }
  }

  /** Nothing comes of it any more; why is told of the cluster itself. A list that is older than the order says nothing. */
  #isOver({ clusterId, endedBeforeMs }: Wait, cluster: Cluster | undefined): boolean {
    if (cluster === undefined) {
      return !this.#unlisted.has(clusterId);
    }
    this.#unlisted.delete(clusterId);
    return cluster.endedAtMs !== null && cluster.endedAtMs !== endedBeforeMs;
  }

  async #attach(wait: Wait, cluster: Cluster): Promise<void> {
    const { notebooks, isThere } = this.#options;
    const panel = notebooks.find(({ context }) => context.path === wait.path);
    if (panel?.context.isReady !== true || this.#moving.has(panel)) {
      return;
    }
    if (this.#failed.has(wait.path) && !isThere(panel, cluster)) {
      return;
    }
    this.#moving.add(panel);
    try {
      await this.#keepPromise(panel, wait, cluster);
    } finally {
      this.#moving.delete(panel);
    }
    // Meanwhile it was asked for elsewhere.
    const next = this.#waits.find(({ path }) => path === panel.context.path);
    if (next !== undefined && next.clusterId !== wait.clusterId) {
      this.#look();
    }
  }

  /** The wait is kept to the very end: the page may be loaded anew at any moment of it. */
  async #keepPromise(panel: NotebookPanel, { cellId, began }: Wait, cluster: Cluster): Promise<void> {
    const { move, run, hasRun } = this.#options;
    const { context } = panel;
    const waitNow = () => this.#waits.find(wait => wait.path === context.path);
    const isWanted = () => !panel.isDisposed && waitNow()?.clusterId === cluster.id;
    const moved = await move(panel, cluster, isWanted);
    if (!isWanted()) {
      return;
    }
    if (moved === 'failed') {
      this.#failed.add(context.path);
      this.#changed.emit();
      return;
    }
    try {
      const cell = panel.content.widgets.find(({ model }) => model.id === cellId);
      if (moved === 'there' && cell !== undefined) {
        // What the page before has run fills its cell by itself, and must not run twice.
        const ran = began && (await hasRun(panel, cluster, cell.model.id));
        if (!ran && isWanted()) {
          this.#set(this.#waits.map(wait => (wait.path === context.path ? { ...wait, began: true } : wait)));
          await run(panel, cell);
        }
      }
    } finally {
      if (isWanted()) {
        this.forget(context.path);
      }
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
